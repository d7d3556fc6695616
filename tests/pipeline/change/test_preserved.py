"""What a change has to keep, and the one measure that a refactoring has to lower."""

from __future__ import annotations

from pathlib import Path

from omni.code.analysis import analyse
from omni.pipeline.change.preserved import Size, broken_promises, lost_routes, no_simpler, size

CART = "def total(prices, tax):\n    if tax:\n        return sum(prices) + tax\n    return sum(prices)\n"


def test_a_promise_that_the_request_names_may_be_broken() -> None:
    before, after = {"cart.py": CART}, {"cart.py": CART.replace(", tax)", ")")}
    said = ["the public interface: cart.total takes `tax` by its place no more (cart.py:1)"]
    said += ["the public interface: cart.total takes no `tax` any more (cart.py:1)"]
    assert broken_promises("refactor", "simplify the code", before, after) == said
    assert broken_promises("refactor", "simplify the cart", before, after) == said  # a module's name is no permission
    assert broken_promises("bugfix", "fix the sum", before, after) == said
    assert broken_promises("refactor", "let total take no tax", before, after) == []
    assert broken_promises("migration", "migrate", before, {}) == []


def test_a_refactoring_makes_something_smaller_or_gives_new_names() -> None:
    before = size({"cart.py": CART, "tests/test_cart.py": CART})
    assert before == Size(lines=4, branches=2, hardest=2)
    more = size({"cart.py": CART + "\n\ndef twice(prices):\n    return 2 * total(prices, 0)\n"})
    assert no_simpler("simplify it", before, more) == [
        f"nothing became smaller or simpler: before {before}; after {more}"
    ]
    assert str(more) == "6 lines, 3 branches, at most 2 in one function"
    assert no_simpler("rename total to sum_up", before, more) == []
    assert no_simpler("simplify it", more, before) == []
    split = Size(lines=9, branches=4, hardest=1)
    assert no_simpler("split up total", before, split) == []


def test_routes_are_the_same_in_the_words_of_both_frameworks(tmp_path: Path) -> None:
    for name, text in {
        "flask": 'from flask import Blueprint\nr = Blueprint("b", __name__)\n\n\n@r.get("/b/<int:n>")\ndef b(n):\n'
        '    return n\n\n\n@r.post("/b")\ndef c():\n    return 1\n',
        "fastapi": 'from fastapi import APIRouter\nr = APIRouter()\n\n\n@r.get("/b/{n}")\ndef b(n):\n    return n\n',
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "b.py").write_text(text)
    before, after = analyse(tmp_path / "flask"), analyse(tmp_path / "fastapi")
    assert lost_routes(before, after) == ["POST /b (b.py:11) is no route any more"]
