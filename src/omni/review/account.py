"""The account of the request: what became of each phrase, and which tests show it.

A phrase is *delivered* only when the template delivers every item it maps to and every acceptance criterion of these
items was shown by a test that ran and passed. Everything else is said by name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from omni.spec.asked import Part, PartStatus
from omni.spec.model import Criterion, Specification

Outcome = Literal["delivered", "assumed", "not-delivered", "waived", "narrative"]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(Model):
    part: str
    text: str
    outcome: Outcome
    items: tuple[str, ...]
    criteria: tuple[str, ...]
    tests: tuple[str, ...]
    why: str = ""


class Account(Model):
    rows: tuple[Row, ...]

    @property
    def not_delivered(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.outcome == "not-delivered")


def settle(
    spec: Specification,
    undelivered: Mapping[str, str],
    trace: Mapping[str, tuple[str, ...]],
    shown: Mapping[str, bool],
    waived: Collection[str] = (),
) -> Account:
    """One row a phrase of the request.

    `undelivered`: spec item → why; `trace`: criterion → test files; `shown`: criterion → whether its tests passed
    (absent: none ran). `waived`: part ids, or words of the phrases, that a person gave up by name.
    """
    return Account(rows=tuple(_row(part, spec, undelivered, trace, shown, waived) for part in spec.parts))


def _row(
    part: Part,
    spec: Specification,
    undelivered: Mapping[str, str],
    trace: Mapping[str, tuple[str, ...]],
    shown: Mapping[str, bool],
    waived: Collection[str],
) -> Row:
    criteria = tuple(criterion.id for criterion in spec.criteria if _concerns(criterion, part))
    if not criteria and any(item.startswith("template:") for item in part.items):
        criteria = tuple(criterion.id for criterion in spec.criteria)  # "a worker that …": the program as a whole
    outcome, why = _outcome(part, criteria, undelivered, shown)
    if outcome == "not-delivered" and any(_names(waiver, part, spec) for waiver in waived):
        outcome = "waived"
    tests = tuple(sorted({test for criterion in criteria for test in trace.get(criterion, ())}))
    return Row(part=part.id, text=part.text, outcome=outcome, items=part.items, criteria=criteria, tests=tests, why=why)


def _concerns(criterion: Criterion, part: Part) -> bool:
    """Whether the criterion comes from the phrase, or verifies one of its items or a part of one (`auth:log-in`).

    What is inside an entity (`field:Todo.title`) is shown by what shows the entity.
    """
    return part.id in criterion.sources or any(
        ref in {item, _entity(item)} or ref.startswith(f"{item}:") for ref in criterion.verifies for item in part.items
    )


def _entity(item: str) -> str:
    kind, _, name = item.partition(":")
    return f"entity:{name.partition('.')[0]}" if kind in {"field", "relation", "computed"} else item


def _outcome(
    part: Part, criteria: tuple[str, ...], undelivered: Mapping[str, str], shown: Mapping[str, bool]
) -> tuple[Outcome, str]:
    if part.status is PartStatus.NARRATIVE:
        return "narrative", part.note
    if part.status is PartStatus.NOT_DELIVERED:
        return "not-delivered", part.note
    for item in (*part.items, *criteria):
        if item in undelivered:
            return "not-delivered", undelivered[item]
    for criterion in criteria:
        if not shown.get(criterion, False):
            return "not-delivered", f"criterion {criterion}: " + (
                "its test failed" if criterion in shown else "no test that ran shows it"
            )
    if not criteria:
        return "not-delivered", "no acceptance criterion covers it, so nothing shows it"
    return ("assumed" if part.status is PartStatus.QUESTION else "delivered"), part.note


def _names(waiver: str, part: Part, spec: Specification) -> bool:
    """A waiver names a part by its id, or by words that stand in this part and in no other: it gives up one thing."""
    words = _folded(waiver)
    holding = [other.id for other in spec.parts if words and f" {words} " in f" {_folded(other.text)} "]
    return words == part.id.casefold() or holding == [part.id]


def _folded(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
