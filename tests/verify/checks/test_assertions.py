from __future__ import annotations

from collections.abc import Callable

import pytest
from inline_snapshot import snapshot

from omni.verify.report import CheckResult, Status

Told = Callable[..., str]
Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("result = total([1])\n    print(result)", "error asserts-nothing"),
        ("assert True", "error asserts-constant"),
        ("assert 1 == 1", "error asserts-constant"),
        ("x = total()\n    assert x == x", "error asserts-constant"),
        ("assert (total() == 1, 'message')", "error asserts-constant"),
        ("assert total() or True", "error asserts-constant"),
        ("m = Mock()\n    m.run()\n    m.run.assert_called_once()", "warning asserts-own-mock"),
        ("assert total([1]) == 1", ""),
        ("with pytest.raises(ValueError):\n        total(None)", ""),
        ("m = Mock()\n    total(m)\n    m.run.assert_called_once()", ""),
        ("check_total(1)", ""),
        ("helper(1)", ""),
        ("if not total():\n        raise AssertionError", ""),
        ("expect(page).to_have_title('x')", ""),
    ],
)
def test_body(found: Found, body: str, expected: str) -> None:
    helper = "def helper(x):\n    assert x == 1\n\n"
    line = 4 + body.count("\n") * ("assert x == x" in body) + ("asserts-constant" in expected)
    source = f"{helper}def test_total():\n    {body}\n"
    assert found("assertions", {"tests/test_a.py": source}) == (
        [f"{expected} tests/test_a.py:{line}"] if expected else []
    )


def test_helpers_of_other_files_count(found: Found) -> None:
    files = {
        "tests/conftest.py": "def same(a):\n    _same(a)\n\ndef _same(a):\n    assert a\n",
        "tests/test_a.py": "from conftest import same\n\ndef test_a():\n    same(1)\n",
    }
    assert found("assertions", files) == []


def test_what_is_no_test(found: Found) -> None:
    source = (
        "import pytest\n\n@pytest.fixture\ndef test_data():\n    return 1\n\n"
        "class Helper:\n    def test_it(self):\n        return 1\n\n"
        "@pytest.mark.skip\ndef test_later():\n    pass\n\ndef test_speed(benchmark):\n    benchmark(len, [])\n"
    )
    assert found("assertions", {"tests/test_a.py": source, "app/a.py": "def test_x():\n    return 1\n"}) == []


def test_methods_of_test_cases(found: Found) -> None:
    source = (
        "import unittest\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(1, f())\n\n"
        "    def test_b(self):\n        f()\n"
    )
    assert found("assertions", {"test_a.py": source}) == ["error asserts-nothing test_a.py:7"]


def test_only_what_pytest_collects_is_a_test(found: Found) -> None:
    source = """\
import click

def test_command():
    @click.command()
    def test(): click.echo("hi")
    assert invoke(test) == "hi"

if True:
    def test_conditional(): run()

class TestThing:
    def test_method(self): run()
"""
    assert found("assertions", {"tests/test_a.py": source}) == [
        "error asserts-nothing tests/test_a.py:9",
        "error asserts-nothing tests/test_a.py:12",
    ]


def test_benchmarks_measure_and_need_not_assert(found: Found) -> None:
    source = "import pytest\npytestmark = pytest.mark.benchmark()\ndef test_speed(): run()\n"
    assert found("assertions", {"bench/test_a.py": source}) == []


def test_the_twin_of_a_test_that_expects_an_error_shows_that_there_is_none(found: Found) -> None:
    source = """\
def test_fine():
    old(18)

def test_bad():
    with pytest.raises(ValueError):
        old(-1)

def test_other():
    young(18)
"""
    assert found("assertions", {"tests/test_a.py": source}) == [
        "warning asserts-no-error tests/test_a.py:1",
        "error asserts-nothing tests/test_a.py:8",
    ]


def test_a_function_that_answers_is_no_test(found: Found) -> None:
    source = """\
def test_odd(value):
    return value % 2 == 1

def test_real():
    def helper():
        return 1
    helper()
"""
    assert found("assertions", {"app/tests.py": source}) == ["error asserts-nothing app/tests.py:4"]


def test_a_project_without_tests_has_none_that_assert(look: Look) -> None:
    """It is no evidence for good tests."""
    result = look("assertions", {"src/app/a.py": "def f():\n    return 1\n"})
    assert (result.status, result.reason) == (Status.SKIPPED, "there is no test that could assert anything")


BODIES = [
    ("assert 'text'", "asserts-constant"),
    ("assert not None", "asserts-constant"),
    ("assert not 0", "asserts-constant"),
    ("assert x is x", "asserts-constant"),
    ("assert x <= x", "asserts-constant"),
    ("assert x.y >= x.y", "asserts-constant"),
    ("assert total() == 3 or (1,)", "asserts-constant"),
    ("assert 0", ""),
    ("assert ()", ""),
    ("assert not total()", ""),
    ("assert not 1", ""),
    ("assert 1 == 2", ""),
    ("assert x != x", ""),
    ("assert x < x", ""),
    ("assert x == x == y", ""),
    ("assert total() == total()", ""),
    ("assert total() and True", ""),
    ("assert x == 1", ""),
    ("assert True\n    assert total()", ""),
    ("m = Mock()\n    m()\n    m.assert_called()", "asserts-own-mock"),
    ("m = mock.AsyncMock()\n    m.a.b()\n    m.a.b.assert_called()", "asserts-own-mock"),
    ("m = Mock()\n    f(x=m)\n    m.assert_called()", ""),
    ("m = Mock()\n    f([m.run])\n    m.assert_called()", ""),
    ("m = Mock()\n    app.client = m\n    m.assert_called()", ""),
    ("m = client()\n    m.run()\n    m.assert_called()", ""),
    ("n = Mock()\n    m.run()\n    m.assert_called()", ""),
    ("m = Mock()\n    m.run()\n    m.assert_called()\n    helper(1)", ""),
    ("m = Mock()\n    f(n)\n    m.assert_called()", "asserts-own-mock"),
    ("m = Mock()\n    n = f()\n    m.assert_called()", "asserts-own-mock"),
    ("assert_called(1)", ""),
]


def test_what_can_fail(found: Found) -> None:
    helper = "\n\ndef helper(x):\n    assert x == 1\n"
    files = {f"tests/test_{at:02}.py": f"def test_total():\n    {body}{helper}" for at, (body, _) in enumerate(BODIES)}
    said = {each.split()[2].partition(":")[0]: each.split()[1] for each in found("assertions", files)}
    assert [(body, said.get(path, "")) for path, (body, _) in zip(files, BODIES, strict=True)] == BODIES


def test_what_is_said_of_them(told: Told, look: Look) -> None:
    source = """\
import pytest

class TestSkipped:
    pytestmark = pytest.mark.skip("later")
    def test_a(self): run()

class TestRun:
    other = pytest.mark.skip("later")
    pytestmark = pytest.mark.slow
    def test_a(self): run()

def test_constant():
    run()
    assert True

def test_mock():
    m = MagicMock()
    m.run()
    m.run.assert_called_once()

def test_answers():
    if run():
        return 1

def test_within():
    run(lambda: 1)
    class A:
        def b(self):
            return 1

def testing(): run()

def helper(): run()

try:
    def test_tried(): run()
except ImportError:
    def test_caught(): run()

with run():
    def test_with(): run()
"""
    files = {"tests/test_a.py": source, "tests/helpers.py": "def test_b(): run()\n"}
    assert told("assertions", files) == snapshot("""\
error asserts-nothing tests/test_a.py:10: `test_a` asserts nothing
    def test_a(self): run()
error asserts-constant tests/test_a.py:14: `test_constant` asserts only what is always true
    assert True
warning asserts-own-mock tests/test_a.py:16: `test_mock` asserts only its own mock
    def test_mock():
error asserts-nothing tests/test_a.py:25: `test_within` asserts nothing
    def test_within():
error asserts-nothing tests/test_a.py:31: `testing` asserts nothing
    def testing(): run()
error asserts-nothing tests/test_a.py:36: `test_tried` asserts nothing
    def test_tried(): run()
error asserts-nothing tests/test_a.py:41: `test_with` asserts nothing
    def test_with(): run()
""")
    result = look("assertions", {"tests/test_b.py": "def (\n", "tests/broken.py": "def (\n"})
    assert list(result.coverage.failed) == ["tests/test_b.py"]


@pytest.mark.parametrize(
    ("folder", "counts"),
    [
        ("tests/", True),
        ("test/", True),
        ("app/testing/", True),
        ("conftest.py", True),
        ("app/", False),
        ("contest/", False),
    ],
)
def test_helpers_are_followed_in_what_belongs_to_the_tests(found: Found, folder: str, counts: bool) -> None:
    """Through one another, too."""
    helper = "def one():\n    two()\ndef two():\n    three()\ndef three():\n    assert f()\n"
    files = {"test_a.py": "def test_a():\n    one()\n", folder if folder.endswith("py") else f"{folder}a.py": helper}
    assert found("assertions", files) == ([] if counts else ["error asserts-nothing test_a.py:1"])
