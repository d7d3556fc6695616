from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

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
