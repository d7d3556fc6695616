from __future__ import annotations

from collections.abc import Callable

import pytest
from inline_snapshot import snapshot

Told = Callable[..., str]
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


def test_what_is_said_of_them(told: Told) -> None:
    source = """\
from unittest.mock import patch
from app.prices import total

class Prices:
    def test_a(self):
        assert total([1]) == 1

class TestMade:
    def test_a(self):
        assert total([1]) == 1
    def __init__(self): ...

class PriceMixin:
    def test_a(self):
        assert total([1]) == 1

class Derived(Prices2):
    def test_a(self):
        assert total([1]) == 1

@decorated
class Decorated:
    def test_a(self):
        assert total([1]) == 1

class NoTests:
    def test_a(self):
        total([1])
    def helper(self):
        assert total([1])

def test_outer():
    assert total([1]) == 1
    def test_inner():
        assert total([2]) == 2
    def test_called():
        assert total([2]) == 2
    test_called()
    @decorated
    def test_decorated():
        assert total([2]) == 2
    def test_silent():
        total([2])

def test_loop():
    for each in all:
        continue
        total([1])
        assert total([1]) == 1
        assert total([2]) == 1
    else:
        raise ValueError
        assert total([3]) == 1

def test_sum():
    assert total([1], key="a") == total([1], key="a")
    assert total(x) == total(x)
    assert total([1]) != total([1])
    assert total([1]) == total([1]) == 1
    assert total([y.z]) == total([y.z])
    assert total(f()) == total(f())
    assert other([1]) == other([1])

@patch("app.prices.total", autospec=True)
@patch("app.prices.rate")
def test_patched(rate):
    monkeypatch.setattr("app.prices.total", lambda: 3)
    monkeypatch.setattr(prices, "total", 3)
    assert total([1]) == 3

def test_own(client):
    answer = Mock()
    got = answer.read()
    assert got == 3
    assert answer.called

def test_own_and_more(client):
    answer = Mock()
    assert answer() == 3
    assert client.get() == 3

def test_own_raises():
    answer = Mock()
    with pytest.raises(ValueError):
        answer()
    assert answer.called

def test_given():
    answer = Mock()
    total(answer)
    assert answer.called
"""
    cases = "def test_a():\n    assert f()\ndef test_b():\n    assert f()\n"
    files = {
        "tests/test_a.py": source,
        "tests/cases.py": cases,
        "tests/conftest.py": cases,
        "tests/imported.py": cases,
        "tests/test_b.py": "from tests.imported import *\n",
        "app/cases.py": cases,
    }
    assert told("hollow-tests", files) == snapshot("""\
error never-collected tests/cases.py:1: pytest does not look into `cases.py`, and 2 tests are in it
    def test_a():
error never-collected tests/test_a.py:4: pytest does not look into `Prices`: its name does not start with Test
    class Prices:
error never-collected tests/test_a.py:8: pytest does not look into `TestMade`, since it has an __init__
    class TestMade:
error never-collected tests/test_a.py:34: `test_inner` is inside of `test_outer`, and nobody calls it
    def test_inner():
error assertion-not-reached tests/test_a.py:49: `test_loop` returns before this assertion
    assert total([1]) == 1
error assertion-not-reached tests/test_a.py:53: `test_loop` returns before this assertion
    assert total([3]) == 1
warning repeats-the-code tests/test_a.py:56: `test_sum` compares `total([1], key='a')` with itself
    assert total([1], key="a") == total([1], key="a")
error patches-what-it-tests tests/test_a.py:67: `test_patched` replaces `app.prices.total` and then tests it
    monkeypatch.setattr("app.prices.total", lambda: 3)
error asserts-own-mock tests/test_a.py:74: `test_own` asserts what its own mock was told to answer
    assert got == 3
""")


@pytest.mark.parametrize(
    ("files", "judged"),
    [
        ({"pytest.ini": "[pytest]\npython_files = *.py\n"}, False),
        ({"setup.cfg": "[tool:pytest]\npython_functions = check_*\n"}, False),
        ({"tox.ini": "[pytest]\npython_classes = *Case\n"}, False),
        ({"manage.py": ""}, False),
        ({"pyproject.toml": '[tool.pytest]\npython_files = ["*.py"]\n'}, False),
        ({"pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-q"\n', "tox.ini": "[tox]\n"}, True),
    ],
)
def test_who_says_what_a_test_is_called(found: Found, files: dict[str, str], judged: bool) -> None:
    said = found("hollow-tests", {"tests/cases.py": "def test_a():\n    assert f()\n", **files})
    assert said == (["error never-collected tests/cases.py:1"] if judged else [])
