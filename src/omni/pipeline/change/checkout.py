"""Omni's own clone of a repository: what it changes, as commits, a patch, and at the end a branch.

The repository itself is never run: its objects are read where they lie (`objects/info/alternates`), its configuration,
hooks and filters are not looked at, and files are written byte for byte. All it gets is new objects and one branch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from omni.pipeline.workspace import Workspace
from omni.verify import repository

EXACT = "* -text -eol -filter -ident -working-tree-encoding !diff\n"
"""In `info/attributes`, which wins over any `.gitattributes`: no byte is changed on the way in or out."""


LONGEST = 8
"""Words of a request that name its branch."""


class Changed(BaseModel):
    """One file that differs between two commits. Lines; 0 for what is not text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    added: int
    removed: int


def clone(source: Path, base: str, workspace: Workspace) -> None:
    """Make the workspace a repository whose branch is at `base`, a commit of `source`, and write its files."""
    workspace.create()
    own = workspace.path / ".git"
    if len(base) == 64:
        workspace.git("init", "-q", "-b", "main", "--object-format=sha256")
    (own / "info").mkdir(exist_ok=True)
    (own / "info" / "attributes").write_text(EXACT)
    objects = repository.objects(source)
    (own / "objects" / "info" / "alternates").write_text(f"{objects}\n")
    shallow = objects.parent / "shallow"
    if shallow.is_file():
        (own / "shallow").write_bytes(shallow.read_bytes())
    workspace.git("update-ref", "refs/heads/main", base)
    workspace.restore(base)


def changed(workspace: Workspace, base: str, tip: str) -> tuple[Changed, ...]:
    """Every file that differs, by path."""
    said = workspace.git("diff", "--numstat", "--no-renames", "-z", base, tip)
    found = []
    for entry in filter(None, said.split("\0")):
        added, removed, path = entry.split("\t", 2)
        found.append(Changed(path=path, added=_number(added), removed=_number(removed)))
    return tuple(found)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def patch(workspace: Workspace, base: str, tip: str) -> str:
    """The commits as mails, for `git am`."""
    return workspace.git("format-patch", "--stdout", "--no-signature", "--no-renames", f"{base}..{tip}")


def diff(workspace: Workspace, base: str, tip: str) -> str:
    """What differs, as `git apply` takes it."""
    return workspace.git("diff", "--binary", "--no-renames", base, tip)


def hand_over(workspace: Workspace, source: Path, base: str, tip: str, name: str) -> str:
    """Leave the commits on a new branch of `source`; returns its name, which has a number if the name is taken.

    Its work tree, its index and the branch that is checked out stay as they are. Done twice, it is done once.
    """
    pack = workspace.path / ".git" / "omni-change"
    revisions = f"{tip}\n^{base}\n".encode()
    digest = workspace.git("pack-objects", "-q", "--revs", str(pack), stdin=revisions).strip()
    branch = _free(source, name, tip)
    repository.receive(source, Path(f"{pack}-{digest}.pack").read_bytes(), branch, tip)
    return branch


def _free(source: Path, name: str, tip: str) -> str:
    taken = repository.branches(source)
    stem = name if "omni" not in taken else name.replace("/", "-")  # a branch `omni` leaves no room for `omni/…`
    names = [stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3))]
    return next(each for each in names if each not in taken or repository.commit(source, f"refs/heads/{each}") == tip)


def branch_name(request: str) -> str:
    """`fix the failing login` → `omni/fix-the-failing-login`."""
    slug = "-".join(re.findall(r"[a-z0-9]+", request.lower())[:LONGEST])
    return f"omni/{slug[:60] or 'change'}"


def write_back(files: Mapping[str, bytes], root: Path) -> None:
    """Put files into a folder as they were."""
    for path, data in files.items():
        (root / path).write_bytes(data)
