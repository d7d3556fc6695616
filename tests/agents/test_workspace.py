"""The workspace: no path leads out, no link is followed, and what a command changed comes back, and nothing else."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omni.agents.workspace import AgentWorkspace, Refused, inside
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.errors import OmniError
from omni.sandbox.bubblewrap import Bubblewrap
from omni.sandbox.job import Job, JobResult


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small project, with links that a hostile repository may have."""
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("[core]\n")
    (folder / "src" / "main.py").write_text("print('one')\n")
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o750)
    (folder / "tests" / "test_main.py").write_text("def test(): ...\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("canary")
    (folder / "link").symlink_to(tmp_path / "outside" / "secret")
    (folder / "linked").symlink_to(tmp_path / "outside")
    return folder


@pytest.fixture
def workspace(root: Path) -> AgentWorkspace:
    return AgentWorkspace(root, protected=("tests", "*.lock"))


OUTSIDE = ("../outside/secret", "/etc/passwd", "src/../../outside/secret", "~/.ssh/id", "a\0b", "\ud800", ".git/config",
           "src/.GIT/config", "/work/../etc/passwd")  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
def test_paths_that_lead_out(workspace: AgentWorkspace, path: str) -> None:
    with pytest.raises(Refused) as read:
        workspace.read(path)
    with pytest.raises(Refused) as written:
        workspace.write(path, b"x")
    assert (read.value.kind, written.value.kind) == ("path", "path")


@pytest.mark.parametrize("path", ["link", "linked/secret", "linked/new/file"])
def test_links_are_not_followed(workspace: AgentWorkspace, tmp_path: Path, path: str) -> None:
    with pytest.raises(Refused, match="symbolic link"):
        workspace.read(path)
    with pytest.raises(Refused, match="symbolic link"):
        workspace.write(path, b"x")
    assert [each.name for each in (tmp_path / "outside").iterdir()] == ["secret"]
    assert (tmp_path / "outside" / "secret").read_text() == "canary"


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("tests/test_main.py", "protected", "protected by the task"),
        ("tests/new/test_more.py", "protected", "protected by the task"),
        ("uv.lock", "protected", "protected by the task"),
        ("omni.toml", "protected", "only a person changes it"),
        ("packages/one/omni.toml", "protected", "only a person changes it"),
        ("src", "path", "a folder"),
        ("src/main.py/x", "path", "not a folder"),
        ("", "path", "workspace itself"),
        ("x" * 300, "path", "too long"),
    ],
)
def test_what_may_not_be_written(workspace: AgentWorkspace, path: str, kind: str, said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        workspace.write(path, b"x")
    assert refused.value.kind == kind


def test_what_is_no_file_is_not_read(workspace: AgentWorkspace, root: Path) -> None:
    os.mkfifo(root / "pipe")
    for path, said in (("pipe", "not a regular file"), ("src", "a folder"), ("gone", "no such file")):
        with pytest.raises(Refused, match=said):
            workspace.read(path)


@given(st.text())
@settings(max_examples=60, deadline=None)
def test_a_path_is_inside_or_refused(path: str) -> None:
    try:
        name = inside(path)
    except Refused:
        return
    parts = name.split("/")
    assert not name.startswith("/")
    assert not {"..", "."} & set(parts)
    assert ".git" not in {part.casefold() for part in parts}


def test_write_keeps_the_mode_and_makes_folders(workspace: AgentWorkspace, root: Path) -> None:
    workspace.write("/work/run", b"#!/bin/bash\n")
    workspace.write("./docs/new/page.md", b"# New\n")
    assert ((root / "run").read_bytes(), (root / "run").stat().st_mode & 0o777) == (b"#!/bin/bash\n", 0o750)
    assert (root / "docs/new/page.md").read_bytes() == b"# New\n"
    assert workspace.read("docs/new/page.md") == b"# New\n"
    assert workspace.files() == ("docs/new/page.md", "run", "src/main.py", "tests/test_main.py")


def test_snapshot_and_restore(workspace: AgentWorkspace, root: Path, tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "store")
    first = workspace.snapshot(store)
    workspace.write("src/main.py", b"print('two')\n")
    workspace.write("new/file", b"x")
    (root / "run").chmod(0o640)
    (root / "tests/test_main.py").unlink()
    (root / "link").unlink()
    (root / "link").write_text("a file now")
    (root / os.fsdecode(b"not-utf8-\xff")).write_text("x")
    second = workspace.snapshot(store)
    assert AgentWorkspace(root).snapshot(store) == second
    workspace.restore(store, first)
    assert workspace.snapshot(store) == first
    assert workspace.files() == ("run", "src/main.py", "tests/test_main.py")
    assert (root / "link").is_symlink()
    assert (root / "run").stat().st_mode & 0o777 == 0o750
    assert not (root / "new").exists()
    AgentWorkspace(root).restore(store, second)  # by a process that knows nothing of it
    assert workspace.snapshot(store) == second
    assert (root / ".git/config").read_text() == "[core]\n"


def test_many_files_are_kept_too(workspace: AgentWorkspace, root: Path, tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "store")
    for number in range(40):
        workspace.write(f"many/{number}", b"%d" % number)
    many = workspace.snapshot(store)
    half = store.path("sha256:" + hashlib.sha256(b"7").hexdigest())
    half.chmod(0o644)
    half.write_bytes(b"")  # as a crash may leave it
    assert AgentWorkspace(root).snapshot(store) == many
    (root / "many" / "7").unlink()
    workspace.restore(store, many)
    assert (root / "many" / "7").read_bytes() == b"7"


def test_restore_of_what_is_not_kept(workspace: AgentWorkspace, tmp_path: Path) -> None:
    with pytest.raises(OmniError, match="missing"):
        workspace.restore(ArtifactStore(tmp_path / "store"), f"sha256:{'0' * 64}")


def _run(workspace: AgentWorkspace, script: str) -> tuple[JobResult, dict[str, tuple[str, ...]]]:
    result, changes = workspace.run(Bubblewrap(), Job(("bash", "-c", script), workspace.root))
    return result, {"written": changes.written, "deleted": changes.deleted, "refused": changes.refused}


@pytest.mark.host
def test_what_a_command_changed_comes_back(workspace: AgentWorkspace, root: Path) -> None:
    result, changes = _run(
        workspace,
        "echo two > src/main.py; chmod 644 run; mkdir -p a/b; echo x > a/b/c; chmod +x a/b/c; touch src/same;"
        "rm link; echo file > link; mkdir -p src/__pycache__ .pytest_cache; touch src/__pycache__/x .pytest_cache/y;"
        "mkdir env; touch env/pyvenv.cfg env/python",
    )
    assert result.exit_code == 0
    assert changes == {"written": ("a/b/c", "link", "run", "src/main.py", "src/same"), "deleted": (), "refused": ()}
    assert (root / "src/main.py").read_text() == "two\n"
    assert [(root / name).stat().st_mode & 0o777 for name in ("run", "a/b/c")] == [0o644, 0o755]
    assert not (root / "link").is_symlink()
    assert not (root / "env").exists()


@pytest.mark.host
def test_deletions_and_exchanged_kinds_come_back(workspace: AgentWorkspace, root: Path) -> None:
    _, changes = _run(workspace, "rm -r src; echo file > src; rm run; mkdir run; echo x > run/it; rm linked")
    assert changes == {"written": ("run/it", "src"), "deleted": ("linked", "run", "src/main.py"), "refused": ()}
    assert (root / "src").read_text() == "file\n"
    assert (root / "run/it").read_text() == "x\n"
    assert not (root / "linked").is_symlink()


@pytest.mark.host
def test_what_may_not_come_back(workspace: AgentWorkspace, root: Path, tmp_path: Path) -> None:
    """Links, git's own folder, protected files: neither written nor deleted on the host."""
    outside = tmp_path / "outside"
    _, changes = _run(
        workspace,
        "mkdir -p .git/hooks sub/.git; echo evil > .git/hooks/post-checkout; echo evil > sub/.git/config;"
        "rm -r tests; echo x > uv.lock; ln -s /etc/passwd planted; rm src/main.py; ln -s /etc src/main.py;"
        "rm linked; mkdir linked; echo new > linked/secret",
    )
    assert changes == {
        "written": ("linked/secret",),
        "deleted": ("linked",),
        "refused": (
            ".git/hooks/post-checkout: Omni alone writes .git",
            "planted: symbolic link",
            "src/main.py: symbolic link",
            "sub/.git/config: Omni alone writes .git",
            "tests/test_main.py: protected by the task; it stays as it is",
            "uv.lock: protected by the task; it stays as it is",
        ),
    }
    assert (root / "src/main.py").read_text() == "print('one')\n"
    assert (root / "tests/test_main.py").exists()
    assert not (root / ".git/hooks").exists()
    assert (outside / "secret").read_text() == "canary"


@pytest.mark.host
def test_a_folder_that_became_a_link_keeps_what_it_had(workspace: AgentWorkspace, root: Path) -> None:
    _, changes = _run(workspace, "rm -r src; ln -s /etc src")
    assert changes == {"written": (), "deleted": (), "refused": ("src: symbolic link",)}
    assert (root / "src/main.py").exists()


@pytest.mark.host
def test_a_killed_command_brings_back_what_it_did(workspace: AgentWorkspace, root: Path) -> None:
    from omni.sandbox.job import Limits

    job = Job(("bash", "-c", "echo half > half; sleep 60"), workspace.root, limits=Limits(wall=1))
    result, changes = workspace.run(Bubblewrap(), job)
    assert (result.ended, changes.written) == ("timeout", ("half",))
