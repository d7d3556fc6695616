from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("a.py", "def f(:\n    pass\n", 1),
        ("a.json", '{\n  "a" 1\n}\n', 2),
        ("a.toml", "[a]\nb = \n", 2),
        ("a.yaml", "a: 1\nb: [1\nc: 2\n", 3),
        ("a.xml", "<a>\n<b></a>\n", 2),
        ("a.svg", "<svg>\n", 2),
        ("a.ipynb", "{", 1),
    ],
)
def test_broken(found: Found, path: str, text: str, line: int) -> None:
    assert found("syntax", {path: text}) == [f"error does-not-parse {path}:{line}"]


def test_sound(look: Look) -> None:
    files = {"a.py": "x = 1\n", "a.json": "{}", "a.toml": "a = 1", "a.yaml": "a: !Ref b\n---\nb: 1\n", "a.xml": "<a/>"}
    result = look("syntax", files)
    assert (result.status, result.coverage.seen) == (Status.PASS, 5)


def test_newer_python_is_left_to_ruff(look: Look) -> None:
    """Python 3.14's `except` without brackets is no mistake, only unknown to an older interpreter."""
    result = look("syntax", {"a.py": "try:\n    pass\nexcept ValueError, TypeError:\n    pass\n"})
    assert (result.status, result.coverage.seen) == (Status.PASS, 1)


def test_an_entity_bomb_is_not_expanded(look: Look) -> None:
    bomb = "<!DOCTYPE a [<!ENTITY b 'xxxxxxxxxx'>" + "".join(
        f"<!ENTITY b{n} '{('&b' + (str(n - 1) if n else '') + ';') * 10}'>" for n in range(9)
    )
    result = look("syntax", {"a.xml": f"{bomb}]><a>&b8;</a>"})
    assert result.seconds < 5


def test_an_entity_that_a_template_may_know_is_no_mistake(found: Found) -> None:
    assert found("syntax", {"a.xml": "<a>&laquo; <b></a>"}) == ["error does-not-parse a.xml:1"]
    assert found("syntax", {"a.xml": "<a>&laquo;</a>"}) == []
