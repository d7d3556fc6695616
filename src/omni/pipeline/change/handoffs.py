"""What the stages of a change leave for the next ones."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from omni.pipeline.change.checkout import Changed
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


class EditHandoff(Handoff):
    commit: str
    changed: bool
    """Whether this attempt changed anything."""
    ended: str
    """How the session ended; `done` is the only good end."""
    summary: str


class ProofHandoff(Handoff):
    """How it is afterwards."""

    suite: str
    report: str = ""
    """Digest of verification's report; empty where the tests failed already."""
    not_compared: tuple[str, ...] = ()
    """Checks that could not look at everything, before or after, so that nothing is said of what they would find."""
    green: tuple[str, ...] = ()
    """Tests that failed before the change and pass now."""
    flaky: tuple[str, ...] = ()
    """Tests that failed once and passed when run again on the same code; they don't count."""


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
    verdict: Literal["pass", "fail", "incomplete"]
