from __future__ import annotations

from collections.abc import Callable

import pytest

Found = Callable[..., list[str]]

HEAD = "from unittest.mock import Mock, patch\nfrom app.prices import total\nimport app.prices as prices\n"
CASES = [
    ("class PriceTests:\n    def test_a(self):\n        assert total([1]) == 1\n", "error never-collected"),
    (
        ("class TestA:\n    def __init__(self): ...\n    def test_a(self):\n"
        "        assert total([1]) == 1\n"),
        "error never-collected",
    ),
    (
        ("def test_a():\n    assert total([1])\n    def test_b():\n"
        "        assert total([2]) == 2\n"),
        "error never-collected",
    ),
    ("def test_a():\n    total([1])\n    return\n    assert total([1]) == 2\n", "error assertion-not-reached"),
    ("def test_a():\n    m = Mock(return_value=3)\n    assert m() == 3\n", "error asserts-own-mock"),
    (
        ("def test_a():\n    m = Mock()\n    m.read.return_value = 3\n"
        "    r = m.read()\n    assert r == 3\n"),
        "error asserts-own-mock",
    ),
    (
        ("def test_a():\n    with patch('app.prices.total', return_value=3):\n"
        "        assert prices.total([1]) == 3\n"),
        "error patches-what-it-tests",
    ),
    (
        ("@patch('app.prices.total')\ndef test_a(m):\n    got = total([1])\n"
        "    assert got == 3\n"),
        "error patches-what-it-tests",
    ),
    ("def test_a():\n    assert total([1, 2]) == total([1, 2])\n", "warning repeats-the-code"),
]  # fmt: skip
GOOD = [
    "class TestA:\n    def test_a(self):\n        assert total([1]) == 1\n",
    "class PriceBase:\n    def test_a(self):\n        assert total([1]) == 1\n",
    "def test_a():\n    m = Mock(return_value=3)\n    assert total([m]) == 3\n",
    "def test_a():\n    m = Mock()\n    prices.client = m\n    assert m.called\n",
    "def test_a():\n    with patch('app.prices.rate', return_value=3):\n        assert prices.total([1]) == 3\n",
    "def test_a():\n    before = total([1])\n    assert total([1]) == before\n",
    "def test_it_is_deterministic():\n    assert total([1]) == total([1])\n",
    "def test_a():\n    if not total:\n        return\n    assert total([1]) == 1\n",
    (
        "def test_a():\n    def test_inner():\n        assert total([1])\n"
        "    run(test_inner)\n    assert total([2]) == 2\n"
    ),
]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_proves_nothing(found: Found, source: str, expected: str) -> None:
    assert [each.rpartition(" ")[0] for each in found("hollow-tests", {"tests/test_a.py": HEAD + source})] == [expected]


@pytest.mark.parametrize("source", GOOD)
def test_proves_something(found: Found, source: str) -> None:
    assert found("hollow-tests", {"tests/test_a.py": HEAD + source}) == []


def test_files_that_pytest_does_not_look_into(found: Found) -> None:
    source = HEAD + "def test_a():\n    assert total([1]) == 1\n"
    assert found("hollow-tests", {"tests/cases.py": source}) == ["error never-collected tests/cases.py:4"]
    assert found("hollow-tests", {"tests/cases.py": source, "tests/test_b.py": "from cases import test_a\n"}) == []
    configured = {"pyproject.toml": '[tool.pytest.ini_options]\npython_files = ["*.py"]\n', "tests/cases.py": source}
    assert found("hollow-tests", configured) == []
