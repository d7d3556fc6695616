from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import Played, context_of, told

from omni.verify.check import Output
from omni.verify.checks import syntax
from omni.verify.report import CheckResult, Finding, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
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


COMMENTED = '{\n  // a "comment" {\n  "a": "// none /* , }", /* b\n */\n  "c": [1, 2,],\n}\n'


@pytest.mark.parametrize(
    "path", ["tsconfig.json", "web/tsconfig.app.json", ".vscode/launch.json", ".devcontainer/devcontainer.json"]
)
def test_json_that_is_read_with_comments(write: Write, path: str) -> None:
    """Its other faults are told where they stand; elsewhere a comment is one."""
    broken = COMMENTED.replace('"c":', '"c"')
    context = context_of(write({path: COMMENTED, f"a/{path}": broken, "a.json": COMMENTED}), "syntax")
    assert [each.partition(" Expecting")[0] for each in told(syntax.run(context))] == [
        "error does-not-parse a.json:2",
        f"error does-not-parse a/{path}:5",
    ]


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


@pytest.mark.parametrize(
    ("language", "text", "problem"),
    [
        ("json", "[1,\n 2\n 3]", (3, "Expecting ',' delimiter")),
        ("json", "[" * 100_000, (1, "nested too deeply")),
        ("json", "1" * 5000, None),
        ("notebook", "{}", None),
        ("toml", "a = 1\nb = [1,\n", (3, "Invalid value (at end of document)")),
        ("toml", "a = 1\na = 2\n", (2, "Cannot overwrite a value (at line 2, column 6)")),
        ("toml", f"a = {'[' * 100_000}", (1, "nested too deeply")),
        ("toml", f"a = {'1' * 5000}", None),
        ("yaml", "a: 1\nb: 'x\n", (3, "found unexpected end of stream")),
        ("yaml", "a: !vault x\n", None),
        ("yaml", "a: \x00\n", (1, "unacceptable character #x0000: control characters are not allowed")),
        ("xml", "<a>\n&b;</a>", None),
        ("xml", "<a>\n&b;<c></a>", (2, "mismatched tag")),
        ("xml", "<?xml version='1.0' encoding='nope'?><a/>", (1, "it names an encoding that can't be read")),
        ("svg", "<svg/>\n<svg/>", (2, "junk after document element")),
    ],
)
def test_where_and_what_the_mistake_is(language: str, text: str, problem: tuple[int, str] | None) -> None:
    assert syntax.PARSERS[language](text) == problem


def test_python_is_broken_where_the_newest_grammar_says_so_too(write: Write) -> None:
    """Of what ruff says, its first mistake in syntax counts, and none in style."""

    def said(path: str, row: int, code: str | None) -> dict[str, object]:
        return {"filename": path, "code": code, "location": {"row": row}, "message": f"bad {row}"}

    report = [
        said("a.py", 1, "PLE0118"),
        said("a.py", 2, "invalid-syntax"),
        said("a.py", 3, None),
        said("c.py", 2, None),
        said("d.py", 1, "syntax-error"),
    ]
    broken = "x = 1\nx = (\n"
    played = Played([Output(1, json.dumps(report), "")])
    root = write({"a.py": broken, "b.py": broken, "c.py": broken, "d.py": broken, "e.py": "y = 1\n"})
    items = list(syntax.run(context_of(root, "syntax", played)))
    assert told(items) == [
        "error does-not-parse a.py:2 bad 2",
        "error does-not-parse c.py:2 bad 2",
        "error does-not-parse d.py:1 bad 1",
    ]
    assert [each.snippet for each in items if isinstance(each, Finding)] == ["x = (", "x = (", "x = 1"]
    assert played.asked[0][-5:] == ("--", "a.py", "b.py", "c.py", "d.py")
    with pytest.raises(TypeError, match="did not print a list"):
        told(syntax.run(context_of(root, "syntax", Played([Output(0, "{}", "")]))))
