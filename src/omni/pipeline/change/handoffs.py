"""What the stages of a change leave for the next ones."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from omni.pipeline.change.checkout import Changed
from omni.pipeline.change.migration import Step
from omni.pipeline.handoffs import Handoff


class ComprehensionHandoff(Handoff):
    base: str
    """Commit that the change starts from: what is checked out in the repository."""
    analysis: str
    """Digest of the eight steps as JSON."""
    document: str
    """Digest of the same as a page."""


class BaselineHandoff(Handoff):
    """How it was before."""

    suite: str
    report: str = ""
    """Digest of verification's report; empty where the tests could not be run."""
    flaky: tuple[str, ...] = ()
    """Tests that failed, and passed when they were run again."""


class RedHandoff(Handoff):
    """A new test, red on the code as it was."""

    commit: str
    suite: str = ""
    """Digest of the run with the new test, on the present code."""
    red: tuple[str, ...] = ()
    """The new tests that fail, each for the right reason."""
    why: dict[str, str] = Field(default_factory=dict)
    """Test → what it said on the present code."""
    files: tuple[str, ...] = ()
    """They may not be touched any more."""
    ended: str = ""
    summary: str = ""
    model: str = "none"
    """Who wrote it, as `provider/model`; several with a comma between."""
    unfinished: str = ""
    """The session that its budget cut off; it goes on once that is raised."""


class EditHandoff(Handoff):
    commit: str
    changed: bool
    """Whether this attempt changed anything."""
    ended: str
    """How the session ended; `done` is the only good end."""
    summary: str
    model: str = "none"
    unfinished: str = ""
    """The session that its budget cut off; it goes on once that is raised."""


class PlanHandoff(Handoff):
    """How a migration goes: its steps in order, and the packages that it brings in."""

    commit: str
    """With the new packages declared."""
    migration: str
    """Its id."""
    steps: tuple[Step, ...]
    adds: tuple[str, ...] = ()


class StepHandoff(Handoff):
    """One step of a migration. `commit` is the last one whose tests pass, with this step if it passed."""

    commit: str
    path: str
    told: str = ""
    """What the whole suite said."""
    tried: str = ""
    """Digest of the diff that was taken back; empty when the step stands."""
    model: str = "none"
    summary: str = ""
    unfinished: str = ""
    """The session that its budget cut off; it goes on once that is raised."""


class ProofHandoff(Handoff):
    """How it is afterwards."""

    commit: str
    """What was looked at."""

    suite: str
    report: str = ""
    """Digest of verification's report; empty where the tests failed already."""
    not_compared: tuple[str, ...] = ()
    """Checks that could not look at everything, before or after, so that nothing is said of what they would find."""
    lost: tuple[str, ...] = ()
    """Those of them that saw everything before, each with why they did not afterwards."""
    green: tuple[str, ...] = ()
    """Tests that failed before the change and pass now."""
    flaky: tuple[str, ...] = ()
    """Tests that failed once and passed when run again on the same code; they don't count."""


class JudgedHandoff(Handoff):
    """What others than its author think of a change that was proved. `reasons` lead back to the author once."""

    commit: str
    record: str
    """Digest of everything that was said, and of what came of it."""
    shown: tuple[str, ...] = ()
    """What of the reasons was really shown to be wrong: with it nothing is handed over."""
    unjudged: str = ""
    """Why nobody but the author says that it is right; empty: somebody else does, or a person accepted it."""
    unheard: str = ""
    """Why no other model said anything of it; empty: one did."""

    @property
    def doubt(self) -> str:
        return f"nobody could judge: {self.unheard}" if self.unheard else ""


class HandOverHandoff(Handoff):
    kind: str
    branch: str = ""
    """In the repository; empty when nothing was handed over."""
    commits: tuple[str, ...] = ()
    folder: str
    """Where patch and report lie."""
    patch: str
    """Digest."""
    files: tuple[Changed, ...] = ()
    before: str = ""
    """`12 passed, 1 failed`"""
    after: str = ""
    not_compared: tuple[str, ...] = ()
    green: tuple[str, ...] = ()
    """New tests that failed before, and pass."""
    models: tuple[str, ...] = ()
    """Who wrote the test and the change, as `provider/model`."""
    review: str = ""
    """Digest of what reviewers said; empty: it did not come so far."""
    verdict: Literal["pass", "fail", "incomplete"]
