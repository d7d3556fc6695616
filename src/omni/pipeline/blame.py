"""Who wrote each line: the commit that brought it, and what that commit says of the run, role, model and prompt.

Trailers are what a commit says of itself. That nobody changed them since is for git's hashes to show; that Omni wrote
them, for the signed package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from omni.kernel.errors import Exit, OmniError, declare
from omni.verify import repository

NO_FILE = declare("P040", "There are no lines to tell of", Exit.USAGE, "Name a text file that is committed.")

TRAILER = re.compile(r"^Omni-([A-Z][a-z]+): (.*)$", re.MULTILINE)


class LineOrigin(BaseModel):
    """One line. What its commit does not say is empty; `run` is empty for a line that Omni did not write."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line: int
    text: str
    commit: str
    subject: str
    run: str = ""
    stage: str = ""
    role: str = ""
    model: str = ""
    prompt: str = ""
    knowledge: str = ""


def blame(path: Path) -> tuple[LineOrigin, ...]:
    """The origin of every line of a committed file. Raises `P040`, `V003`."""
    place = path.absolute()
    root = repository.top(place.parent)
    head = repository.commit(root, "HEAD")
    name = place.parent.resolve().relative_to(root.resolve()).joinpath(place.name).as_posix()
    lines = repository.blame(root, head, name)
    if not lines:
        raise OmniError(NO_FILE, f"the last commit has no lines of {name}", where=str(path))
    said = {commit: repository.message(root, commit) for commit in {commit for commit, _ in lines}}
    return tuple(
        LineOrigin(
            line=number,
            text=text,
            commit=commit,
            subject=said[commit].partition("\n")[0],
            **_trailers(said[commit]),
        )
        for number, (commit, text) in enumerate(lines, 1)
    )


def _trailers(message: str) -> Mapping[str, str]:
    """Of the last paragraph, as git reads trailers: a line further up is prose."""
    last = message.rstrip().rpartition("\n\n")[2]
    wanted = ("run", "stage", "role", "model", "prompt", "knowledge")
    return {name.lower(): value.strip() for name, value in TRAILER.findall(last) if name.lower() in wanted}
