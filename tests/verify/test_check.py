"""What a check is given to look with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from tests.verify.played import context_of

from omni.verify.check import Check, Context, Failed, Output, Unseen
from omni.verify.report import Severity, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
CHECK = Check(
    id="own",
    title="own",
    tier=1,
    severity=Severity.NOTE,
    severities={"A": Severity.WARNING, "AB": Severity.ERROR},
    why="why",
    advice="advice",
    cwe="CWE-1",
)


@pytest.fixture
def context(write: Write) -> Context:
    return replace(context_of(write({"a.py": "x = 1\n", "etc/b.txt": "b\n"}), "syntax"), check=CHECK)


@pytest.mark.parametrize(
    ("rule", "severity"), [("A1", "warning"), ("ABC", "error"), ("AB", "error"), ("BA", "note"), ("", "note")]
)
def test_the_longest_start_of_a_rule_gives_its_severity(rule: str, severity: str) -> None:
    assert CHECK.severity_of(rule).value == severity


def test_what_a_finding_does_not_say_comes_from_the_declaration(context: Context) -> None:
    plain = context.finding("A1", "bad", "a.py", 1)
    assert (plain.check, plain.rule, plain.message, plain.path, plain.line) == ("own", "A1", "bad", "a.py", 1)
    assert (plain.severity, plain.why, plain.fix, plain.cwe, plain.column) == (
        "warning",
        "why",
        "advice",
        "CWE-1",
        None,
    )
    own = context.finding("A1", "bad", severity=Severity.ERROR, why="w", fix="f", cwe="CWE-2", column=3)
    assert (own.path, own.line, own.severity, own.why, own.fix, own.cwe) == ("", None, "error", "w", "f", "CWE-2")
    empty = context.finding("A1", "bad", severity=None, why="", fix="", cwe="")
    assert (empty.severity, empty.why, empty.fix, empty.cwe) == ("warning", "why", "advice", "CWE-1")
    assert [context.finding("A1", "bad", "a.py", line).line for line in (-1, 0, 1, None)] == [None, None, 1, None]


def test_a_path_is_relative_to_the_target(context: Context) -> None:
    root = context.root
    given = {
        "a.py": "a.py",
        f"{root}/a.py": "a.py",
        f"file://{root}/etc/b%20c.txt": "etc/b c.txt",
        "a%20b.py": "a%20b.py",
        "/etc/b.txt": "etc/b.txt",
        "/etc/passwd": "/etc/passwd",
        "./etc//b.txt": "etc/b.txt",
        "": "",
        ".": "",
        str(root): "",
    }
    assert {path: context.relative(path) for path in given} == given


def test_a_path_below_a_link_to_the_target_is_relative_too(context: Context, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(context.root)
    linked = replace(context, root=tmp_path / "link")
    assert linked.relative(f"{context.root.resolve()}/a.py") == linked.relative(f"{tmp_path}/link/a.py") == "a.py"


def test_text_is_the_files_own(write: Write) -> None:
    root = write(
        {
            "a.py": b"# coding: latin-1\nx = '\xe4'\r\n",
            "b.py": b"\xef\xbb\xbfx = 1\n",
            "c.json": b"\xef\xbb\xbf{}\r\n",
        }
    )
    context = context_of(root, "syntax")
    assert {file.path: context.text(file) for file in context.files} == {
        "a.py": "# coding: latin-1\nx = 'ä'\r\n",
        "b.py": "x = 1\n",
        "c.json": "{}\r\n",
    }


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("x = 1\ny = (\n", "not Python that this interpreter can parse: '(' was never closed (line 2)"),
        (f"x = {'-' * 200_000}1\n", "nested too deeply to be parsed"),
    ],
)
def test_what_is_not_python_is_unseen(write: Write, source: str, why: str) -> None:
    context = context_of(write({"a.py": source, "b.json": "{}"}), "syntax")
    ((file, tree),) = context.parsed_python()
    assert tree == Unseen(file.path, why)


def test_an_output_is_read_from_its_report_where_there_is_one() -> None:
    assert (Output(0, "[1]", "").json(), Output(0, "[1]", "", "[2]").json()) == ([1], [2])


def test_a_failure_says_why_and_is_an_error_unless_it_says_otherwise() -> None:
    assert (Failed("no").why, Failed("no").status, str(Failed("no"))) == ("no", Status.ERROR, "no")
    assert Failed("no", Status.INCOMPLETE).status is Status.INCOMPLETE
