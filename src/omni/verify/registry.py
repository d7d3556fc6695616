"""Which checks there are: the files of `checks/`, and what other packages bring as entry points `omni.checks`.

To add one: write `checks/<name>.py` with a `CHECK` (or `CHECKS`), or `checks/<name>.toml` for a tool that speaks SARIF.
"""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from pydantic import ValidationError

from omni.kernel.errors import Exit, OmniError, declare
from omni.verify.check import Check
from omni.verify.declarations import Declared, declared_in, remembered

BAD_CHECK = declare("V001", "A check can't be loaded", Exit.USAGE, "Correct its declaration, or remove it.")
UNKNOWN_CHECK = declare("V002", "There is no such check", Exit.USAGE, "Type: omni checks")

FOLDER = Path(__file__).with_name("checks")


@cache
def checks(kept: Path | None = None) -> tuple[Check, ...]:
    """All checks, by tier and id. Raises `V001` for a bad declaration or an id that is taken.

    `kept` is a folder in which the declarations of the built-in checks are remembered: with them at hand, the module of
    a check is loaded only when the check runs.
    """
    found: dict[str, Check] = {}
    for check in (*(remembered(kept / "checks.json", _declared) if kept else built_in()), *plugged_in()):
        if check.id in found:
            raise OmniError(BAD_CHECK, "its id is taken", where=check.id)
        found[check.id] = check
    return tuple(sorted(found.values(), key=lambda check: (check.tier, check.id)))


def get(check_id: str) -> Check:
    """Raises `V002`."""
    for check in checks():
        if check.id == check_id:
            return check
    raise unknown(check_id, (check.id for check in checks()))


def unknown(name: str, known: Iterable[str]) -> OmniError:
    """`V002`, with the ids that are spelt most like it."""
    near = get_close_matches(name, known)
    return OmniError(
        UNKNOWN_CHECK, f"“{name}”", fix=f"Did you mean {' or '.join(near)}? All: omni checks" if near else ""
    )


def built_in(folder: Path = FOLDER) -> Iterator[Check]:
    """The checks of a folder of the package."""
    return (check for _, check in _declared(folder))


def _declared(folder: Path = FOLDER) -> Iterator[Declared]:
    for path in sorted(folder.glob("[!_]*.py")):
        module = importlib.import_module(f"omni.verify.checks.{path.stem}")
        yield from ((module.__name__, check) for check in _of(module, path.name))
    for path in sorted(folder.glob("*.toml")):
        yield "", from_toml(path)


def plugged_in() -> Iterator[Check]:
    """The checks of other packages. Raises `V001`."""
    for entry in entry_points(group="omni.checks"):
        try:
            source = entry.load()
        except (ImportError, AttributeError) as problem:
            raise OmniError(BAD_CHECK, str(problem), where=entry.value) from problem
        yield from _of(source, entry.value)


def from_toml(path: Path) -> Check:
    """A check that is only data: a tool that speaks SARIF. Raises `V001`."""
    try:
        return Check.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as problem:
        raise OmniError(BAD_CHECK, str(problem), where=str(path)) from problem


def _of(source: object, name: str) -> Iterator[Check]:
    """The checks of a module, or a check itself."""
    for check in declared_in(source):
        if not isinstance(check, Check):
            raise OmniError(BAD_CHECK, "it has neither CHECK nor CHECKS", where=name)
        yield check
