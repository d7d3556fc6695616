"""What engines have achieved here: each result is an event, and the figures by which one is chosen for a task."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError
from sqlalchemy import Engine, select

from omni.agents.engines.contract import EngineResult
from omni.kernel import events
from omni.kernel.tables import events as table
from omni.models.wire import Model

KIND = "engine.result"
FEWEST = 3
"""Results of a kind of task before they count."""


class Result(Model):
    """One piece of work, once somebody else than the engine has judged it."""

    engine: str
    version: str
    kind: str
    """Of the task, as `bugfix`."""
    passed: bool
    """The project's own tests and checks say so."""
    ended: str
    tokens: int
    seconds: float


class Figures(Model):
    """An engine at a kind of task."""

    engine: str
    kind: str
    runs: int
    passed: int
    tokens: int
    """The mean of a run."""
    seconds: float

    @property
    def rate(self) -> float:
        """Of success, with one success and one failure added, so that a single lucky run proves little (Laplace)."""
        return (self.passed + 1) / (self.runs + 2)


def keep(database: Engine, run: str, kind: str, result: EngineResult, passed: bool) -> None:
    """Keep how a run of an engine went."""
    row = Result(
        engine=result.engine,
        version=result.version,
        kind=kind,
        passed=passed and result.ok,
        ended=result.ended,
        tokens=result.usage.total,
        seconds=round(result.seconds, 3),
    )
    events.append(database, run, KIND, row.model_dump(mode="json"))


def figures(database: Engine) -> list[Figures]:
    """Of all results, by kind and engine."""
    query = select(table.c.data).where(table.c.kind == KIND).order_by(table.c.id)
    with database.connect() as connection:
        rows = [row for (data,) in connection.execute(query) if (row := _read(data))]
    groups: dict[tuple[str, str], list[Result]] = {}
    for row in rows:
        groups.setdefault((row.kind, row.engine), []).append(row)
    return [_summed(group) for _, group in sorted(groups.items())]


def choose(found: Iterable[Figures], kind: str, here: Iterable[str], otherwise: str) -> str:
    """The engine, of those that are here, that did this kind of task best: by success, then by tokens.

    `otherwise` when none has done it often enough, or none does it better than that one.
    """
    able = set(here)
    known = [each for each in found if each.kind == kind and each.engine in able and each.runs >= FEWEST]
    best = max(known, key=lambda each: (each.rate, each.engine == otherwise, -each.tokens, each.engine), default=None)
    return best.engine if best else otherwise


def _summed(group: list[Result]) -> Figures:
    return Figures(
        engine=group[0].engine,
        kind=group[0].kind,
        runs=len(group),
        passed=sum(each.passed for each in group),
        tokens=round(sum(each.tokens for each in group) / len(group)),
        seconds=round(sum(each.seconds for each in group) / len(group), 1),
    )


def _read(data: object) -> Result | None:
    """None for what an older Omni wrote."""
    try:
        return Result.model_validate(data)
    except ValidationError:
        return None
