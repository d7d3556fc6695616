"""A question put to `omni verify`, and how what its answer may depend on stood just then.

Beside the project's files, which `last_answer` lists itself, that is what is installed, the configuration, and what git
says of commits and branches. A check that depends on more than that says so, by `fresh_for` or by a volatile metric.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from omni.kernel.settings import FILE_NAME, Settings
from omni.verify import config, last_answer, machine, quarantine, repository, toollock
from omni.verify.cache import INSTALLED
from omni.verify.config import load_config
from omni.verify.engine import folder_of
from omni.verify.environment import find_environment
from omni.verify.report import Report

MOST = 5000
"""Paths to watch outside of the project's files. With more, as with very many branches, nothing is remembered."""
VULNERABILITIES = "cache/checks/vulnerabilities/osv.sqlite"
"""The snapshot; to ask its check for the place takes longer than all else here."""


@dataclass(frozen=True)
class Asked:
    arguments: tuple[str, ...]
    root: Path
    watched: tuple[str, ...]
    state: str
    """Empty: the answer is not to be remembered."""

    def answered(self, report: Report, code: int, render: Callable[[Report], str]) -> None:
        """Remember what the next run would print, for as long as it holds."""
        if self.state and report.holds_until:
            said, root = render(warm(report)).encode(), str(self.root)
            last_answer.keep(self.arguments, root, self.watched, self.state, report.holds_until, code, said)


def put(arguments: Sequence[str], target: Path, environment: Path | None, settings: Settings) -> Asked:
    """To be called before anything is looked at. Raises `V006` and for an omni.toml that can't be used."""
    root = folder_of(target)
    watched = tuple(dict.fromkeys(map(str, _watched(root, environment, settings))))
    tellable = len(watched) <= MOST and (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return Asked(tuple(arguments), root, watched, last_answer.state(str(root), watched) if tellable else "")


def warm(report: Report) -> Report:
    """The report as the next run would give it: nothing had to be looked at again."""
    results = (
        result.model_copy(update={"cached": True, "seconds": 0.0}) if result.seconds else result
        for result in report.results
    )
    return report.model_copy(update={"results": tuple(results), "seconds": 0.0})


def _watched(root: Path, environment: Path | None, settings: Settings) -> Iterator[Path]:
    yield from (Path.cwd() / FILE_NAME, settings.home / FILE_NAME)
    yield from (root / name for name in (config.FILE, toollock.FILE, quarantine.FILE))
    yield from (root / "node_modules" / name for name in INSTALLED)
    yield from repository.state_files(root)
    yield from _folder(settings.home / "envs")
    yield settings.home / VULNERABILITIES
    yield from (folder.resolve() for folder in machine.folders())
    yield from (path.resolve() for path in map(machine.find, machine.programs()) if path)
    if found := find_environment(root, environment, load_config(root)):
        python = found / "bin" / "python"
        yield from (found / "pyvenv.cfg", python, python.resolve())
        yield from found.glob("lib/python*/site-packages")


def _folder(folder: Path) -> Iterable[Path]:
    return (folder, *sorted(folder.iterdir())) if folder.is_dir() else (folder,)
