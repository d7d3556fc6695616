from __future__ import annotations

import os
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.sandbox.workspace import Copy


def _copy(source: Path, target: Path) -> tuple[str, ...]:
    target.mkdir(exist_ok=True)
    fd = os.open(target, os.O_RDONLY)
    try:
        return Copy(source, fd).run()
    finally:
        os.close(fd)


def test_files_modes_times_and_links_are_kept(workspace: Path, tmp_path: Path) -> None:
    (workspace / "link").symlink_to("a.txt")
    (workspace / "dangling").symlink_to("/nowhere")
    (workspace / "empty").mkdir()
    os.utime(workspace / "a.txt", ns=(1, 1_000_000_007))
    assert _copy(workspace, tmp_path / "copy") == ()
    copy = tmp_path / "copy"
    assert sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*")) == [
        "a.txt",
        "dangling",
        "empty",
        "link",
        "sub",
        "sub/run",
    ]
    assert (copy / "a.txt").read_text() == "a\n"
    assert (copy / "a.txt").stat().st_mtime_ns == 1_000_000_007
    assert (copy / "sub/run").stat().st_mode & 0o7777 == 0o755
    assert (copy / "a.txt").stat().st_mode & 0o7777 == 0o644
    assert [str((copy / name).readlink()) for name in ("link", "dangling")] == ["a.txt", "/nowhere"]


def test_history_caches_environments_and_special_files_stay_outside(workspace: Path, tmp_path: Path) -> None:
    for folder in (".git", "sub/.git", "__pycache__", "environment"):
        (workspace / folder).mkdir()
    (workspace / ".git/config").touch()
    (workspace / "environment/pyvenv.cfg").touch()
    os.mkfifo(workspace / "pipe")
    _copy(workspace, tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["a.txt", "sub"]
    assert [path.name for path in (tmp_path / "copy/sub").iterdir()] == ["run"]


def test_folders_that_are_there_already_are_filled(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "copy" / "sub").mkdir(parents=True)
    _copy(workspace, tmp_path / "copy")
    assert (tmp_path / "copy/sub/run").exists()


@pytest.mark.parametrize("made", [False, True])
def test_no_folder_is_an_error_for_people(tmp_path: Path, made: bool) -> None:
    if made:
        (tmp_path / "gone").touch()
    with pytest.raises(OmniError) as caught:
        _copy(tmp_path / "gone", tmp_path / "copy")
    assert (caught.value.kind.code, caught.value.where) == ("SB005", str(tmp_path / "gone"))


def test_what_its_owner_can_not_write_can_be_written_in_the_copy_and_suid_is_gone(
    workspace: Path, tmp_path: Path
) -> None:
    (workspace / "a.txt").chmod(0o444)
    (workspace / "sub/run").chmod(0o4555)
    _copy(workspace, tmp_path / "copy")
    modes = [(tmp_path / "copy" / name).stat().st_mode & 0o7777 for name in ("a.txt", "sub/run", "sub")]
    assert modes == [0o644, 0o755, 0o755]


def test_a_file_where_a_folder_has_to_be_is_an_error(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "sub").touch()
    with pytest.raises(FileExistsError):
        _copy(workspace, tmp_path / "copy")
