from __future__ import annotations

import re

import pytest
from tests.spec.test_sentences import SENTENCES

from omni.spec.compiler import compile_request
from omni.spec.document import to_markdown
from omni.spec.request import parse_request


def document(text: str) -> str:
    return to_markdown(compile_request(parse_request(text)))


def sections(text: str) -> list[str]:
    return re.findall(r"^## (.+)$", text, re.MULTILINE)


def test_sections_of_an_app() -> None:
    text = "an invoicing app with user auth that reads handwriting. Must answer in under 200 ms."
    assert sections(document(text)) == [
        "Account of the request", "Open questions and assumptions", "Data", "Who may do what", "Behaviour", "Pages",
        "Qualities", "Acceptance criteria", "Threats", "Plan of work",
    ]  # fmt: skip


def test_the_account_names_what_is_not_delivered() -> None:
    text = document("a todo app that recognises handwriting")
    assert (
        "| P2 | that recognises handwriting | **not delivered** |   | No template can recognise handwriting. |" in text
    )


def test_the_data_model_is_a_diagram() -> None:
    text = document("an invoicing app")
    assert "  Customer ||--o{ Invoice : invoices" in text
    assert "  Invoice ||--o{ InvoiceLine : lines" in text


def test_the_plan_serves_every_criterion_once() -> None:
    spec = compile_request(parse_request("a booking app with tags"))
    plan = to_markdown(spec).partition("## Plan of work")[2]
    served: list[int] = []
    for first, last in re.findall(r"AC(\d+)(?: to AC(\d+))?", plan):
        served += range(int(first), int(last or first) + 1)
    assert sorted(served) == list(range(1, len(spec.criteria) + 1))


@pytest.mark.parametrize("text", SENTENCES)
def test_tables_are_whole(text: str) -> None:
    width = 0
    for line in document(text).splitlines():
        if line.startswith("| "):
            cells = len(re.findall(r"(?<!\\)\|", line))
            assert width in (0, cells)
            width = cells
        elif not line.startswith("|"):
            width = 0


def test_hostile_text_stays_in_its_cell() -> None:
    text = document("a todo app with <script>alert(1)</script> | or ``` pipes")
    row = next(line for line in text.splitlines() if line.startswith("| P2"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 6
