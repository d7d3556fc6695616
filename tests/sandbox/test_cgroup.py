from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
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


def test_version_2_writes_the_caps_that_the_kernel_offers(version_2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain folder offers no files, so they are laid into it as it is made."""
    offered = ["memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.weight", "cgroup.procs"]
    _offer(monkeypatch, offered)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    group = cgroup.create(Limits(memory=64, processes=7))
    assert group is not None
    group.add(77)
    (folder,) = group.folders
    assert folder.parent == version_2
    assert folder.name.startswith(f"omni-sandbox-{cgroup.owner()}-")
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "memory.max": "67108864",
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": "9",
        "cpu.weight": "300",
        "cgroup.procs": "77",
    }


def _offer(monkeypatch: pytest.MonkeyPatch, files: list[str]) -> None:
    def mkdir(folder: Path) -> None:
        whole(folder)
        for name in files:
            (folder / name).touch()

    whole = Path.mkdir
    monkeypatch.setattr(Path, "mkdir", mkdir)


@pytest.mark.parametrize(("processors", "shares", "weight"), [(3, 3072, 300), (200, 204800, 10000), (None, 1024, 100)])
def test_the_weight_of_a_job_is_that_of_one_process_for_each_processor(
    processors: int | None, shares: int, weight: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    caps = dict(cgroup._caps(Limits(memory=64, processes=7)))
    assert caps == {
        "memory.limit_in_bytes": 64 << 20,
        "memory.memsw.limit_in_bytes": 64 << 20,
        "memory.max": 64 << 20,
        "memory.swap.max": 0,
        "memory.oom.group": 1,
        "pids.max": 9,
        "cpu.shares": shares,
        "cpu.weight": weight,
    }


def test_two_groups_of_one_process_have_two_names(version_2: Path) -> None:
    first, second = cgroup.create(Limits()), cgroup.create(Limits())
    assert first is not None
    assert second is not None
    assert first.folders != second.folders
    for group in (first, second):
        group.remove()
    assert not any(folder.exists() for folder in (*first.folders, *second.folders))
    first.remove()  # once more is no error


def test_what_the_kernel_refuses_leaves_no_group(version_2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, text: str) -> int:
        path.unlink()  # as rmdir takes a real group's files away
        raise OSError(22, "Invalid argument")

    _offer(monkeypatch, ["pids.max"])
    monkeypatch.setattr(Path, "write_text", refused)
    assert cgroup.create(Limits()) is None
    assert sorted(path.name for path in version_2.iterdir()) == ["cgroup.subtree_control", "service"]
    assert not cgroup.available()


def test_where_groups_can_be_made_none_is_left_by_the_question(version_2: Path) -> None:
    assert cgroup.available()
    assert sorted(path.name for path in version_2.iterdir()) == ["cgroup.subtree_control", "service"]


def test_a_group_whose_members_are_dying_is_removed_when_they_are_dead(
    version_2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rmdir(folder: Path) -> None:
        tried.append(folder)
        if len(tried) < 3:
            raise OSError(16, "Device or resource busy")
        whole(folder)

    tried: list[Path] = []
    whole = Path.rmdir
    group = cgroup.create(Limits())
    assert group is not None
    monkeypatch.setattr(Path, "rmdir", rmdir)
    group.remove()
    assert (tried, group.folders[0].exists()) == ([group.folders[0]] * 3, False)


def test_one_that_stays_busy_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / "file").touch()
    (tmp_path / "idle").mkdir()
    cgroup.Group((tmp_path / "busy", tmp_path / "idle")).remove()
    assert waited == [0.01] * 100
    assert not (tmp_path / "idle").exists()


def test_groups_made_inside_go_with_the_group_the_innermost_first(
    version_2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = cgroup.create(Limits())
    assert group is not None
    (folder,) = group.folders
    (folder / "omni-sandbox-1-2-3-0" / "another").mkdir(parents=True)
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("the group waits for what is inside"))
    group.remove()
    assert not folder.exists()


def test_version_1_has_a_folder_for_each_controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = "5:cpu,cpuacct:/a\n4:pids:/b\n3:memory:/\n2:freezer:/d\n1:name=systemd:/e\n0::/\n"
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    monkeypatch.setattr(cgroup, "_own", lambda: own)
    for name in ("pids/b", "memory", "freezer/d"):
        (tmp_path / name).mkdir(parents=True)
    assert cgroup._bases() == {"pids": tmp_path / "pids/b", "memory": tmp_path / "memory"}
    (tmp_path / "cpu").mkdir()
    group = cgroup.create(Limits())
    assert group is not None
    assert {folder.parent for folder in group.folders} == {tmp_path / name for name in ("pids/b", "memory", "cpu")}
    (tmp_path / "pids").rename(tmp_path / "gone")
    assert cgroup._bases() == {}


def test_only_groups_of_the_dead_are_swept(version_2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    namespace, pid, start = cgroup.owner().split("-")
    dead, living = f"omni-sandbox-{namespace}-{pid}-{int(start) + 1}-0", f"omni-sandbox-{cgroup.owner()}-12"
    for name in (dead, living, "other-1-2-3-4"):
        (version_2 / name).mkdir()
    killed: list[int] = []
    monkeypatch.setattr(cgroup, "_read", _with(version_2 / dead / "cgroup.procs", "71\n72\n"))
    monkeypatch.setattr(cgroup, "_kill", killed.append)
    cgroup.sweep()
    assert killed == [71, 72]
    assert [(version_2 / name).exists() for name in (dead, living, "other-1-2-3-4")] == [False, True, True]


def _with(path: Path, text: str) -> Callable[[Path], str]:
    whole = cgroup._read
    return lambda asked: text if asked == path else whole(asked)


def test_killing_who_is_dead_already_is_no_error() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        cgroup._kill(child.pid)
        assert child.wait(10) == -9
    cgroup._kill(child.pid)


@pytest.mark.parametrize("mark", ["", "1", "1-", "x-1-1", "1-x-1", "-1-1"])
def test_a_mark_that_is_none_names_nobody(mark: str) -> None:
    assert not cgroup.lives(mark)


def test_who_is_not_there_has_not_started() -> None:
    with subprocess.Popen(["true"]) as child:
        pass
    assert cgroup.started(child.pid) == 0
    text = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2]
    assert cgroup.started(os.getpid()) == int(text.split()[19])


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
    inside = [folder / "omni-sandbox-1-1-1-0" for folder in left]
    for folder in inside:
        folder.mkdir(parents=True)
    with subprocess.Popen(["sleep", "30"]) as child, subprocess.Popen(["sleep", "30"]) as nested:
        cgroup.Group(tuple(left)).add(child.pid)
        cgroup.Group(tuple(inside)).add(nested.pid)
        cgroup.sweep()
        assert (child.wait(5), nested.wait(5)) == (-9, -9)
    assert [folder.exists() for folder in (*left, *mine.folders)] == [False] * len(left) + [True] * len(mine.folders)
    mine.remove()
