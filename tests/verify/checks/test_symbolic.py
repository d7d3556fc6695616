from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of

from omni.verify.checks import symbolic
from omni.verify.report import CheckResult, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
Look = Callable[..., CheckResult]

HIDDEN = "def code(x: int) -> int:\n    assert x >= 0\n    if x * 3 == 999:\n        assert x < 0\n    return x\n"
SHARE = """def share(total: int, people: int) -> int:
    \"\"\"
    pre: people > 0
    post: __return__ * people <= total
    \"\"\"
    return total // people
"""


@pytest.mark.host
def test_a_hidden_edge_is_found(look: Look) -> None:
    result = look("symbolic", {"a.py": HIDDEN})
    (finding,) = result.findings
    assert (finding.rule, finding.severity, finding.path, finding.line) == ("refuted", "error", "a.py", 4)
    assert "when calling code(333)" in finding.message
    assert result.metrics == {"symbolic.functions": 1}


@pytest.mark.host
def test_clean_twin(look: Look) -> None:
    result = look("symbolic", {"a.py": SHARE + HIDDEN.replace("assert x < 0", "assert x > 0")})
    assert (result.status, result.findings) == (Status.PASS, ())


def test_no_contract(look: Look) -> None:
    result = look("symbolic", {"a.py": "def f(a):\n    return a\n", "b.py": "def g(x):\n    assert x\n    return x\n"})
    assert (result.status, "no function has a contract" in result.reason) == (Status.SKIPPED, True)


@pytest.mark.parametrize(
    ("source", "contracts"),
    [
        ("def f(x: int):\n    assert x\n", 1),
        ("def f(x):\n    assert x\n", 0),
        ("def f(x: int):\n    y = x\n    assert y\n", 0),
        ("def f(x: int):\n    '''Words.'''\n    assert x\n", 1),
        ("def f(x: int):\n    '''post: x > 1'''\n    return x\n", 1),
        ("def f(x: int):\n    '''\n    pre[x]: x > 1\n    '''\n    return x\n", 1),
        ("def f(x: int):\n    '''the post: x'''\n    return x\n", 0),
        ("def f(x):\n    '''post: x > 1'''\n    return x\n", 0),
        ("class A:\n    def f(self, x: int):\n        assert x\n", 1),
        ("class A:\n    @classmethod\n    def g(cls):\n        assert cls\n", 1),
        ("@icontract.require(lambda x: x)\ndef f(x):\n    return x\n", 1),
        ("@deal.pre(lambda x: x)\n@deal.post(lambda x: x)\ndef f(x):\n    return x\n", 2),
    ],
)
def test_what_is_a_contract(write: Write, source: str, contracts: int) -> None:
    """Types have to be named: CrossHair makes up the arguments by them."""
    context = context_of(write({"a.py": source, "test_a.py": source}), "symbolic")
    found = {file.path: symbolic._contracts(context, file, ast.parse(source)) for file in context.files}
    assert found == {"a.py": contracts, "test_a.py": 0}
