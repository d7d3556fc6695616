"""The close of a run: everything it leaves, as one signed package."""

from __future__ import annotations

import hashlib
from pathlib import Path

from omni.delivery.package import MANIFEST, PackageContents, assemble
from omni.delivery.report_page import render as render_page
from omni.kernel.signing import Signer
from omni.pipeline.deployment import VERSION
from omni.pipeline.handoffs import (
    DeploymentHandoff,
    ImplementationHandoff,
    PackageHandoff,
    PostDeployHandoff,
    ReviewHandoff,
    SpecificationHandoff,
)
from omni.pipeline.page import context, newest, verdict
from omni.pipeline.stage import Stage, Work
from omni.pipeline.verification import reports
from omni.verify.outputs import render
from omni.verify.report import Report


def run(work: Work) -> PackageHandoff:
    spec, out = work.spec(), _out(work)
    work.workspace.restore(work.handoff(ImplementationHandoff, "implementation").commit)
    contents = PackageContents(
        name=spec.name,
        version=VERSION,
        run_id=work.run.id,
        verdict=verdict(work),
        app=work.workspace.path,
        documents=_documents(work),
    )
    assemble(out, contents, Signer.load(work.settings.home))
    return PackageHandoff(
        out=str(out),
        manifest=hashlib.sha256((out / MANIFEST).read_bytes()).hexdigest(),
        verdict=contents.verdict,
    )


def _out(work: Work) -> Path:
    return Path(work.run.options.out or work.folder / "package")


def _documents(work: Work) -> dict[str, bytes]:
    specification = work.handoff(SpecificationHandoff, "specification")
    return {
        "spec.md": work.store.get(specification.document),
        "spec.json": work.store.get(specification.spec),
        "report.html": render_page(context(work)).encode(),
        "findings.sarif": render(_whole(work), "sarif").encode(),
        **_deployed(work),
        **_reviewed(work),
        **_specialists(work),
    }


def _reviewed(work: Work) -> dict[str, bytes]:
    digest = work.handoff(ReviewHandoff, "review").reviews
    return {"review.json": work.store.get(digest)} if digest else {}


def _specialists(work: Work) -> dict[str, bytes]:
    handoffs = (
        newest(work, SpecificationHandoff, "specification"),
        newest(work, ImplementationHandoff, "implementation"),
    )
    if not any(handoff and handoff.specialists for handoff in handoffs):
        return {}
    from omni.pipeline.specialists import Contributions, contributions  # takes time to load, and few builds ask models

    each = (one for handoff in handoffs if handoff for one in contributions(work, handoff.specialists))
    return {"specialists.json": Contributions(each=tuple(each)).model_dump_json(indent=2).encode() + b"\n"}


def _whole(work: Work) -> Report:
    """The reports of all tiers as one."""
    found = reports(work)
    return found[0].model_copy(
        update={
            "target": "app",
            "tiers": tuple(tier for report in found for tier in report.tiers),
            "results": tuple(result for report in found for result in report.results),
            "seconds": sum(report.seconds for report in found),
        }
    )


def _deployed(work: Work) -> dict[str, bytes]:
    """What deployment added; empty files where verification refused the app, so that it was never deployed."""
    deployed, after = newest(work, DeploymentHandoff, "deployment"), newest(work, PostDeployHandoff, "post-deploy")
    scorecard = after.scorecard if after else work.handoff(ReviewHandoff, "review").scorecard
    return {
        "scorecard.json": work.store.get(scorecard),
        "sbom.cdx.json": work.store.get(deployed.sbom) if deployed else b"",
        "provenance.intoto.jsonl": work.store.get(deployed.provenance) if deployed else b"",
    }


STAGE = Stage("package", "10", "Package", run, PackageHandoff)
