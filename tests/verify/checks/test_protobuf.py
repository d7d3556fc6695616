"""What buf prints is understood; that it finds the faults is in test_languages_real.py."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from tests.verify.played import placed

from omni.verify.report import CheckResult, Status

Replay = Callable[..., CheckResult]

ORDER = {
    "shop/order.proto": 'syntax = "proto3";\npackage shop.v1;\nimport "a.proto";\n\nmessage order {\n  A a = 1;\n}\n'
}
MISSING = "imported file does not exist"


def row(line: int, rule: str, message: str) -> str:
    return json.dumps(
        {"path": "shop/order.proto", "start_line": line, "start_column": 3, "type": rule, "message": message}
    )


LOST = f"{row(3, 'COMPILE', MISSING)}\n{row(6, 'COMPILE', 'cannot find `A` in this scope')}\n"
STYLE = row(5, "MESSAGE_PASCAL_CASE", "should be PascalCase") + "\n"


@pytest.mark.parametrize(
    ("more", "severity"),
    [("a.yaml", "note"), ("buf.yaml", "error"), ("proto/buf.yaml", "error"), ("buf.work.yaml", "error")],
)
def test_a_fault_of_style_counts_where_the_project_chose_the_rules(replay: Replay, more: str, severity: str) -> None:
    assert placed(replay("protobuf", {**ORDER, more: "version: v1\n"}, STYLE, 100)) == [
        (severity, "MESSAGE_PASCAL_CASE", "shop/order.proto", 5, 3, "should be PascalCase")
    ]


def test_what_does_not_compile_is_an_error(replay: Replay) -> None:
    broken = row(6, "COMPILE", "cannot find `A` in this scope")
    expected = [("error", "COMPILE", "shop/order.proto", 6, 3, "cannot find `A` in this scope")]
    assert placed(replay("protobuf", ORDER, f"{broken}\n", 100)) == expected


def test_an_import_that_is_not_found_is_one_only_where_the_project_says_where_imports_start(replay: Replay) -> None:
    """A name may stand in the file that was not found."""
    result = replay("protobuf", ORDER, LOST + STYLE, 100)
    assert [each[1] for each in placed(result)] == ["MESSAGE_PASCAL_CASE"]
    assert (result.status, result.reason) == (
        Status.INCOMPLETE,
        "shop/order.proto: imported file does not exist; a buf.yaml says where imports start",
    )
    result = replay("protobuf", {**ORDER, "buf.yaml": "version: v1\n"}, LOST + STYLE, 100)
    assert sorted(each[0:2] for each in placed(result)) == [
        ("error", "COMPILE"),
        ("error", "COMPILE"),
        ("error", "MESSAGE_PASCAL_CASE"),
    ]


def test_an_error_without_a_place(replay: Replay) -> None:
    bare = json.dumps({"type": "COMPILE", "message": "no package"})
    assert placed(replay("protobuf", ORDER, f"{bare}\n", 1)) == [("error", "COMPILE", "", None, None, "no package")]


@pytest.mark.parametrize(("stream", "reason"), [(2, "Failure: no such module"), (1, "")])
def test_when_it_gives_up_its_words_are_the_reason(replay: Replay, stream: int, reason: str) -> None:
    result = replay("protobuf", ORDER, "Failure:  no such\nmodule\n", 1, stream)
    assert (result.status, result.reason) == (Status.INCOMPLETE, f"buf could not look at it: {reason}")
