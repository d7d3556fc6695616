from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from omni.sandbox import cgroup
from omni.sandbox.job import Limits


@pytest.fixture
def version_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up v2 tree, in which plain files take what is written; this machine may have the other version."""
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    monkeypatch.setattr(cgroup, "_own", lambda: "0::/service\n")
    (tmp_path / "service").mkdir()
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory pids\n")
    (tmp_path / "service" / "cgroup.subtree_control").write_text("\n")
    return tmp_path


def test_version_2_takes_the_nearest_group_that_hands_its_controllers_down(version_2: Path) -> None:
    group = cgroup.create(Limits())
    assert group is not None
    assert [folder.parent for folder in group.folders] == [version_2]


def test_version_2_without_controllers_gives_none(version_2: Path) -> None:
    (version_2 / "cgroup.subtree_control").write_text("cpu\n")
    assert cgroup.create(Limits()) is None


@pytest.mark.parametrize(
    ("file", "text", "killed"),
    [
        ("memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 0\n", True),
        ("memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 0\n", False),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", True),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", False),
    ],
)
def test_the_kernels_note_of_a_kill_is_read(tmp_path: Path, file: str, text: str, killed: bool) -> None:
    (tmp_path / file).write_text(text)
    assert cgroup.Group((tmp_path,)).out_of_memory() is killed


def test_a_mark_names_one_process_and_not_its_successor() -> None:
    assert cgroup.lives(cgroup.owner())
    namespace, pid, start = cgroup.owner().split("-")
    assert not cgroup.lives(f"{namespace}-{pid}-{int(start) + 1}")
    with subprocess.Popen(["true"]) as child:
        mark = f"{namespace}-{child.pid}-{cgroup.started(child.pid)}"
    assert not cgroup.lives(mark)
    assert not cgroup.lives("rubbish")


def test_what_another_pid_namespace_made_is_its_own_to_clear_away() -> None:
    namespace, pid, start = cgroup.owner().split("-")
    assert cgroup.lives(f"{int(namespace) + 1}-{pid}-{int(start) + 1}")


@pytest.mark.host
@pytest.mark.skipif(not cgroup.available(), reason="this user may not make cgroups")
def test_members_are_capped_and_the_group_goes_away() -> None:
    group = cgroup.create(Limits(memory=64, processes=7))
    assert group is not None
    with subprocess.Popen(["sleep", "30"]) as child:
        group.add(child.pid)
        caps = {path.name: path.read_text().strip() for folder in group.folders for path in folder.glob("*.max")}
        assert caps["pids.max"] == "9"
        child.kill()
    group.remove()
    assert not any(folder.exists() for folder in group.folders)


@pytest.mark.host
@pytest.mark.skipif(not cgroup.available(), reason="this user may not make cgroups")
def test_groups_of_a_dead_omni_are_swept_with_their_members_and_others_are_not() -> None:
    mine = cgroup.create(Limits())
    assert mine is not None
    namespace = cgroup.owner().split("-")[0]  # our pid, another start
    left = [folder.parent / f"omni-sandbox-{namespace}-{os.getpid()}-1-0" for folder in mine.folders]
    for folder in left:
        folder.mkdir()
    with subprocess.Popen(["sleep", "30"]) as child:
        cgroup.Group(tuple(left)).add(child.pid)
        cgroup.sweep()
        assert child.wait(5) == -9
    assert [folder.exists() for folder in (*left, *mine.folders)] == [False] * len(left) + [True] * len(mine.folders)
    mine.remove()
