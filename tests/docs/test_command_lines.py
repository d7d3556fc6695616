"""What the documents tell a reader to type exists."""

from __future__ import annotations

import pytest
from tests.docs.command_lines import ROOT, command_lines, documents, problem

LINES = [
    pytest.param(line, id=f"{path.relative_to(ROOT)}:{number}")
    for path in documents()
    for number, line in command_lines(path)
]


@pytest.mark.parametrize("line", LINES)
def test_line(line: str) -> None:
    assert problem(line) == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('./omni build "a todo app" --out out && make test', ""),
        ("OMNI_HOME=/srv/omni omni verify . --tier 2   # with a remark", ""),
        ("omni fly", "no such command: fly"),
        ("omni runs fly", "no such command: fly"),
        ("omni verify . --fast", "No such option"),
        ("omni verify . --format pdf", "is not one of"),
        ("omni build --out", "requires an argument"),
        ("make coffee", "no such target of make: coffee"),
        (".venv/bin/python docs/gone.py", "no such file: docs/gone.py"),
        ("scripts/gone", "no such file: scripts/gone"),
        ("cd out && gone", "no such program: gone"),
    ],
)
def test_problems_are_found(line: str, said: str) -> None:
    assert said in problem(line) if said else problem(line) == ""


def test_first_screen_of_the_readme() -> None:
    """Whoever opens the repository sees the two commands without scrolling."""
    first = (ROOT / "README.md").read_text().splitlines()[:20]
    assert any(line.startswith('./omni build "') for line in first)
    assert any(line.startswith("make test") for line in first)
