from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.pipeline.workspace import Workspace

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def made(path: Path) -> tuple[Workspace, str]:
    workspace = Workspace(path, AT)
    workspace.create()
    workspace.write({"a.txt": (b"one\n", False), "bin/run": (b"#!/bin/sh\n", True)})
    return workspace, workspace.commit("feat: first", {"Omni-Run": "r1", "Omni-Stage": "implementation"})


def test_the_same_content_makes_the_same_commit_anywhere(tmp_path: Path) -> None:
    assert made(tmp_path / "x")[1] == made(tmp_path / "y")[1]


def test_the_commit_says_who_made_it_and_why(tmp_path: Path) -> None:
    workspace, _ = made(tmp_path / "x")
    assert workspace.git("log", "-1", "--format=%an|%at|%B") == (
        "Omni|1767323045|feat: first\n\nOmni-Run: r1\nOmni-Stage: implementation\n\n"
    )


def test_restore_brings_back_exactly_the_commit(tmp_path: Path) -> None:
    workspace, commit = made(tmp_path / "x")
    workspace.write({"a.txt": (b"two\n", False), "junk/deep.txt": (b"x", False)})
    (workspace.path / ".git" / "index.lock").touch()  # a git that was killed
    workspace.restore(commit)
    assert sorted(path.name for path in workspace.path.rglob("*") if ".git" not in path.parts) == [
        "a.txt",
        "bin",
        "run",
    ]
    assert (workspace.path / "a.txt").read_bytes() == b"one\n"


def test_a_commit_without_a_change_is_the_one_before(tmp_path: Path) -> None:
    workspace, commit = made(tmp_path / "x")
    assert workspace.commit("feat: nothing", {}) == commit


def test_hooks_that_a_guest_might_plant_do_not_run(tmp_path: Path) -> None:
    workspace, _ = made(tmp_path / "x")
    hook = workspace.path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    workspace.write({"b.txt": (b"b\n", False)})
    workspace.commit("feat: second", {})
    assert not (tmp_path / "ran").exists()


def test_a_git_error_is_one_clear_error(tmp_path: Path) -> None:
    workspace, _ = made(tmp_path / "x")
    with pytest.raises(OmniError, match="git reset"):
        workspace.restore("0" * 40)
