"""What cargo and rustfmt print is understood, in each case that their recorded outputs don't hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
from tests.verify.played import placed

from omni.verify.report import CheckResult, Status

Replay = Callable[..., CheckResult]

FILES = {"Cargo.toml": "[package]\n", "src/main.rs": "fn main() {\n    f();\n}\n"}
BUILT = '{"reason": "build-finished", "success": true}\n'


def compiled(level: str, code: str = "", **place: object) -> str:
    span = {"is_primary": True, "file_name": "src/main.rs", "line_start": 2, "column_start": 5} | place
    spans = [{**span, "is_primary": False, "line_start": 1}, span]
    message = {"level": level, "message": "no such function", "code": {"code": code} if code else None, "spans": spans}
    return json.dumps({"reason": "compiler-message", "message": message}) + "\n"


def test_clippy_s_levels_and_places(replay: Replay) -> None:
    """A note is none of its findings, nor is what lies in another package, or nowhere."""
    lines = (
        compiled("warning", "clippy::len_zero"),
        compiled("error", "E0425", column_start="5"),
        compiled("error: internal compiler error"),
        compiled("note", "E1"),
        compiled("error", "E2", file_name="/root/.cargo/a.rs"),
        compiled("error", "E3", is_primary=False),
        "warning: and words\n",
        BUILT,
    )
    result = replay("rust-clippy", FILES, "".join(lines), 101)
    assert sorted(placed(result), key=str) == [
        ("error", "E0425", "src/main.rs", 2, None, "no such function"),
        ("error", "compile", "src/main.rs", 2, 5, "no such function"),
        ("warning", "clippy::len_zero", "src/main.rs", 2, 5, "no such function"),
    ]


def test_each_outermost_package_is_compiled(replay: Replay) -> None:
    """Those within one are its own affair; what it says is relative to it."""
    files = {f"{folder}/Cargo.toml": "[package]\n" for folder in ("a", "a/inner", "b", "b-more")}
    files |= {f"{folder}/src/main.rs": "fn main() {\n}\n" for folder in ("a", "b", "b-more")}
    result = replay("rust-clippy", files, compiled("warning", "x") + BUILT)
    assert [each[2] for each in placed(result)] == ["a/src/main.rs", "b-more/src/main.rs", "b/src/main.rs"]


@pytest.mark.parametrize(
    ("told", "stream", "reason"),
    [
        ("error: no\n matching package\n", 2, "cargo could not compile .: error: no matching package"),
        ("", 1, "cargo could not compile .: it said nothing"),
        (compiled("warning", "x"), 1, "cargo could not compile .: it said nothing"),
    ],
)
def test_what_cargo_did_not_compile_is_not_judged(replay: Replay, told: str, stream: int, reason: str) -> None:
    result = replay("rust-clippy", FILES, told, 101, stream)
    assert (result.status, result.reason) == (Status.INCOMPLETE, reason)


def test_without_a_package_it_can_not_be_compiled(replay: Replay) -> None:
    result = replay("rust-clippy", {"a.rs": "fn a() {}\n"}, BUILT)
    assert (result.status, dict(result.coverage.failed)) == (
        Status.INCOMPLETE,
        {"a.rs": "there is no Cargo.toml that says how to compile it"},
    )


def test_rustfmt(replay: Replay) -> None:
    files = {"a.rs": "fn a() {}\n", "b.rs": "fn b() {}\n"}
    for told in ("/work/a.rs\n/work/b.rs\n/work/a.rs\n", "Diff in /work/a.rs:1:\n-x\n+y\nDiff in /work/b.rs:7:\n"):
        assert placed(replay("rust-format", files, told, 1)) == [
            ("note", "unformatted", path, 1, None, "rustfmt would lay it out otherwise") for path in ("a.rs", "b.rs")
        ]
    broken = "error[E0765]: no end\n --> /work/a.rs:3:7\n\nerror: expected one of\n  --> /work/b.rs:4:1\n"
    assert placed(replay("rust-format", files, broken, 1, 2)) == [
        ("warning", "syntax", "a.rs", 3, None, "no end"),
        ("warning", "syntax", "b.rs", 4, None, "expected one of"),
    ]


def advisory(*patched: str) -> Mapping[str, object]:
    package = {"name": "time", "version": "0.1.44"}
    return {"advisory": {"id": "R-1", "title": "It crashes"}, "package": package, "versions": {"patched": patched}}


@pytest.mark.parametrize(
    ("patched", "fix"),
    [
        ((">=0.2", ">=0.1.99"), "Update to >=0.2 or >=0.1.99."),
        ((), "There is no better version yet: replace it."),
    ],
)
def test_an_advisory_says_what_to_do(replay: Replay, patched: tuple[str, ...], fix: str) -> None:
    report = {"vulnerabilities": {"list": [advisory(*patched)]}, "warnings": {}}
    result = replay("cargo-audit", {"Cargo.lock": "\n"}, json.dumps(report), 1)
    assert placed(result) == [("error", "R-1", "Cargo.lock", 1, None, "time 0.1.44: It crashes")]
    assert (result.findings[0].fix, result.findings[0].cwe) == (fix, "CWE-1395")


def test_what_cargo_audit_warns_of(replay: Replay) -> None:
    """By kind; a withdrawn package has no advisory. Each lock is asked by itself."""
    yanked = {"package": {"name": "old", "version": "1.0.0"}, "advisory": None, "versions": None}
    report = {"vulnerabilities": {"list": []}, "warnings": {"unsound": [advisory()], "yanked": [yanked]}}
    locks = {"Cargo.lock": '[[package]]\nname = "old"\n', "sub/Cargo.lock": "\n"}
    told = placed(replay("cargo-audit", locks, json.dumps(report), 0))
    assert told == [
        ("warning", "R-1", "Cargo.lock", 1, None, "time 0.1.44: It crashes"),
        ("note", "yanked", "Cargo.lock", 2, None, "old 1.0.0 is yanked"),
        ("warning", "R-1", "sub/Cargo.lock", 1, None, "time 0.1.44: It crashes"),
        ("note", "yanked", "sub/Cargo.lock", 1, None, "old 1.0.0 is yanked"),
    ]
