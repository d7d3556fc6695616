"""What no template knows becomes a task with a criterion; what a template knows stays as it was."""

from __future__ import annotations

from omni.spec.account import refs
from omni.spec.adopt import adopt
from omni.spec.asked import PartStatus
from omni.spec.compiler import compile_request
from omni.spec.completeness import assess
from omni.spec.model import OperationKind, Specification
from omni.spec.request import parse_request


def compiled(text: str) -> Specification:
    return compile_request(parse_request(text), {}, None)


def test_a_part_that_nobody_understood_is_an_operation_with_a_criterion() -> None:
    before = compiled("a command line tool that solves sudoku puzzles from a file")
    after = adopt(before)
    assert [part.status for part in before.parts] == [PartStatus.MAPPED, PartStatus.NOT_DELIVERED]
    assert [(part.status, part.items) for part in after.parts] == [
        (PartStatus.MAPPED, ("template:cli-tool",)),
        (PartStatus.MAPPED, ("operation:request.p2",)),
    ]
    (operation,) = after.operations
    assert (operation.kind, operation.sources) == (OperationKind.CUSTOM, ("P2",))
    (criterion,) = after.criteria
    assert (criterion.id, criterion.verifies) == ("AC1", ("operation:request.p2",))
    assert after.summary == "A command line tool that solves sudoku puzzles from a file."
    assert (assess(before).passed, assess(after).passed) == (False, True)


def test_what_a_template_knows_stays_and_numbers_go_on() -> None:
    before = compiled("a todo app where users can teleport their todos")
    after = adopt(before)
    assert after.criteria[: len(before.criteria)] == before.criteria
    assert after.criteria[-1].id == f"AC{len(before.criteria) + 1}"
    assert after.operations[: len(before.operations)] == before.operations
    assert (after.summary, after.entities, after.pages) == (before.summary, before.entities, before.pages)
    assert all(item in refs(after) for part in after.parts for item in part.items)


def test_a_request_that_is_understood_is_left_alone() -> None:
    spec = compiled("a todo app with user auth")
    assert adopt(spec) == spec


def test_the_summary_holds_nothing_that_a_file_could_take_for_its_own() -> None:
    summary = adopt(compiled('a command line tool that "folds" {% raw %} \\ `paper` $HOME')).summary
    assert not set(summary) & set('"{}%\\`$')
