from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.kernel.settings import load_settings
from omni.verify import registry, tools
from omni.verify.report import CheckResult, Report, Status

Look = Callable[..., CheckResult]

PROTO = """\
syntax = "proto3";
package shop.v1;

message Order {
  string id = 1;
  int32 total = 2;
}
"""


@pytest.fixture
def sets(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """The real sets of tools of this machine's Omni home; `look` first, since it replaces them with the base set."""
    settings = load_settings()
    monkeypatch.setattr(
        "omni.verify.session.Session._tools",
        lambda _, toolset: tools.open_tools(settings.home, settings.offline, print, toolset),
    )


@pytest.fixture
def committed(root: Path, git: Callable[..., str]) -> None:
    (root / "shop").mkdir()
    (root / "shop" / "order.proto").write_text(PROTO)
    git("add", "-A")
    git("commit", "-q", "-m", "first")


@pytest.mark.slow
@pytest.mark.usefixtures("sets", "committed")
@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (PROTO.replace("  string id = 1;\n", ""), ["FIELD_NO_DELETE:4"]),
        (PROTO.replace("int32 total", "string total"), ["FIELD_SAME_TYPE:6"]),
        (PROTO.replace("}\n", "  string note = 3;\n}\n"), []),
    ],
)
def test_change(look: Look, now: str, expected: list[str]) -> None:
    result = look("protobuf-breaking", {"shop/order.proto": now})
    assert [f"{each.rule}:{each.line}" for each in result.findings] == expected
    assert {each.path for each in result.findings} <= {"shop/order.proto"}
    assert result.reason == ""


@pytest.mark.slow
@pytest.mark.usefixtures("sets", "committed")
def test_what_does_not_compile(look: Look) -> None:
    result = look("protobuf-breaking", {"shop/order.proto": "message {"})
    assert result.status is Status.INCOMPLETE
    assert "buf could not compare them" in result.reason


@pytest.mark.slow
@pytest.mark.usefixtures("sets")
def test_new(look: Look) -> None:
    assert look("protobuf-breaking", {"a.proto": PROTO}).status is Status.SKIPPED


# ── what comes of what buf says ──────────────────────────────────────────────────────────────────

Git = Callable[..., str]
Replay = Callable[..., CheckResult]


def row(rule: str, message: str, **place: str | int) -> str:
    return json.dumps({"type": rule, "message": message, **place}) + "\n"


@pytest.mark.usefixtures("committed")
def test_what_broke_is_said_with_what_it_was_compared_with(replay: Replay, git: Git) -> None:
    head = git("rev-parse", "--short=12", "HEAD")
    told = row("FIELD_NO_DELETE", "Previously present field", path="shop/order.proto", start_line=4)
    told += row("FILE_NO_DELETE", "Previously present file") + "and words\n"
    result = replay("protobuf-breaking", {"shop/order.proto": f"{PROTO}// more\n"}, told, 100)
    assert [(each.severity, each.rule, each.path, each.line, each.message) for each in result.findings] == [
        ("error", "FILE_NO_DELETE", "", None, f"Previously present file (compared with {head})"),
        ("error", "FIELD_NO_DELETE", "shop/order.proto", 4, f"Previously present field (compared with {head})"),
    ]
    assert (result.status, result.reason) == (Status.FAIL, "")


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    ("told", "exit_code", "stream", "reason"),
    [
        (row("COMPILE", "syntax error", path="a.proto"), 100, 1, "a.proto: syntax error"),
        (row("COMPILE", "syntax error"), 100, 1, ": syntax error"),
        ("Failure: no module\n", 1, 1, "Failure: no module"),
        ("Failure: no module\n", 1, 2, "Failure: no module"),
        ("Failure: no module\n", 100, 2, "Failure: no module"),
        (row("FIELD_NO_DELETE", "gone"), 1, 1, row("FIELD_NO_DELETE", "gone").strip()),
    ],
)
def test_what_could_not_be_compared_is_never_green(
    replay: Replay, told: str, exit_code: int, stream: int, reason: str
) -> None:
    result = replay("protobuf-breaking", {"shop/order.proto": f"{PROTO}// more\n"}, told, exit_code, stream)
    assert (result.status, result.reason, result.findings) == (
        Status.INCOMPLETE,
        f"buf could not compare them: {reason}",
        (),
    )


def test_all_of_the_earlier_state_is_given_to_it(
    root: Path, git: Git, add_tool: Callable[[str, str], None], verify: Callable[..., Report]
) -> None:
    then = {"a.proto": PROTO, "shop/deep/b.proto": PROTO, "buf.yaml": "version: v1\n", "main.go": "package main\n"}
    for path, text in then.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    (root / "a.proto").write_text("")
    add_tool("buf", 'cd "$4" && find . -type f -size +0 | sort >&2; exit 7')
    (result,) = verify(registry.get("protobuf-breaking")).results
    assert result.reason == "buf could not compare them: ./a.proto / ./buf.yaml / ./shop/deep/b.proto"


def test_without_protocol_buffers_in_the_earlier_state_it_does_not_apply(root: Path, git: Git, replay: Replay) -> None:
    (root / "buf.yaml").write_text("version: v1\n")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    result = replay("protobuf-breaking", {"a.proto": PROTO}, "")
    head = git("rev-parse", "--short=12", "HEAD")
    assert (result.status, result.reason) == (Status.SKIPPED, f"{head} has no protocol buffers to compare with")
