from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.sandbox import collect
from omni.sandbox.collect import Collection, pattern_to_regex


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    fd = os.open(folder, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


def _collect(folder: Path, into: Path, *patterns: str, room: int = 1 << 20) -> Collection:
    with _opened(folder) as fd:
        collection = Collection(fd, into, room)
        collection.take(patterns)
    return collection


@pytest.mark.parametrize(
    ("pattern", "path", "names"),
    [
        ("reports", "reports/junit.xml", True),
        ("reports/", "reports/junit.xml", True),
        ("./reports", "reports", True),
        ("reports", "reports2", False),
        ("reports/*.xml", "reports/junit.xml", True),
        ("reports/*.xml", "reports/deep/junit.xml", False),
        ("**/*.xml", "junit.xml", True),
        ("**/*.xml", "a/b/junit.xml", True),
        ("a/**", "a/b/c", True),
        ("**", "anything/at/all", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].txt", "a.txt", True),
        ("[!ab].txt", "a.txt", False),
        ("[!ab].txt", "c.txt", True),
        ("a.c", "abc", False),
        ("../x", "../x", False),
        ("/etc/passwd", "etc/passwd", False),
    ],
)
def test_patterns(pattern: str, path: str, names: bool) -> None:
    assert bool(pattern_to_regex(pattern).fullmatch(path)) is names


@given(st.text(st.characters(exclude_characters="/*?[", exclude_categories=["Cs"]), min_size=1))
def test_a_name_without_wildcards_means_itself(name: str) -> None:
    assert name in (".", "..") or pattern_to_regex(name).fullmatch(name)


def test_regular_files_come_out_with_their_mode_and_nothing_else(tmp_path: Path) -> None:
    guest, host = tmp_path / "guest", tmp_path / "host"
    (guest / "out" / "deep").mkdir(parents=True)
    host.mkdir()
    (host / "secret").write_text("secret")
    (guest / "out" / "plain").write_text("plain")
    (guest / "out" / "deep" / "program").write_text("program")
    (guest / "out" / "deep" / "program").chmod(0o700)
    (guest / "out" / "suid").write_text("")
    (guest / "out" / "suid").chmod(0o4755)
    (guest / "out" / "link").symlink_to(host / "secret")
    (guest / "out" / "folder").symlink_to(host)
    (guest / "linked").symlink_to(host)
    os.mkfifo(guest / "out" / "pipe")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(guest / "out" / "socket"))
    (guest / "not-asked-for").write_text("")

    found = _collect(guest, tmp_path / "into", "out", "linked/secret", "../host/secret", "missing")

    assert found.collected == ["out/deep/program", "out/plain"]
    assert found.refused == [
        "linked/secret: symbolic link",
        "out/folder: symbolic link",
        "out/link: symbolic link",
        "out/pipe: not a regular file",
        "out/socket: socket",
        "out/suid: suid or sgid file",
    ]
    files = sorted(
        path.relative_to(tmp_path / "into").as_posix() for path in (tmp_path / "into").rglob("*") if path.is_file()
    )
    assert files == ["out/deep/program", "out/plain"]
    assert os.access(tmp_path / "into/out/deep/program", os.X_OK)
    assert not os.access(tmp_path / "into/out/plain", os.X_OK)


def test_what_exceeds_the_cap_is_refused_by_name(tmp_path: Path) -> None:
    guest = tmp_path / "guest"
    guest.mkdir()
    for name, size in (("a", 60), ("b", 60), ("c", 30)):
        (guest / name).write_bytes(bytes(size))
    (guest / "sparse").touch()
    os.truncate(guest / "sparse", 1 << 29)
    found = _collect(guest, tmp_path / "into", "*", room=100)
    assert found.collected == ["a", "c"]
    assert found.refused == [
        "b: 60 bytes are over the disk cap",
        f"sparse: {1 << 29} bytes are over the disk cap",
    ]


def test_too_many_and_too_deep_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "MAX_FILES", 1)
    monkeypatch.setattr(collect, "MAX_DEPTH", 2)
    guest = tmp_path / "guest"
    (guest / "a/b/c/d").mkdir(parents=True)
    (guest / "1").touch()
    (guest / "2").touch()
    found = _collect(guest, tmp_path / "into", "**")
    assert (found.collected, found.refused) == (["1"], ["2: more than 1 files", "a/b/c: deeper than 2 folders"])


def test_a_link_in_the_target_is_replaced_not_followed(tmp_path: Path) -> None:
    guest, into, victim = tmp_path / "guest", tmp_path / "into", tmp_path / "victim"
    guest.mkdir()
    into.mkdir()
    victim.write_text("untouched")
    (guest / "a").write_text("new")
    (into / "a").symlink_to(victim)
    _collect(guest, into, "a")
    assert (victim.read_text(), (into / "a").read_text()) == ("untouched", "new")
