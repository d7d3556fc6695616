"""Verification that stays: what was read, parsed and set up is kept, and a saved change is verified at once.

The file system says that something changed (inotify and its like), a look at all files' times says what: so an event
that is lost costs seconds, never a wrong answer, and one that means nothing (an editor's swap file) costs no round.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.verify import repository
from omni.verify.cache import Cache
from omni.verify.config import load_config
from omni.verify.engine import folder_of, once
from omni.verify.files import Inventory, Known
from omni.verify.plan import Options, choose
from omni.verify.registry import checks
from omni.verify.report import Report
from omni.verify.session import Session, Tell

LOOK_AGAIN = 2.0
"""Seconds after which all files' times are looked at though no event came; longer where that takes longer."""
GIT_WORKS = 10.0
"""Seconds for which a running git command (its lock on the index) is waited for."""


@dataclass(frozen=True)
class Round:
    """One verification."""

    number: int
    changed: tuple[str, ...]
    """Paths that are new, gone or other than in the round before; all of them in the first."""
    report: Report | None
    """None: it could not be verified, and `problem` says why."""
    problem: OmniError | None = None


@dataclass(frozen=True)
class _State:
    """All that an answer depends on here."""

    inventory: Inventory | None
    base: str

    def since(self, before: _State | None) -> tuple[str, ...]:
        """Paths that differ."""
        now = self.inventory.by_path if self.inventory else {}
        then = before.inventory.by_path if before and before.inventory else {}
        return tuple(sorted(path for path in now.keys() | then.keys() if now.get(path) != then.get(path)))


def watch(target: Path, options: Options, settings: Settings, tell: Tell) -> Iterator[Round]:
    """Verify `target`, and again after each change, until nobody asks for the next round.

    Raises OmniError only in the first round; later a folder that is gone or a configuration that is broken is a round
    without a report.
    """
    folder_of(target)
    known, events = Known(), Events()
    before: _State | None = None
    numbers = count(1)
    with (
        tempfile.TemporaryDirectory(prefix="omni-watch-", ignore_cleanup_errors=True) as scratch,
        Cache(settings.home / "cache" / "verify.sqlite") as cache,
    ):
        session = Session(options, settings, load_config(target), cache, Path(scratch), tell, known.examine)
        while True:
            _let_git_finish(target)
            started = time.monotonic()
            state = _look(session, target)
            if events.cover(target, state.inventory):
                state = _look(session, target)  # what changed before the new folders were watched
            took = time.monotonic() - started
            if before is None or state != before:
                yield _round(next(numbers), session, target, state, before)
                cache.facts.flush()
                before = state
            events.wait(max(LOOK_AGAIN, 20 * took))


def _look(session: Session, target: Path) -> _State:
    options = session.options
    try:
        root = folder_of(target)
        session.project = options.config or load_config(root)
        asked = options.changed or options.baseline
        return _State(session.inventory(root), repository.commit(root, options.base or "HEAD") if asked else "")
    except OmniError as problem:
        return _State(None, f"{problem.kind.code} {problem.why}")


def _round(number: int, session: Session, target: Path, state: _State, before: _State | None) -> Round:
    """Raises OmniError when it is the first."""
    changed = state.since(before)
    try:
        root = folder_of(target)
        session.project = session.options.config or load_config(root)
        wanted = choose(checks(session.settings.home / "cache"), session.options, session.project)
        session.resources.used.clear()
        return Round(number, changed, once(session, target, root, wanted, state.inventory))
    except OmniError as problem:
        if before is None:
            raise
        return Round(number, changed, None, problem)


def _let_git_finish(root: Path) -> None:
    """A checkout changes thousands of files one after the other, and holds this lock while it does."""
    until = time.monotonic() + GIT_WORKS
    while (root / ".git" / "index.lock").exists() and time.monotonic() < until:
        time.sleep(0.02)


class Events:
    """Waits for the file system to say that something happened in one of the folders it covers."""

    def __init__(self) -> None:
        self._folders: frozenset[Path] = frozenset()
        self._source: Iterator[object] | None = None
        """None: there are no events here (too many folders, or a system without them), and waiting is all there is."""

    def cover(self, root: Path, inventory: Inventory | None) -> bool:
        """Watch the folders of these files, not what a package manager put there; says whether they are new."""
        paths = inventory.files if inventory else ()
        names = {root / file.path.rpartition("/")[0] for file in paths} | {root, root / ".git"}
        folders = frozenset(path for path in names if path.is_dir())
        if folders == self._folders:
            return False
        self._folders = folders
        self._source = _events(folders) if folders else None
        return True

    def wait(self, seconds: float) -> None:
        """Until something happens, or for so long."""
        until = time.monotonic() + seconds
        while self._source is not None and time.monotonic() < until:
            try:
                if next(self._source):
                    return
            except (OSError, RuntimeError, StopIteration):  # a watched folder is gone, or the system's limit is reached
                self._source, self._folders = None, frozenset()
        time.sleep(max(0.0, min(until - time.monotonic(), LOOK_AGAIN / 4)) if self._source is None else 0.0)


def _events(folders: frozenset[Path]) -> Iterator[object] | None:
    """Sets of changes, an empty one now and then, from now on; None where there are none to be had."""
    from watchfiles import watch as changes  # loaded only where somebody watches

    source = changes(
        *folders,
        watch_filter=None,
        recursive=False,
        step=20,  # milliseconds of quiet after which a change is told; a long series is told after `debounce`
        debounce=500,
        rust_timeout=50,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    try:
        next(source)  # only now it watches
    except (OSError, RuntimeError, StopIteration):
        return None
    return source
