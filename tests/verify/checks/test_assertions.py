from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

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
