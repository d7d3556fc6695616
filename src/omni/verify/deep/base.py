"""The state of the project that a change is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from omni.kernel.errors import OmniError
from omni.verify import repository
from omni.verify.check import Context, Failed, Gap
from omni.verify.files import matches
from omni.verify.report import Status


@dataclass(frozen=True)
class Base:
    root: Path
    commit: str
    excluded: tuple[str, ...] = ()
    """Globs of what the project leaves out of its verification."""

    @property
    def name(self) -> str:
        return self.commit[:12]

    def texts(self, paths: Iterable[str]) -> dict[str, str]:
        """The content then, of those that were UTF-8 text then."""
        found = {}
        for path, data in repository.read(self.root, self.commit, paths).items():
            try:
                found[path] = data.decode("utf-8-sig")
            except UnicodeDecodeError:
                continue  # nothing that could be compared as text
        return found

    def paths(self) -> tuple[str, ...]:
        return tuple(path for path in repository.blobs(self.root, self.commit) if not matches(path, self.excluded))

    def export(self, into: Path) -> None:
        """All files then. Raises OmniError when git can't read them."""
        repository.export(self.root, self.commit, into)


def find_base(context: Context, concerns: Callable[[str], bool]) -> Base | Gap:
    """What was named with `--base`; else HEAD, or its first parent where no file that it `concerns` differs from HEAD.

    A `Gap` says why there is none: harmless where there is no history, not where it was left out of the clone.
    """
    root, excluded = context.root, tuple(each.path for each in context.project.exclude)
    try:
        if not repository.is_repository(root):
            return Gap("this is no git repository, so there is nothing to compare with", Status.SKIPPED)
        head = repository.commit(root, context.base or "HEAD")
        if context.base or _differs(context, head, concerns):
            return Base(root, head, excluded)
        if repository.has_unfetched_parent(root, head):
            return Gap("the commit before HEAD is not in this shallow clone. Type: git fetch --deepen 1")
        return Base(root, repository.commit(root, f"{head}^1"), excluded)
    except OmniError as problem:
        if context.base:
            raise Failed(f"{problem.why}", Status.INCOMPLETE) from problem
        return Gap("there is no earlier commit to compare with", Status.SKIPPED)


def _differs(context: Context, commit: str, concerns: Callable[[str], bool]) -> bool:
    present = {file.path for file in context.inventory.files if concerns(file.path)}
    excluded = tuple(each.path for each in context.project.exclude)
    then = {path for path in repository.blobs(context.root, commit) if concerns(path) and not matches(path, excluded)}
    gone = then - present
    return bool(gone) or bool(repository.changed_since(context.root, commit, present))
