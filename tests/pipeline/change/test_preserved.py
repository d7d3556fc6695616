"""What a change has to keep, and the one measure that a refactoring has to lower."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from omni.code.analysis import analyse
from omni.pipeline.change.preserved import (
    Size,
    beyond_functions,
    broken_promises,
    lost_routes,
    no_simpler,
    size,
    weakened,
)

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


def test_a_test_that_asserts_less_is_told() -> None:
    before = {"tests/test_a.py": "def test_a():\n    assert f() == 1\n    assert g() == 2\n", "a.py": "assert f()\n"}
    less = {"tests/test_a.py": "def test_a():\n    assert f() == 1\n", "a.py": ""}
    assert weakened(before, less) == ["tests/test_a.py asserts less than before: test_a"]
    assert weakened(before, before) == weakened(less, before) == weakened(before, {}) == []


HELPED = "import math\n\nTAX = 19\n\n\ndef net(prices):\n    return math.fsum(prices)\n\n\ndef gross(prices):\n"
GROSS = "    return net(prices) * (100 + TAX) / 100\n"
NET = "def net(prices):\n    return math.fsum(prices)\n"
OUTSIDE = "a.py: it changes outside of functions"
CODE = f"{HELPED}{GROSS}\n\nclass Cart:\n    limit = 3\n\n    def size(self):\n        return 1\n"


@pytest.mark.parametrize(
    ("path", "now", "said"),
    [
        ("a.py", CODE.replace("net(prices) * (100 + TAX) / 100", "net(prices) * 1.19"), ""),
        ("a.py", CODE.replace(GROSS, f"    return _with_tax(net(prices))\n\n\ndef _with_tax(sum):\n{GROSS}"), ""),
        ("a.py", CODE.replace("import math\n", "").replace("math.fsum", "sum"), ""),
        ("a.py", CODE.replace("import math\n", "from itertools import chain\nimport math\n"), ""),
        ("a.py", CODE.replace("TAX = 19", "TAX = 7"), OUTSIDE),
        ("a.py", CODE.replace("limit = 3", "limit = 4"), OUTSIDE),
        ("a.py", CODE.replace("import math", "import cmath as math"),
         "a.py: what is called math changes for code that stayed as it was"),
        ("a.py", CODE.replace("import math\n", "import math\nfrom tax import *\n"),
         "a.py: what is called * changes for code that stayed as it was"),
        ("a.py", f"{CODE}\n\ndef net(prices):\n    return 0\n",
         "a.py: what is called net changes for code that stayed as it was"),
        ("a.py", CODE.replace(NET, "").replace("    def size", f"{indent(NET, '    ')}\n    def size"), OUTSIDE),
        ("a.py", f"{CODE}(", "a.py can't be read"),
        ("conftest.py", CODE.replace("TAX) / 100", "TAX) * 0.01"), "conftest.py is of the tests"),
        ("tests/cart.py", CODE.replace("TAX) / 100", "TAX) * 0.01"), "tests/cart.py is of the tests"),
        ("cart.html", "<b>", "cart.html is no Python"),
        ("setup.cfg", "", "setup.cfg is no Python"),
    ],
)  # fmt: skip
def test_what_running_a_function_does_not_show(path: str, now: str, said: str) -> None:
    assert beyond_functions([path], {path: CODE}, {path: now}) == ((said,) if said else ())


def test_functions_that_change_places_change_what_is_outside_of_them() -> None:
    one, other = (
        "    def net(prices):\n        return sum(prices)\n",
        "    def net(prices):\n        return max(prices)\n",
    )
    then, now = (f"if FAST:\n{first}else:\n{second}" for first, second in ((one, other), (other, one)))
    assert beyond_functions(["a.py"], {"a.py": then}, {"a.py": now}) == (OUTSIDE,)


def test_a_file_that_comes_or_goes_is_its_functions_and_the_rest() -> None:
    functions = "from a import b\n\n\ndef f():\n    return b\n"
    assert beyond_functions(["a.py"], {}, {"a.py": functions}) == ()
    assert beyond_functions(["a.py"], {"a.py": functions}, {}) == ()
    outside = (OUTSIDE,)
    assert beyond_functions(["a.py"], {}, {"a.py": CODE}) == outside
    assert beyond_functions(["a.py"], {"a.py": CODE}, {}) == outside
    assert beyond_functions(["link.py"], {}, {}) == ("link.py is no Python",)
