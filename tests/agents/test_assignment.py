"""Which specialists a build calls, by its specification and its budget, as the roles declare it."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from pydantic import ValidationError

from omni.agents.assignment import SIZES, affords, assigned, traits
from omni.agents.roles import Role, load_role, roles
from omni.spec.adopt import adopt
from omni.spec.compiler import compile_request
from omni.spec.model import Specification
from omni.spec.request import parse_request

STAGES = ("specification", "implementation", "review")
REQUESTS = {
    "cli-tool": "a command line tool that solves sudoku puzzles from a file",
    "react-app": "a react app for recipes with photos and a shopping list that reads your mind",
    "rest-api": "a REST API for invoices with customers that guesses when they are paid",
    "web-app": "a blog with comments and payments",
    "worker": "a worker that purges old log entries every night and folds paper cranes",
}


@cache
def specified(request: str) -> Specification:
    return adopt(compile_request(parse_request(request)))


def called(request: str, tokens: int | None) -> list[str]:
    """Before code; while it is written; in review."""
    return [" ".join(role.id for role in assigned(stage, specified(request), tokens)) for stage in STAGES]


def test_who_is_called_for_five_kinds_of_project() -> None:
    table = {
        specified(request).template: {name: called(request, tokens) for name, tokens in SIZES.items()}
        for request in REQUESTS.values()
    }
    assert table.keys() == REQUESTS.keys()
    assert table == snapshot(
        {
            "cli-tool": {
                "simple": ["", "", "P1.3"],
                "medium": ["P0.1 P1.1", "P1.2", "P1.3 P4.1 P4.2"],
                "complex": ["P0.1 P1.1", "P1.2 P3.1 P3.2 P3.3 P6.5", "P1.3 P2.4 P4.1 P4.2 P4.3 P4.4"],
                "unlimited": ["P0.1 P1.1", "P1.2 P3.1 P3.2 P3.3 P6.1 P6.5", "P1.3 P2.4 P4.1 P4.2 P4.3 P4.4"],
            },
            "react-app": {
                "simple": ["", "", "P1.3"],
                "medium": ["P0.1 P0.4 P1.1", "P1.2", "P1.3 P2.1 P2.2 P2.3 P4.1 P4.2"],
                "complex": [
                    "P0.1 P0.3 P0.2 P0.4 P1.1",
                    "P1.2 P3.1 P3.2 P3.3 P3.5 P6.5",
                    "P1.3 P2.1 P2.2 P2.3 P2.4 P2.5 P4.1 P4.2 P4.3 P4.4 P4.5",
                ],
                "unlimited": [
                    "P0.1 P0.3 P0.2 P0.4 P1.1",
                    "P1.2 P3.1 P3.2 P3.3 P3.5 P3.4 P3.6 P6.1 P6.2 P6.3 P6.4 P6.5",
                    "P1.3 P2.1 P2.2 P2.3 P2.4 P2.5 P4.1 P4.2 P4.3 P4.4 P4.5",
                ],
            },
            "rest-api": {
                "simple": ["", "", "P1.3"],
                "medium": ["P0.1 P0.4 P1.1", "P1.2", "P1.3 P2.1 P2.2 P2.3 P4.1 P4.2"],
                "complex": [
                    "P0.1 P0.3 P0.2 P0.4 P1.1",
                    "P1.2 P3.1 P3.2 P3.3 P3.5 P6.5",
                    "P1.3 P2.1 P2.2 P2.3 P2.4 P2.5 P4.1 P4.2 P4.3 P4.4",
                ],
                "unlimited": [
                    "P0.1 P0.3 P0.2 P0.4 P1.1",
                    "P1.2 P3.1 P3.2 P3.3 P3.5 P3.4 P6.1 P6.2 P6.3 P6.4 P6.5",
                    "P1.3 P2.1 P2.2 P2.3 P2.4 P2.5 P4.1 P4.2 P4.3 P4.4",
                ],
            },
            "web-app": {
                "simple": ["", "", "P1.3"],
                "medium": ["P0.1 P0.4 P1.1", "P1.2", "P1.3 P2.1 P2.2 P2.3 P4.1 P4.2"],
                "complex": [
                    "P0.1 P0.3 P0.4 P1.1",
                    "P1.2 P3.1 P3.2 P3.3 P3.5 P6.5",
                    "P1.3 P2.1 P2.2 P2.3 P2.4 P2.5 P4.1 P4.2 P4.3 P4.4 P4.5",
                ],
                "unlimited": [
                    "P0.1 P0.3 P0.4 P1.1",
                    "P1.2 P3.1 P3.2 P3.3 P3.5 P3.4 P3.6 P6.1 P6.2 P6.3 P6.4 P6.5",
                    "P1.3 P2.1 P2.2 P2.3 P2.4 P2.5 P4.1 P4.2 P4.3 P4.4 P4.5",
                ],
            },
            "worker": {
                "simple": ["", "", "P1.3"],
                "medium": ["P0.1 P1.1", "P1.2", "P1.3 P2.2 P4.1 P4.2"],
                "complex": [
                    "P0.1 P0.3 P1.1",
                    "P1.2 P3.1 P3.2 P3.3 P3.5 P6.5",
                    "P1.3 P2.2 P2.4 P2.5 P4.1 P4.2 P4.3 P4.4",
                ],
                "unlimited": [
                    "P0.1 P0.3 P1.1",
                    "P1.2 P3.1 P3.2 P3.3 P3.5 P3.4 P6.1 P6.2 P6.3 P6.4 P6.5",
                    "P1.3 P2.2 P2.4 P2.5 P4.1 P4.2 P4.3 P4.4",
                ],
            },
        }
    )


def test_what_a_specification_holds() -> None:
    assert {name: sorted(traits(specified(request))) for name, request in REQUESTS.items()} == snapshot(
        {
            "cli-tool": ["new-code"],
            "react-app": ["accounts", "api", "entities", "new-code", "pages", "personal-data", "uploads"],
            "rest-api": ["accounts", "api", "entities", "new-code", "personal-data"],
            "web-app": ["accounts", "entities", "integrations", "new-code", "pages", "personal-data"],
            "worker": ["entities", "jobs", "new-code"],
        }
    )


def test_where_the_template_delivers_everything_nobody_is_called_to_write() -> None:
    assert [called("a todo app with user auth", tokens)[:2] for tokens in SIZES.values()] == [["", ""]] * len(SIZES)


def test_every_specialist_is_called_by_some_build() -> None:
    reached = {
        role.id
        for request in REQUESTS.values()
        for stage in STAGES
        for role in assigned(stage, specified(request), None)
    }
    assert reached == {role.id for role in roles().values() if role.specialist}


@given(st.integers(0, 2_000_000), st.integers(0, 2_000_000))
def test_more_tokens_never_call_fewer(some: int, other: int) -> None:
    low, high = sorted((some, other))
    assert {size for size in SIZES if affords(low, size)} <= {size for size in SIZES if affords(high, size)}
    assert all(affords(None, size) for size in SIZES)


@pytest.mark.parametrize(
    ("role", "change", "why"),
    [
        ("P0.1", {"call": None}, "a specialist says when it is called"),
        ("developer", {"call": load_role("P1.2").call}, "nobody else does"),
        ("P3.1", {"stages": ("deep",)}, "it is called in implementation, where it does not work"),
        ("P0.1", {"tools": ("bash",)}, "who writes needs bash, edit or write, and nobody else has them"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(role: str, change: dict[str, object], why: str) -> None:
    declared = {name: getattr(load_role(role), name) for name in Role.model_fields} | change
    with pytest.raises(ValidationError, match=why):
        Role.model_validate(declared)
