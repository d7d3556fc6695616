"""The golden specifications. `python tests/spec/test_examples.py` writes them anew; then read the difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni.spec.compiler import compile_request
from omni.spec.model import Specification
from omni.spec.request import parse_request

EXAMPLES = {
    "todo": "a todo app with user auth",
    "blog": "a blog with comments and user accounts",
    "booking": "a booking app with user accounts and a calendar",
    "invoices": "an invoicing app with user auth",
    "url_shortener": "a url shortener with click counts and user accounts",
    "cli_tool": "a cli tool to convert csv to json",
    "cli_todo": "a command line todo list",
    "worker": "a queue worker that processes orders",
    "rest_api": "a REST API for invoices",
    "react_app": "a React app for notes with user auth",
}
FOLDER = Path(__file__).parent / "examples"


@pytest.mark.parametrize("name", EXAMPLES)
def test_golden_specification(name: str) -> None:
    golden = Specification.model_validate_json((FOLDER / f"{name}.json").read_text())
    assert compile_request(parse_request(EXAMPLES[name])) == golden


if __name__ == "__main__":
    for key, text in EXAMPLES.items():
        specification = compile_request(parse_request(text))
        (FOLDER / f"{key}.json").write_text(specification.model_dump_json(indent=1) + "\n")
