from __future__ import annotations

import pytest

from omni.spec.compiler import compile_request
from omni.spec.completeness import PASSING, RULES, Completeness, assess
from omni.spec.request import parse_request


def score(text: str) -> Completeness:
    return assess(compile_request(parse_request(text)))


def test_the_rules_add_up_to_ten() -> None:
    assert sum(rule.of for rule in RULES) == 10
    assert PASSING == 8.0


@pytest.mark.parametrize(("value", "passed"), [(7.9, False), (8.0, True), (10.0, True), (0.0, False)])
def test_the_boundary(value: float, passed: bool) -> None:
    assert Completeness(score=value, rules=()).passed is passed


def test_something_nice_is_not_enough() -> None:
    found = score("make something nice")
    assert not found.passed
    assert found.score == 0.0
    assert (
        found.missing[0]
        == "Say what it keeps or does: for example “a todo app”, “track my plants with name and species”."
    )
    assert "Say in other words, or leave out: “make something nice”." in found.missing


@pytest.mark.parametrize(
    "text", ["a todo app", "a blog", "track my plants with name and species", "cli tool to convert csv to json"]
)
def test_a_clear_sentence_passes(text: str) -> None:
    found = score(text)
    assert (found.score, found.missing) == (10.0, ())


def test_what_is_not_understood_costs_and_is_named() -> None:
    found = score("a todo app with user auth and recognises handwriting")
    assert found.score == 9.3
    assert found.missing == ("Say in other words, or leave out: “and recognises handwriting”.",)


def test_half_of_it_not_understood_and_nothing_said_of_the_things() -> None:
    found = score("track my zorbs. Frobnicate the quux. Blurp the wibble. Zing.")
    assert found.score == 7.0
    assert found.missing[0] == "Say what is known about a zorb: “each … has a name, a date and a price”."
