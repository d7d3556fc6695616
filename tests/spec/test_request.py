from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.kernel.errors import OmniError
from omni.spec.asked import Request
from omni.spec.request import MAX_CHARACTERS, parse_request

STRUCTURED = (Path(__file__).parent / "invoice-microservice.yaml").read_text()


def refusal(text: str) -> str:
    with pytest.raises(OmniError) as caught:
        parse_request(text)
    assert caught.value.kind.code == "SPEC-REQUEST"
    return caught.value.why


def test_plain_english() -> None:
    assert parse_request("  a todo app\r\nwith\x00 tags ") == Request(text="a todo app\nwith  tags")


def test_structured_request() -> None:
    request = parse_request(STRUCTURED)
    assert (request.name, request.type, request.priority, request.requester) == (
        "invoice-microservice",
        "new-service",
        "high",
        "brendan",
    )
    assert request.constraints.databases == ("postgresql",)
    assert (request.deadline, request.token_budget) == ("2026-02-15", "medium")
    assert len(request.acceptance_criteria) == 4
    assert all(criterion in request.text for criterion in request.acceptance_criteria)


def test_the_same_request_is_read_the_same() -> None:
    assert parse_request(STRUCTURED) == parse_request(STRUCTURED)


@pytest.mark.parametrize("text", ["", "   \n", "...", "\x00\x01", "🎉"])
def test_nothing_said(text: str) -> None:
    assert refusal(text) == "it has no words"


def test_too_long() -> None:
    assert (
        refusal("a todo app. " * 10_000) == f"it has 119,999 characters; {MAX_CHARACTERS:,} are the most that are read"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("project:\n  name: x\ndescription: a todo app\n", "`acceptance_criteria` is missing"),
        ("project:\n  name: x\ndescription: a todo app\nacceptance_criteria: []\n", "`acceptance_criteria` is missing"),
        ("project:\n  name: x\n  colour: red\ndescription: a\nacceptance_criteria: [b]\nbudget: 3\n",
         "unknown key `project.colour`; unknown key `budget`"),
        ("project:\n  name: x\n  type: rewrite\ndescription: a\nacceptance_criteria: [b]\n",
         "`project.type`: Input should be 'new-service', 'feature', 'bugfix', 'refactor' or 'migration'"),
        ("description: ''\nproject:\n  name: x\nacceptance_criteria: [b]\n", "`description`: is empty"),
        ("project: [unclosed\n", "it is not valid YAML: expected ',' or ']', but got '<stream end>'"),
    ],
)  # fmt: skip
def test_one_clear_error(text: str, why: str) -> None:
    assert refusal(text) == why


def test_deep_yaml_is_refused() -> None:
    assert refusal("project: " + "[" * 5_000).startswith("it is not valid YAML")


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        request = parse_request(text)
    except OmniError:
        return
    assert request.text.strip() == request.text
