"""A clone that runs nothing of a hostile repository, changes no byte, and leaves a branch and nothing else."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from omni.pipeline.blame import blame
from omni.pipeline.change import checkout
from omni.pipeline.workspace import Workspace
from omni.verify import repository

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WHO = ("-c", "user.name=a", "-c", "user.email=a@example.org")
FILES = {
    "src/app.py": b"def one():\r\n    return 1\r\n",
    "data.bin": bytes(range(256)),
    "big.bin": b"lfs pointer, so to say\n",
    "läst/größe.txt": "ü\n".encode(),
    ".gitattributes": b"* text=auto eol=lf\n*.bin filter=lfs diff=evil\n*.py ident working-tree-encoding=UTF-16\n",
    ".gitignore": b"ignored/\n",
}


def git(root: Path, *argv: str) -> str:
    return subprocess.run(["git", "-C", str(root), *WHO, *argv], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A repository whose every means of running something leaves a file `ran`."""
    root, ran = tmp_path / "repository", tmp_path / "ran"
    root.mkdir()
    git(root, "init", "-q", "-b", "work")
    (root / ".git" / "info" / "attributes").write_text("* -text -filter -ident -working-tree-encoding\n")
    for name, data in FILES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(data)
    (root / "link").symlink_to("/etc/passwd")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    (root / ".git" / "info" / "attributes").unlink()
    evil = f"touch {ran}; cat"
    for name in ("filter.lfs.clean", "filter.lfs.smudge", "diff.evil.textconv", "core.fsmonitor", "core.sshCommand",
                 "core.alternateRefsCommand", "uploadpack.packObjectsHook", "core.pager", "core.editor"):  # fmt: skip
        git(root, "config", name, evil)
    for hook in ("reference-transaction", "post-checkout", "pre-commit", "post-commit", "update", "post-rewrite"):
        script = root / ".git" / "hooks" / hook
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"#!/bin/sh\ntouch {ran}\n")
        script.chmod(0o755)
    (root / "unsaved.txt").write_text("what a person is writing\n")
    return root


def state(root: Path) -> dict[str, bytes]:
    """All but objects and references: files, index, configuration."""
    inside = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path): path.read_bytes() for path in inside if not {"objects", "refs", "logs"} & {*path.parts}}


def test_a_change_of_a_hostile_repository(hostile: Path, tmp_path: Path) -> None:
    before, base = state(hostile), repository.commit(hostile, "HEAD")
    workspace = Workspace(tmp_path / "workspace", AT)
    checkout.clone(hostile, base, workspace)
    assert {name: (workspace.path / name).read_bytes() for name in FILES} == FILES
    assert workspace.commit("nothing", {}) == base

    workspace.write({"src/app.py": (b"def one():\r\n    return 2\r\n", False), "ignored/x": (b"", False)})
    (workspace.path / "data.bin").unlink()
    tip = workspace.commit("fix: one is two\n\nSince it is.", {"Omni-Run": "r1", "Omni-Model": "m", "Omni-Role": "x"})
    assert [(each.path, each.added, each.removed) for each in checkout.changed(workspace, base, tip)] == [
        ("data.bin", 0, 0),
        ("src/app.py", 1, 1),
    ]
    for _ in range(2):
        assert checkout.hand_over(workspace, hostile, base, tip, "omni/fix-one") == "omni/fix-one"

    assert state(hostile) == before
    assert not (tmp_path / "ran").exists()
    assert repository.branches(hostile) == {"work", "omni/fix-one"}
    assert repository.commit(hostile, "omni/fix-one^") == base
    assert repository.text_at(hostile, tip, "src/app.py") == "def one():\r\n    return 2\r\n"
    fsck = subprocess.run(["git", "-C", str(hostile), "fsck", "--strict"], capture_output=True, text=True)
    assert fsck.returncode == 0


def test_a_name_that_is_taken_gets_a_number(hostile: Path, tmp_path: Path) -> None:
    base, tips = repository.commit(hostile, "HEAD"), []
    for number in range(3):
        workspace = Workspace(tmp_path / f"workspace{number}", AT)
        checkout.clone(hostile, base, workspace)
        workspace.write({"n": (str(number).encode(), False)})
        tips.append(workspace.commit("n", {}))
        checkout.hand_over(workspace, hostile, base, tips[-1], "omni/n")
    assert [repository.commit(hostile, f"refs/heads/omni/n{end}") for end in ("", "-2", "-3")] == tips


def test_a_branch_omni_leaves_no_room_below_it(hostile: Path, tmp_path: Path) -> None:
    base = repository.commit(hostile, "HEAD")
    (hostile / ".git" / "refs" / "heads" / "omni").write_text(f"{base}\n")
    workspace = Workspace(tmp_path / "workspace", AT)
    checkout.clone(hostile, base, workspace)
    workspace.write({"n": (b"", False)})
    assert checkout.hand_over(workspace, hostile, base, workspace.commit("n", {}), "omni/n") == "omni-n"


def test_the_patch_makes_the_same_commit_content(hostile: Path, tmp_path: Path) -> None:
    base = repository.commit(hostile, "HEAD")
    workspace = Workspace(tmp_path / "workspace", AT)
    checkout.clone(hostile, base, workspace)
    workspace.write({"data.bin": (bytes(255 - byte for byte in range(256)), False), "new": (b"x\r\n", True)})
    tip = workspace.commit("feat: new", {"Omni-Run": "r1"})
    patch = checkout.patch(workspace, base, tip)
    workspace.restore(base)
    workspace.git("am", "-q", "--keep-cr", stdin=patch.encode())
    assert checkout.changed(workspace, tip, workspace.head()) == ()


def test_a_shallow_clone_and_a_linked_work_tree_are_repositories_too(hostile: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    git(plain, "init", "-q", "-b", "work")
    for number in range(3):
        (plain / "n").write_text(str(number))
        git(plain, "add", "n")
        git(plain, "commit", "-q", "-m", str(number))
    git(plain, "worktree", "add", "-q", str(tmp_path / "linked"))
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{plain}", "shallow")
    for name in ("linked", "shallow"):
        source, workspace = tmp_path / name, Workspace(tmp_path / f"of-{name}", AT)
        base = repository.commit(source, "HEAD")
        checkout.clone(source, base, workspace)
        workspace.write({"n": (b"3", False)})
        tip = workspace.commit("n", {})
        checkout.hand_over(workspace, source, base, tip, "omni/n")
        assert repository.text_at(source, "omni/n", "n") == "3"


def test_each_line_says_where_it_comes_from(hostile: Path, tmp_path: Path) -> None:
    base = repository.commit(hostile, "HEAD")
    workspace = Workspace(tmp_path / "workspace", AT)
    checkout.clone(hostile, base, workspace)
    workspace.write({"src/app.py": (b"def one():\r\n    return 2\r\n", False)})
    trailers = {"Omni-Run": "r1", "Omni-Stage": "change", "Omni-Role": "developer", "Omni-Model": "local/m",
                "Omni-Prompt": "developer@3", "Omni-Knowledge": "k7"}  # fmt: skip
    workspace.commit("fix: one\n\nOmni-Model: forged above\n\nWhy.", trailers)
    lines = blame(workspace.path / "src" / "app.py")
    assert [(each.line, each.run, each.role, each.model, each.prompt, each.knowledge) for each in lines] == [
        (1, "", "", "", "", ""),
        (2, "r1", "developer", "local/m", "developer@3", "k7"),
    ]
    assert lines[1].text == "    return 2"
    assert not (tmp_path / "ran").exists()
