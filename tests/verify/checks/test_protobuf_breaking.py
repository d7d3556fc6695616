from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from omni.kernel.settings import load_settings
from omni.verify import tools
from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]

PROTO = """\
syntax = "proto3";
package shop.v1;

message Order {
  string id = 1;
  int32 total = 2;
}
"""


@pytest.fixture(autouse=True)
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
@pytest.mark.usefixtures("committed")
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
@pytest.mark.usefixtures("committed")
def test_what_does_not_compile(look: Look) -> None:
    result = look("protobuf-breaking", {"shop/order.proto": "message {"})
    assert result.status is Status.INCOMPLETE
    assert "buf could not compare them" in result.reason


@pytest.mark.slow
def test_new(look: Look) -> None:
    assert look("protobuf-breaking", {"a.proto": PROTO}).status is Status.SKIPPED
