"""What engines have achieved here: each result is an event, and by them an engine is chosen for a task.

The rule: of the engines that are here and have `FEWEST` results of this kind of task, with the model that was named,
the one of which most is proved. What is proved is the lower end of the 95 % interval of its share of passed tasks. It
has to be more than one half; otherwise Omni's own engine does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt

from pydantic import ValidationError
from sqlalchemy import Engine, select

from omni.kernel import events
from omni.kernel.database import writing
from omni.kernel.tables import events as table
from omni.models.wire import Model

KIND = "engine.result"
FEWEST = 5
"""Results of a kind of task before they count."""
PROVED = 0.5
"""The share of passed tasks that has to be proved."""
Z = 1.959964
"""Of the normal distribution, for 95 %."""


class Result(Model):
    """One piece of work, once somebody else than the engine has judged it."""

    engine: str
    version: str
    kind: str
    """Of the task, as `bugfix`."""
    model: str = ""
    """As `provider/model`, several with commas; empty: it is not known."""
    passed: bool
    """The project's own tests and checks say so."""
    ended: str
    tokens: int
    seconds: float


class Figures(Model):
    """An engine at a kind of task with a model."""

    engine: str
    kind: str
    model: str
    runs: int
    passed: int
    tokens: int
    """The mean of a run."""
    seconds: float

    @property
    def proved(self) -> float:
        """The lower end of the 95 % interval of the share that passed, 0 to 1 (Wilson 1927)."""
        share, per = self.passed / self.runs, Z * Z / self.runs
        middle, half = share + per / 2, Z * sqrt(share * (1 - share) / self.runs + per / (4 * self.runs))
        return max(0.0, (middle - half) / (1 + per))


class Choice(Model):
    engine: str
    why: str


def keep(database: Engine, run: str, result: Result) -> None:
    """Keep how a piece of work went: one result of each run, and any number without one (`run` is empty)."""
    with writing(database) as connection:
        known = select(table.c.id).where(table.c.run_id == run, table.c.kind == KIND)
        if not run or connection.execute(known).first() is None:
            events.record(connection, run, KIND, result.model_dump(mode="json"))


def figures(database: Engine) -> list[Figures]:
    """Of all results, by kind, engine and model."""
    query = select(table.c.data).where(table.c.kind == KIND).order_by(table.c.id)
    with database.connect() as connection:
        rows = [row for (data,) in connection.execute(query) if (row := _read(data))]
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for row in rows:
        groups.setdefault((row.kind, row.engine, row.model), []).append(row)
    return [_summed(group) for _, group in sorted(groups.items())]


def choose(found: Iterable[Figures], kind: str, model: str, here: Sequence[str], otherwise: str) -> Choice:
    """The engine for a task, by the rule above; `otherwise` too where it is as good as the best. `model` may be `auto`.

    With `auto` the results of all models count together.
    """
    rows = [row for row in found if row.kind == kind and row.engine in here and _of_model(row, model)]
    known = [_together([row for row in rows if row.engine == name]) for name in dict.fromkeys(r.engine for r in rows)]
    told = "; ".join(f"{each.engine} passed {each.passed} of {each.runs}, {each.proved:.0%} proved" for each in known)
    by = f"{kind}, {'any model' if model in ('', 'auto') else model}: {told or 'no results yet'}"
    able = [each for each in known if each.runs >= FEWEST and each.proved > PROVED]
    if not able:
        return Choice(engine=otherwise, why=f"{by}; nobody has {FEWEST} results and more than {PROVED:.0%} proved")
    best = max(able, key=lambda each: (each.proved, each.engine == otherwise, -each.tokens, each.engine))
    return Choice(engine=best.engine, why=by)


def _of_model(row: Figures, wanted: str) -> bool:
    """Whether a row tells of the model that was named: by its endpoint, its own name, or both."""
    return wanted in ("", "auto", row.model, *row.model.split("/", 1))


def _together(rows: list[Figures]) -> Figures:
    """One engine with several models."""
    runs = sum(row.runs for row in rows)
    passed, tokens = sum(row.passed for row in rows), sum(row.tokens * row.runs for row in rows) // runs
    return rows[0].model_copy(update={"model": "", "runs": runs, "passed": passed, "tokens": tokens})


def _summed(group: list[Result]) -> Figures:
    return Figures(
        engine=group[0].engine,
        kind=group[0].kind,
        model=group[0].model,
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
