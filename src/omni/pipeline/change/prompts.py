"""What a tester and a developer are told of a change: a text for each kind (`prompts.toml`), then what varies.

Whatever comes from the repository or from its tests is quoted as data.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from omni.code.analysis import Analysis
from omni.models.typed import quoted
from omni.pipeline.change.kinds import Kind
from omni.pipeline.change.migration import Step

MOST = 20
"""Reasons against an attempt that are told at once."""


class Prompts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    rules: str
    test_first: dict[Kind, str]
    edit: dict[Kind, str]
    step: str
    adapt: str


@cache
def texts() -> Prompts:
    data = tomllib.loads(files("omni.pipeline").joinpath("change", "prompts.toml").read_text("utf-8"))
    return Prompts.model_validate(data)


def test_first(kind: Kind, request: str, run: str, wrong: Iterable[str]) -> str:
    """The tester's instructions. `run`: how tests are run; `wrong`: what was wrong with the attempt before."""
    return _told(request, texts().test_first[kind], "", run, wrong)


def edit(kind: Kind, request: str, red: Iterable[str], run: str, wrong: Iterable[str]) -> str:
    """The developer's instructions. `red`: the new tests, each with what it said."""
    listed = "\n".join(f"- {each}" for each in red)
    tests = quoted("the new tests, and what they say now", listed) if listed else ""
    return _told(request, texts().edit[kind], tests, run, wrong)


def step(request: str, step: Step, run: str, wrong: Iterable[str]) -> str:
    """The developer's instructions for one step of a migration."""
    task = texts().step.replace("{path}", step.path)
    return _told(request, f"{task.strip()}\n{step.task.strip()}", "", run, wrong)


def _told(request: str, task: str, more: str, run: str, wrong: Iterable[str]) -> str:
    failed = "\n".join(f"- {each}" for each in list(wrong)[:MOST])
    against = quoted("what is against it", failed)
    before = f"Your last attempt was not accepted; its work is still there.\n{against}" if failed else ""
    parts = (f"The request: {request}", task.strip(), more, f"Tests are run so: {run}", texts().rules.strip(), before)
    return "\n\n".join(filter(None, parts))


def overview(analysis: Analysis) -> str:
    """The codebase on one page: what a newcomer would want before the first look."""
    entries = [f"{each.kind} {each.what} ({each.path}:{each.line})" for each in analysis.entry_points[:15]]
    code = [f"{file.path} ({file.lines}): {file.purpose}" for file in analysis.files if file.language][:150]
    tests = [f"{each.path}: {each.tests} tests" for each in analysis.tests[:40]]
    parts = (("Files", code), ("Entry points", entries), ("Tests", tests))
    said = "\n\n".join(f"{title}:\n" + "\n".join(lines) for title, lines in parts if lines)
    return quoted("the codebase, as it was read", said)
