"""Facts about modules: asked of the interpreter that has them, and read from the standard library's history."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from omni.kernel.processes import run
from omni.verify.analysis.adoption import pyproject, table
from omni.verify.check import Failed
from omni.verify.report import Status

if TYPE_CHECKING:
    from omni.verify.check import Context

Version = tuple[int, int]
PROGRAM = Path(__file__).with_name("introspect.py")
HISTORY = Path(__file__).parent.parent / "data" / "stdlib-history.tsv"
MOST = 400_000
"""Bytes of questions on one command line."""
WITH_EFFECTS = frozenset(
    {"curses", "antigravity", "idlelib", "this", "turtle", "turtledemo", "__main__", "lib2to3", "test"}
)
"""Modules that do something when they are loaded, or get their names later."""


class Fact(BaseModel):
    """As introspect.py describes it. All empty: nothing can be said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    missing: str = ""
    name: str = ""
    of: str = ""
    near: tuple[str, ...] = ()
    kind: str = ""
    takes: tuple[tuple[str, str], ...] | None = None
    deprecated: str = ""
    qualified: str = ""
    """`module:name` of where it was made."""


class Answers(BaseModel):
    python: Version
    facts: Mapping[str, Fact]


ANSWERS = TypeAdapter(Answers)


@dataclass(frozen=True)
class Event:
    """Something about a name of the standard library: since or until which version it is there, or is deprecated."""

    what: str
    version: Version
    advice: str


def of_standard_library(questions: Iterable[str]) -> Mapping[str, Fact]:
    """Asked of this program's own interpreter; nothing of the target is loaded."""
    asked = [each for each in questions if re.split(r"[.:]", each, maxsplit=1)[0] not in WITH_EFFECTS]
    facts: dict[str, Fact] = {}
    for part in _parts(asked):
        done = run([sys.executable, "-I", str(PROGRAM), *part], timeout=60)
        facts |= _read(done.stdout, done.stderr).facts
    return facts


def of_environment(context: Context, questions: Iterable[str]) -> Mapping[str, Fact]:
    """Asked of the project's environment, in the sandbox. Raises `Failed`."""
    facts: dict[str, Fact] = {}
    for part in _parts(questions):
        done = context.run_in_sandbox(("python", "-I", "-c", PROGRAM.read_text("utf-8"), *part))
        facts |= _read(done.stdout, done.stderr).facts
    return facts


def _parts(questions: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for question in questions:
        part.append(question)
        if sum(map(len, part)) > MOST:
            yield part
            part = []
    if part:
        yield part


def _read(said: str, complained: str) -> Answers:
    try:
        return ANSWERS.validate_python(json.loads(said))
    except (ValueError, ValidationError) as problem:
        last = (complained.strip().splitlines() or ["it said nothing"])[-1]
        raise Failed(f"what is installed could not be asked: {last[:300]}", Status.INCOMPLETE) from problem


@cache
def history() -> Mapping[str, tuple[Event, ...]]:
    """`module:name`, `module:` or `module:name(parameter)` → what happened to it."""
    found: dict[str, list[Event]] = defaultdict(list)
    for line in HISTORY.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            name, what, version, advice = (*line.split("\t"), "", "")[:4]
            major, _, minor = version.partition(".")
            found[name].append(Event(what, (int(major or 0), int(minor or 0)), advice))
    return {name: tuple(events) for name, events in found.items()}


@cache
def mentioned() -> frozenset[tuple[str, str]]:
    """(package, last name) of all that has a history: some is reached through other modules than where it is made."""
    return frozenset((name.split(".")[0].split(":")[0], re.split(r"[.:(]", name.rstrip(")"))[-1]) for name in history())


def is_elsewhere(module: str) -> bool:
    """Whether the module is part of Python on other systems only."""
    return any(event.what == "elsewhere" for event in history().get(f"{module}:", ()))


def oldest_python(context: Context) -> Version | None:
    """The oldest that the project promises to run on, as `requires-python` says; None when it says nothing."""
    given = table(pyproject(context), "project").get("requires-python")
    found = re.search(r"(?:>=|~=|==)\s*(\d+)\.(\d+)", given) if isinstance(given, str) else None
    return (int(found[1]), int(found[2])) if found else None


def python_of(environment: Path | None) -> Version | None:
    """The Python of a virtual environment."""
    found = (
        [re.search(r"python3\.(\d+)$", each.name) for each in environment.glob("lib/python3.*")] if environment else []
    )
    return max(((3, int(each[1])) for each in found if each), default=None)
