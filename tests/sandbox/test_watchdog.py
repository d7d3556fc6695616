"""The caps where no cgroup can be made, on a made-up /proc."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from omni.sandbox import watchdog
from omni.sandbox.job import Limits
from omni.sandbox.watchdog import Watchdog

PAGE = os.sysconf("SC_PAGE_SIZE")
Look = Callable[..., bool]


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Look]:
    """Whether so many processes, each with these pages, and these folders, exceed the caps."""
    stored: dict[int, int] = {}
    monkeypatch.setattr(watchdog, "_stored", lambda folder: stored[folder])
    proc = tmp_path / "proc"
    proc.mkdir()
    (proc / "self").mkdir()

    with ExitStack() as stack:

        def see(pages: list[tuple[int, int, int]], files: tuple[int, ...] = (), **limits: int) -> bool:
            """`pages`: resident, shared, proportional (in kB) of each process; `files`: bytes in each folder."""
            for number, (resident, shared, proportional) in enumerate(pages):
                (proc / str(number)).mkdir()
                (proc / str(number) / "statm").write_text(f"999999 {resident} {shared} 1 0 9 0\n")
                text = f"Rss:  99999999 kB\nPss:  9999999 kB\nPss_Anon:  {proportional} kB\nPss_File:  999999 kB\n"
                (proc / str(number) / "smaps_rollup").write_text(text)
            stored.update({-number: size for number, size in enumerate(files, 1)})
            fd = os.open(proc, os.O_RDONLY)
            stack.callback(os.close, fd)
            return Watchdog(fd, tuple(stored), Limits(**limits)).exceeded()

        yield see


@pytest.mark.parametrize(("count", "exceeded"), [(5, False), (6, True)])
def test_the_gate_and_pid_1_do_not_count(look: Look, count: int, exceeded: bool) -> None:
    assert look([(0, 0, 0)] * count, processes=3) is exceeded


MIB = (1 << 20) // PAGE
"""Pages of one MiB."""


@pytest.mark.parametrize(
    ("pages", "files", "exceeded"),
    [
        ([(3 * MIB, 0, 3 << 10)], (), False),
        ([(3 * MIB + 1, 0, (3 << 10) + 4)], (), True),
        ([(4 * MIB, MIB, 4 << 10)], (), False),  # what is shared with files does not count
        ([(4 * MIB, 0, 2 << 10)], (), False),  # nor what is shared after a fork, twice
        ([(2 * MIB, 0, 2 << 10), (2 * MIB, 0, 2 << 10)], (), True),
        ([(MIB, 0, 1 << 10)], (1 << 20, 1 << 20), False),
        ([(MIB, 0, 1 << 10)], (1 << 20, (1 << 20) + 1), True),
    ],
)
def test_memory_of_processes_and_files_together(
    look: Look, pages: list[tuple[int, int, int]], files: tuple[int, ...], exceeded: bool
) -> None:
    assert look(pages, files, memory=3) is exceeded


def test_a_process_that_has_just_ended_takes_nothing(look: Look, tmp_path: Path) -> None:
    (tmp_path / "proc" / "7").mkdir()
    assert not look([(MIB, 0, 1 << 10)], memory=1)


def test_a_sandbox_that_ends_while_we_look_exceeds_nothing(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    os.close(fd)
    assert not Watchdog(fd, (), Limits()).exceeded()


def test_what_cannot_be_read_is_empty_and_is_closed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"a\xff")
    fd = os.open(tmp_path, os.O_RDONLY)
    dog = Watchdog(fd, (), Limits())
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert [dog._read(name) for name in ("none", "folder", "file")] == ["", "", "a\N{REPLACEMENT CHARACTER}"]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    os.close(fd)


def test_a_file_costs_its_blocks_and_its_inode(monkeypatch: pytest.MonkeyPatch) -> None:
    about = os.statvfs_result((4096, 512, 100, 90, 90, 1000, 998, 998, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: about)
    assert watchdog._stored(3) == 10 * 512 + 2 * 1024
