"""`--fix`: each tool mends what it can, one after the other, in place; `--commit` makes one commit of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.processes import clean_env, run
from omni.verify import quarantine, repository
from omni.verify.check import Context, Failed
from omni.verify.examine import commands
from omni.verify.git import SAFE

NOT_CLEAN = declare("V063", "The fixes can't be a commit of their own", Exit.USAGE, "Commit your own changes first.")
NO_COMMIT = declare("V064", "The commit can't be made", Exit.FAILED, "See what git says; the files are mended.")

SECONDS = 60.0
MESSAGE = (
    "Mend what can be mended safely\n\nMade by `omni verify --fix --commit`: each change is a tool's own safe fix.\n"
)


def mend(contexts: Iterable[Context]) -> None:
    """What a tool can't mend, or fails at, the verification after it will name."""
    for context in contexts:
        if context.check.fix and context.files:
            for argv in commands(context, context.check.fix):
                try:
                    context.execute(context.check.tool, *argv)
                except Failed:
                    continue


@dataclass(frozen=True)
class Commit:
    id: str
    files: tuple[str, ...]
    diff: str


def require_clean(root: Path) -> None:
    """No tracked file differs from the last commit: what differs afterwards was mended. Raises `V003`, `V063`."""
    staged = _git(root, "diff-index", "--cached", "--name-only", "--no-renames", "-z", "HEAD").split("\0")
    changed = sorted({*_changed(root), *filter(None, staged)})
    if changed:
        raise OmniError(NOT_CLEAN, f"{len(changed)} files have changes: {', '.join(changed[:3])}", where=str(root))


def commit_mended(root: Path) -> Commit | None:
    """One commit of the tracked files that differ and of the quarantine; None when nothing does.

    Content is stored as it is, by git's plumbing and in an index of its own: `git add` and `git commit` would look at
    the work tree through filters that the repository names, and run its hooks and its signing program. Raises `V064`.
    """
    files = [*_changed(root), *([quarantine.FILE] if (root / quarantine.FILE).is_file() else [])]
    parent = repository.commit(root, "HEAD")
    before = repository.blobs(root, parent)
    entries = []
    for path in files:
        blob = _git(root, "hash-object", "-w", "--no-filters", "--", path).strip()
        mode = "100755" if os.access(root / path, os.X_OK) else "100644"
        if before.get(path) != (mode, blob):
            entries.append((path, f"{mode},{blob},{path}"))
    if not entries:
        return None
    with tempfile.TemporaryDirectory(prefix="omni-commit-") as folder:
        index = {"GIT_INDEX_FILE": f"{folder}/index"}
        _git(root, "read-tree", parent, **index)
        for _, entry in entries:
            _git(root, "update-index", "--add", "--cacheinfo", entry, **index)
        tree = _git(root, "write-tree", **index).strip()
    made = _git(root, "commit-tree", tree, "-p", parent, "-m", MESSAGE).strip()
    _git(root, "update-ref", "-m", "omni verify --fix --commit", "HEAD", made, parent)
    _git(root, "read-tree", made)
    diff = _git(root, "show", "--no-ext-diff", "--no-textconv", "--no-color", "--format=", made)
    return Commit(made, tuple(path for path, _ in entries), diff.strip())


def _changed(root: Path) -> list[str]:
    """Tracked files whose bytes are not those of HEAD, gone ones too; links and submodules are no files to mend."""
    commit = repository.commit(root, "HEAD")
    files = [path for path, (mode, _) in repository.blobs(root, commit).items() if mode.startswith("100")]
    return sorted(repository.changed_since(root, commit, files))


def _git(root: Path, *argv: str, **env: str) -> str:
    """With the identity of whoever commits. Raises `V064`."""
    done = run(["git", *SAFE, "-C", str(root), *argv], env=clean_env(**env), timeout=SECONDS)
    if not done.ok:
        raise OmniError(NO_COMMIT, " ".join(done.stderr.split())[-300:] or "git failed", where=str(root))
    return done.stdout
