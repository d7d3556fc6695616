"""What cppcheck, gcc and clang-tidy say of C. Recorded output: test_adapters.py; real runs: test_languages_real.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from omni.verify.check import Context, Output
from omni.verify.checks.c import parse_cppcheck
from omni.verify.report import CheckResult, Status

Replay = Callable[..., CheckResult]

FILES = {"src/a.c": "int a;\nint b;\nint c;\nint d;\n", "src/include/a.h": "int a;\n", "b.c": "int b;\n"}


def shown(result: CheckResult) -> list[tuple[object, ...]]:
    return [
        (str(each.severity), each.rule, each.path, each.line, each.column, each.message, each.cwe)
        for each in result.findings
    ]


def printed(output: Output) -> Output:
    """The program in its place prints what the real one writes into a file."""
    return replace(output, report=output.stdout)


def told(rule: str, severity: str, place: str, more: str = "") -> str:
    return f'<error id="{rule}" severity="{severity}" msg="About {rule}." {more}>{place}</error>'


def at(path: str, line: int, column: int) -> str:
    return f'<location file="{path}" line="{line}" column="{column}"/>'


CPPCHECK = "".join(
    (
        told("nullPointer", "error", at("src/a.c", 2, 5) + at("b.c", 1, 1), 'cwe="476"'),
        told("uninitvar", "warning", at("src/a.c", 3, 1)),
        told("portable", "portability", at("{root}/b.c", 1, 2)),
        told("unknownMacro", "error", at("b.c", 1, 1)),
        told("noFile", "error", ""),
        told("toomanyconfigs", "information", ""),
    )
)


def test_cppcheck(replay: Replay) -> None:
    """At the first location; what it could not parse is no finding, and what it could not do at all is said."""
    report = f'<?xml version="1.0"?><results version="2"><errors>{CPPCHECK}</errors></results>'
    result = replay("cppcheck", FILES, report, parse=lambda context, output: parse_cppcheck(context, printed(output)))
    assert shown(result) == snapshot(
        [
            ("note", "portable", "b.c", 1, 2, "About portable.", ""),
            ("error", "nullPointer", "src/a.c", 2, 5, "About nullPointer.", "CWE-476"),
            ("warning", "uninitvar", "src/a.c", 3, 1, "About uninitvar.", ""),
        ]
    )
    assert (result.status, result.reason) == snapshot(
        (Status.FAIL, "cppcheck: About noFile.; 1 of 3 files not analysed: b.c (line 1: About unknownMacro.)")
    )


@pytest.mark.parametrize("report", ["", "\x0c", "<results"])
def test_a_report_of_cppcheck_that_is_no_xml_is_no_pass(replay: Replay, report: str) -> None:
    result = replay("cppcheck", FILES, report, parse=lambda context, output: parse_cppcheck(context, printed(output)))
    said = "cppcheck did not print what it should (ParseError("
    assert (result.status, result.reason[: len(said)]) == (Status.ERROR, said)


def diagnostic(kind: str, message: str, path: str | None = "src/a.c", line: int = 2, **more: object) -> object:
    places = [{"caret": {"file": path, "line": line, "column": 3}}] if path else []
    return {"kind": kind, "message": message, "locations": places, **more}


def gcc(*lists: list[object]) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in lists)


def test_gcc(replay: Replay) -> None:
    said = gcc(
        [],
        [
            diagnostic("warning", "leak", option="-Wanalyzer-malloc-leak", metadata={"cwe": 401}),
            diagnostic("warning", "no return", option="-Wreturn-type"),
            diagnostic("warning", "freed", option="-Wanalyzer-use-after-free"),
            diagnostic("error", "syntax", line=4),
            diagnostic("fatal error", "too many"),
            diagnostic("note", "by the way"),
            diagnostic("warning", "in a library", "/usr/include/stdio.h", option="-Wunused"),
            diagnostic("warning", "in the compiler", "<built-in>", option="-Wunused"),
            diagnostic("error", "nowhere", None),
            diagnostic("fatal error", "missing.h: No such file or directory"),
        ],
    )
    result = replay("gcc-analyzer", FILES, "compiling\n" + said, 1, 2)
    assert shown(result) == snapshot(
        [
            ("error", "compile", "src/a.c", None, None, "nowhere", ""),
            ("warning", "-Wanalyzer-malloc-leak", "src/a.c", 2, 3, "leak", "CWE-401"),
            ("error", "-Wanalyzer-use-after-free", "src/a.c", 2, 3, "freed", ""),
            ("error", "-Wreturn-type", "src/a.c", 2, 3, "no return", ""),
            ("error", "compile", "src/a.c", 2, 3, "too many", ""),
            ("error", "compile", "src/a.c", 4, 3, "syntax", ""),
        ]
    )
    assert (result.status, result.reason) == snapshot(
        (Status.FAIL, "1 of 3 files not analysed: src/a.c (it includes missing.h, which is not here)")
    )


@pytest.mark.parametrize("said", ["", gcc([]), gcc([], [], []), "cc1: out of\n memory\n"])
def test_gcc_that_says_something_of_other_files_is_not_believed(replay: Replay, said: str) -> None:
    result = replay("gcc-analyzer", FILES, said, 1, 2)
    lists = said.count("[")
    words = " ".join(said.split())
    assert result.status is Status.ERROR
    assert f"gcc said something of {lists} of 2 files: {words}".strip() in result.reason


CLANG = """\
src/a.c:2:5: warning: freed twice [clang-analyzer-unix.Malloc]
src/a.c:3:1: error: no type [clang-diagnostic-error]
src/a.c:3:1: note: declared here [x]
src/a.c:4:1: warning: two names [bugprone-a,cert-b]
{root}/b.c:1:7: warning: odd [bugprone-c]
/usr/include/stdio.h:9:1: warning: theirs [bugprone-d]
b.c:1:1: error: 'missing.h' file not found [clang-diagnostic-error]
2 warnings generated.
"""


def test_clang_tidy(replay: Replay) -> None:
    result = replay("clang-tidy", FILES, CLANG, 1)
    assert shown(result) == snapshot(
        [
            ("warning", "bugprone-c", "b.c", 1, 7, "odd", ""),
            ("warning", "clang-analyzer-unix.Malloc", "src/a.c", 2, 5, "freed twice", ""),
            ("error", "clang-diagnostic-error", "src/a.c", 3, 1, "no type", ""),
            ("warning", "bugprone-a,cert-b", "src/a.c", 4, 1, "two names", ""),
        ]
    )
    assert (result.status, result.reason) == snapshot(
        (Status.FAIL, "1 of 3 files not analysed: b.c (it includes what is not here: 'missing.h' file not found)")
    )


def test_clang_tidy_that_fails_without_a_finding(replay: Replay) -> None:
    result = replay("clang-tidy", FILES, "no such\n option\n", 1)
    assert (result.status, result.reason) == (Status.ERROR, "clang-tidy failed: no such option")


@pytest.mark.parametrize(
    ("check", "files", "asked"),
    [
        ("gcc-analyzer", FILES, "-fdiagnostics-format=json -I. -Isrc/include b.c src/a.c"),
        ("clang-tidy", FILES, "-bugprone-easily-swappable-parameters b.c src/a.c -- -I. -Isrc/include"),
        ("clang-tidy", {**FILES, "compile_commands.json": "[]"}, "swappable-parameters b.c src/a.c"),
        ("clang-tidy", {**FILES, "src/.clang-tidy": ""}, "--quiet b.c src/a.c -- -I. -Isrc/include"),
        ("gcc-analyzer", {"inc/a.h": ""}, None),
        ("clang-tidy", {"inc/a.h": "", "b.hpp": ""}, None),
    ],
)
def test_headers_are_seen_through_what_includes_them(
    replay: Replay, monkeypatch: pytest.MonkeyPatch, check: str, files: Mapping[str, str], asked: str | None
) -> None:
    given: list[str] = []

    def execute(_context: Context, _tool: str, *argv: str) -> Output:
        given.append(" ".join(argv))
        return Output(0, "", "[]\n[]\n")

    monkeypatch.setattr(Context, "execute", execute)
    result = replay(check, files, "")
    assert (result.status, result.reason, len(given)) == (Status.PASS, "", int(asked is not None))
    assert all(each.endswith(asked or "") for each in given)
