"""Stage 8: build the source archive, list what it is made of, sign where it came from, and start it for real."""

from __future__ import annotations

from omni.delivery import provenance, sbom
from omni.delivery.deployment import deploy
from omni.kernel import canonical
from omni.kernel.files import file_digest
from omni.kernel.signing import Signer
from omni.pipeline.deployment import VERSION, plan
from omni.pipeline.handoffs import DeploymentHandoff, ImplementationHandoff, SpecificationHandoff
from omni.pipeline.run import stage_records
from omni.pipeline.stage import Stage, Work
from omni.pipeline.steps import prepare, project_environment
from omni.pipeline.verification import reports


def run(work: Work) -> DeploymentHandoff:
    implementation = work.handoff(ImplementationHandoff, "implementation")
    work.workspace.restore(implementation.commit)
    archive = _archive(work, implementation.commit)
    bill = _bill(work)
    statement = _statement(work, implementation.commit, {"app.tar": archive, "sbom.cdx.json": bill})
    prepare(work, implementation.package)
    deployment = deploy(work.workspace.path, plan(work), work.driver())
    return DeploymentHandoff(
        passed=deployment.ok,
        reasons=deployment.problems,
        deployment=work.put(deployment),
        sbom=bill,
        archive=archive,
        provenance=statement,
    )


def _archive(work: Work, commit: str) -> str:
    """The source as `git archive` packs it: anybody with the commit gets the same bytes."""
    path = work.folder / "app.tar"
    work.workspace.git("archive", "--format=tar", f"--output={path}", commit)
    return work.store.put_file(path)


def _bill(work: Work) -> str:
    root = work.workspace.path
    bill = sbom.build(root, root / "requirements.lock", work.spec().name, VERSION, project_environment(work))
    return work.store.put(canonical.dumps(bill))


def _statement(work: Work, commit: str, subjects: dict[str, str]) -> str:
    spec, root = work.spec(), work.workspace.path
    build = provenance.Build(
        run_id=work.run.id,
        request=spec.request.text,
        template=spec.template,
        spec_digest=work.handoff(SpecificationHandoff, "specification").spec,
        commit=commit,
        answers=work.run.options.answers,
        materials={path.name: file_digest(path) for path in sorted(root.glob("requirements*.lock"))},
        models=work.handoff(ImplementationHandoff, "implementation").models,
        isolation=reports(work)[1].isolation,
        started=work.run.created_at,
        finished=stage_records(work.engine, work.run.id)[-1].started_at,
    )
    named = {name: digest.removeprefix("sha256:") for name, digest in subjects.items()}
    return work.store.put(provenance.envelope(build, named, Signer.load(work.settings.home)))


STAGE = Stage("deployment", "8", "Deployment", run, DeploymentHandoff)
