"""What a stage leaves for the next ones: typed documents with a schema version. No stage reads another's memory.

Large things (reports, documents, pictures) are artifacts; a handoff carries their digests.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from omni.kernel.errors import Exit


class Handoff(BaseModel):
    """`passed` decides whether the flow goes on; `reasons` says why not, and what to do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal["1"] = "1"
    passed: bool = True
    reasons: tuple[str, ...] = ()

    @property
    def doubt(self) -> str:
        """Why it can't be called passed although the flow goes on; empty: it can."""
        return ""


class SpecificationHandoff(Handoff):
    spec: str
    """Digest of `spec.json`; the specification is locked by it."""
    document: str
    """Digest of `spec.md`."""
    completeness: float
    """0 to 10."""
    open_questions: tuple[str, ...] = ()
    commit: str
    specialists: str = ""
    """Digest of what came of the specialists before code; empty: none was called."""


class Section(BaseModel):
    """One block of the compiled context."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    source: str
    tokens: int
    """Estimated as a quarter of the characters."""


class ContextHandoff(Handoff):
    template: str
    sections: tuple[Section, ...]
    window: int
    """Tokens that may be used: 112,000 of 128,000 (thresholds D3B.1)."""
    history: tuple[str, ...]
    """Earlier runs of the same template, as one line each: what they took and how they ended."""


class DesignHandoff(Handoff):
    score: float
    """0 to 10; above 8.5 no person is asked (thresholds B6.3)."""
    findings: tuple[str, ...] = ()
    reviews: str = ""
    """Digest of what models said of it, and of their debate; empty: no model was asked."""


class ImplementationHandoff(Handoff):
    spec: str
    """Digest of the specification that was implemented."""
    commit: str
    changed: bool
    """False when a further attempt could not change anything."""
    files: int
    lines: int
    package: str
    """Name of the Python package."""
    trace: dict[str, tuple[str, ...]]
    """Criterion id → test files."""
    undelivered: dict[str, str]
    """Spec item → why it is not delivered."""
    base: str = ""
    """Commit of the template, before any model worked on it."""
    models: tuple[str, ...] = ()
    """Who wrote code, as `provider/model`; none: a template did."""
    prompt: str = ""
    """Version of the prompt that they were given."""
    specialists: str = ""
    """Digest of what came of the specialists that change what was written; empty: none was called yet."""
    unrefined: str = ""
    """Commit before the changes of theirs that were kept; empty: there is none."""
    unfinished: str = ""
    """The session that its budget ended; it goes on when that is raised."""


class VerificationHandoff(Handoff):
    tier: int
    verdict: Literal["pass", "fail", "incomplete"]
    report: str
    """Digest of the report as JSON."""
    seconds: float


class ReviewHandoff(Handoff):
    scorecard: str
    """Digest of the scorecard as JSON."""
    score: float
    """Mean of the assessed dimensions, 0 to 10."""
    account: str
    """Digest of the account of the request: what became of each phrase."""
    not_delivered: tuple[str, ...] = ()
    """Parts that are not delivered and not waived."""
    reviews: str = ""
    """Digest of what models said, and what came of it; empty: no model was asked."""
    unjudged: str = ""
    """Why what a model wrote is known from its own tests alone; empty: it is not so, or a person accepted it."""


class Approval(BaseModel):
    """What was decided at a gate, by whom, or by which rule when nobody was asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gate: str
    decision: Literal["automatic", "approved", "revised", "rejected", "expired"]
    by: str = ""
    reason: str = ""


class GateHandoff(Handoff):
    approvals: tuple[Approval, ...]


class DeploymentHandoff(Handoff):
    deployment: str = ""
    """Digest of the deployment's record (figures of start, smoke and load)."""
    sbom: str = ""
    archive: str = ""
    """Digest of the source archive that was built and signed."""
    provenance: str = ""


class PostDeployHandoff(Handoff):
    scorecard: str
    """Digest of the scorecard with what was measured while the app ran."""
    pictures: str = ""
    """Digest of the list of pictures; empty when there is none."""


class LearningHandoff(Handoff):
    retrospective: str
    """Digest of the retrospective (Markdown)."""


class PackageHandoff(Handoff):
    out: str
    manifest: str
    """sha256 of manifest.json."""
    verdict: Literal["pass", "fail", "incomplete"]


def exit_code(verdict: str) -> Exit:
    """The command line's exit code of a verdict."""
    return {"pass": Exit.PASS, "incomplete": Exit.INCOMPLETE}.get(verdict, Exit.FAILED)
