"""What is not delivered is named."""

from __future__ import annotations

from typing import Literal

import pytest
from tests.templates.specs import belongs_to, criterion, operation, plain, todo

from omni.spec.model import Integration, Job, Operation, OperationKind, Page, PageKind, Quality, Trigger
from omni.templates.capabilities import prune
from omni.templates.catalog import get


def test_what_a_template_can_do_loses_nothing() -> None:
    assert prune(todo(), get("web-app")) == (todo(), ())


def test_each_thing_that_it_can_not_do_is_named_and_taken_out() -> None:
    scan = Operation(
        id="todo.scan",
        kind=OperationKind.CUSTOM,
        name="scan",
        label="Scan",
        description="Read handwriting",
        entity="Todo",
    )
    spec = todo().model_copy(
        update={
            "entities": (*todo().entities, plain("Note", "notes", relations=(belongs_to("book", "Book", "notes"),))),
            "operations": (scan, operation("Todo", "toggle", "pin", field="pinned"), operation("Ghost", "list")),
            "pages": (
                Page(path="/board", title="Board", kind=PageKind.BOARD, entity="Note"),
                Page(path="/ghosts", title="Ghosts", kind=PageKind.LIST, entity="Ghost"),
            ),
            "jobs": (Job(name="think", label="Think", trigger=Trigger.SCHEDULE, description="", effect="custom"),),
            "integrations": (Integration(name="pay", kind="payment", description=""),),
            "qualities": (Quality(id="Q1", kind="scale", statement="A million a second."),),
            "criteria": (criterion("AC1", "operation:todo.scan"), criterion("AC2", "entity:Todo")),
        }
    )
    pruned, undelivered = prune(spec, get("web-app"))
    assert [gap.ref for gap in undelivered] == [
        "relation:Note.book",
        "operation:todo.scan",
        "operation:todo.pin",
        "operation:ghost.list",
        "page:/board",
        "page:/ghosts",
        "job:think",
        "integration:pay",
        "quality:Q1",
        "AC1",
    ]
    assert all(gap.why for gap in undelivered)
    assert (pruned.operations, pruned.pages, pruned.jobs) == ((), (), ())
    assert [criterion.id for criterion in pruned.criteria] == ["AC2"]
    assert pruned.entity("Note").relations == ()


def test_accounts_are_not_promised_where_there_are_none() -> None:
    pruned, undelivered = prune(todo(), get("cli-tool"))
    assert not pruned.auth
    assert "auth" in {gap.ref for gap in undelivered}


def job(effect: Literal["purge", "mark", "remind", "report"], entity: str = "Todo", **values: str) -> Job:
    given = {"name": effect, "label": effect, "trigger": Trigger.SCHEDULE, "description": "", "effect": effect}
    return Job.model_validate({**given, "entity": entity, **values})


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (job("purge"), ""),
        (job("purge", "Ghost"), "There is no entity Ghost."),
        (job("mark", field="priority", value="high"), ""),
        (job("mark", field="done", value="true"), ""),
        (job("mark", field="priority", value="late"), "Todo has no state late to set."),
        (job("mark"), "Todo has no state (none given) to set."),
        (job("remind", field="due_date"), ""),
        (job("remind", field="title"), "Todo has no date to remind of."),
    ],
)
def test_a_job_needs_something_to_work_on(wanted: Job, why: str) -> None:
    _, undelivered = prune(todo().model_copy(update={"jobs": (wanted,)}), get("web-app"))
    assert "".join(gap.why for gap in undelivered) == why


def test_a_reminder_needs_somebody_to_remind() -> None:
    spec = todo(auth=False).model_copy(update={"jobs": (job("remind", field="due_date"),)})
    _, (gap,) = prune(spec, get("web-app"))
    assert gap.why == "A reminder needs accounts to be shown to."
