from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify import files
from omni.verify.files import LARGEST, File, Inventory, Known, examine, matches, take_inventory


def told(inventory: Inventory) -> dict[str, tuple[str, str, bool]]:
    return {file.path: (file.language, file.problem, file.harmless) for file in inventory.files}


def test_each_file_has_a_language_and_a_problem_if_it_can_not_be_looked_at(
    write: Callable[[Mapping[str, str | bytes]], Path],
) -> None:
    root = write(
        {
            "a.py": "x = 1\n",
            "binary.py": b"\x00\x01",
            "empty.py": "",
            "latin.py": "x = 'é'\n".encode("latin-1"),
            "latin_said.py": "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"),
            "notes": b"caf\xe9",
            "photo.png": b"\x89PNG\r\n\x1a\n\x00\x00",
            "big.sql": b"-" * (5 * 1024 * 1024 + 1),
        }
    )
    assert told(take_inventory(root)) == {
        "a.py": ("python", "", False),
        "big.sql": ("sql", "larger than 5 MiB (5 MiB)", False),
        "binary.py": ("python", "binary", False),
        "empty.py": ("python", "", False),
        "latin.py": ("python", "not UTF-8 text (line 1); save it as UTF-8", False),
        "latin_said.py": ("python", "", False),
        "notes": ("binary", "not UTF-8 text (line 1); save it as UTF-8", True),
        "photo.png": ("binary", "binary", True),
    }


def test_size_digest_and_mode_are_those_of_the_file(write: Callable[[Mapping[str, str | bytes]], Path]) -> None:
    root = write({"a.py": "x = 1\n", "run": "#!/usr/bin/env python3\nx\n", "big.sql": b"-" * LARGEST})
    (root / "run").chmod(0o755)
    (root / "a.py").chmod(0o677)
    assert take_inventory(root).files == (
        File("a.py", 6, "python", hashlib.sha256(b"x = 1\n").hexdigest()),
        File("big.sql", LARGEST, "sql", hashlib.sha256(b"-" * LARGEST).hexdigest()),
        File("run", 25, "python", hashlib.sha256(b"#!/usr/bin/env python3\nx\n").hexdigest(), executable=True),
    )


def test_a_file_that_is_too_large_is_not_read(root: Path) -> None:
    (root / "big").write_bytes(b"#!/usr/bin/env python3\n")
    os.truncate(root / "big", 9 << 20)
    (root / "big").chmod(0o700)
    (file,) = take_inventory(root).files
    assert file == File("big", 9 << 20, "", executable=True, problem="larger than 5 MiB (9 MiB)")


@pytest.mark.parametrize(
    ("data", "problem", "harmless"),
    [
        (b"# a\n# vim: set fileencoding=latin-1 :\nx = '\xe9'\n", "", False),
        (b"\t# coding: latin-1\n\xe9", "", False),
        (b"# a\n# b\n# coding: latin-1\n\xe9", "not UTF-8 text (line 4); save it as UTF-8", False),
        (b"x = 1  # coding: latin-1\n'\n\xe9'", "not UTF-8 text (line 3); save it as UTF-8", False),
        (b"x" * 8191 + b"\0", "binary", False),
        (b"x" * 8192 + b"\0", "", False),
    ],
)
def test_what_is_no_text(root: Path, data: bytes, problem: str, harmless: bool) -> None:
    (root / "a.py").write_bytes(data)
    assert told(take_inventory(root)) == {"a.py": ("python", problem, harmless)}


def test_another_repository_within_is_told(root: Path, git: Callable[..., str]) -> None:
    (root / "sub").mkdir()
    assert examine(root, "sub") == File(
        "sub", 0, "", problem="another repository (submodule): verify it by itself", harmless=True
    )
    assert examine(root, "gone") is None
    (root / "file").touch()
    assert examine(root, "file/below") is None
    long = "x" * 300
    assert examine(root, long) == File(long, 0, "", problem="can't be looked at: File name too long")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of which `Known` had to look at the content."""
    looked: list[str] = []

    def counted(root: Path, path: str) -> File | None:
        looked.append(path)
        return examine(root, path)

    monkeypatch.setattr(files, "examine", counted)
    return looked


def _rest(path: Path, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    status = path.lstat()
    latest = max(status.st_mtime_ns, status.st_ctime_ns)
    monkeypatch.setattr(time, "time_ns", lambda: latest + seconds * 1_000_000_000)


def test_a_file_that_rested_is_read_once(root: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    known = Known()
    (root / "a.py").write_text("x = 1\n")
    _rest(root / "a.py", 3, monkeypatch)
    first = known.examine(root, "a.py")
    assert (known.examine(root, "a.py"), reads) == (first, ["a.py"])
    (root / "a.py").write_text("x = 22\n")
    changed = known.examine(root, "a.py")
    assert changed == File("a.py", 7, "python", hashlib.sha256(b"x = 22\n").hexdigest())
    (root / "a.py").unlink()
    assert known.examine(root, "a.py") is None


def test_one_that_has_just_changed_is_read_again(root: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    known = Known()
    (root / "a.py").write_text("x = 1\n")
    _rest(root / "a.py", 2, monkeypatch)
    assert known.examine(root, "a.py") == known.examine(root, "a.py")
    assert reads == ["a.py", "a.py"]


def test_a_link_is_looked_at_each_time_since_its_target_may_change(
    root: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Known()
    (root / "b.py").write_text("x = 1\n")
    (root / "a.py").symlink_to("b.py")
    _rest(root / "a.py", 60, monkeypatch)
    for _ in range(2):
        known.examine(root, "a.py")
    assert reads == ["a.py", "a.py"]
    (root / "b.py").unlink()
    again = known.examine(root, "a.py")
    assert again is not None
    assert again.problem == "a link that leads nowhere or to itself"


def test_a_path_is_looked_up_and_matched_by_language_or_by_glob(
    write: Callable[[Mapping[str, str | bytes]], Path],
) -> None:
    inventory = take_inventory(write({"a.py": "", "b.sql": "", "c.toml": ""}))
    assert [file.path for file in inventory.matching(("python",), ("*.toml",))] == ["a.py", "c.toml"]
    assert list(inventory.by_path) == ["a.py", "b.sql", "c.toml"]


def test_links_are_told_and_never_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("password = 1\n")
    (root / "real.py").write_text("x = 1\n")
    (root / "inside.py").symlink_to("real.py")
    (root / "outside.py").symlink_to(tmp_path / "secret.py")
    (root / "broken.py").symlink_to("nowhere.py")
    (root / "loop.py").symlink_to("loop.py")
    (root / "folder").symlink_to(root)
    (root / "out").symlink_to(tmp_path)
    assert told(take_inventory(root)) == {
        "broken.py": ("python", "a link that leads nowhere or to itself", False),
        "folder": ("", "a link to a file that is looked at by itself", True),
        "inside.py": ("python", "a link to a file that is looked at by itself", True),
        "loop.py": ("python", "a link that leads nowhere or to itself", False),
        "out": ("", "a link out of the project, which is not followed", True),
        "outside.py": ("python", "a link out of the project, which is not followed", True),
        "real.py": ("python", "", False),
    }


def test_a_pipe_does_not_hold_us_up(root: Path) -> None:
    os.mkfifo(root / "pipe.py")
    assert told(take_inventory(root)) == {
        "pipe.py": ("", "not a regular file (device, socket or pipe)", True),
    }


def test_a_name_that_is_not_utf8_is_told(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.py")).write_text("x = 1\n")
    assert told(take_inventory(root)) == {r"caf\xe9.py": ("python", "its name is not UTF-8", False)}


def test_an_unreadable_file_is_told(
    open_folder: Path, ordinary_user: Callable[[], AbstractContextManager[None]]
) -> None:
    (open_folder / "a.py").write_text("x = 1\n")
    (open_folder / "a.py").chmod(0)
    (open_folder / "closed").mkdir(mode=0)
    with ordinary_user():
        inventory = take_inventory(open_folder)
    assert told(inventory) == {
        "a.py": ("python", "can't be read: Permission denied", False),
        "closed": ("", "can't be listed: Permission denied", False),
    }


def test_a_walk_leaves_out_what_is_not_the_projects(write: Callable[[Mapping[str, str | bytes]], Path]) -> None:
    root = write(
        {
            "a.py": "",
            "node_modules/x/index.js": "",
            "venv/pyvenv.cfg": "",
            "venv/lib/x.py": "",
            ".cache/CACHEDIR.TAG": "",
            ".cache/y.py": "",
            "src/__pycache__/a.pyc": "",
        }
    )
    inventory = take_inventory(root)
    assert [file.path for file in inventory.files] == ["a.py"]
    assert inventory.left_out == {
        ".cache": "a cache",
        "node_modules": "installed packages",
        "src/__pycache__": "compiled Python",
        "venv": "a Python environment",
    }


def test_git_says_what_belongs_to_the_project(
    write: Callable[[Mapping[str, str | bytes]], Path], git: Callable[..., str]
) -> None:
    root = write({".gitignore": "*.log\n", "a.py": "", "b.py": "", "x.log": "", "name with\nline.py": ""})
    git("add", "a.py", "b.py")
    (root / "b.py").unlink()
    assert [file.path for file in take_inventory(root).files] == [".gitignore", "a.py", "name with\nline.py"]


def test_excluded_paths_are_listed_with_their_reason(write: Callable[[Mapping[str, str | bytes]], Path]) -> None:
    inventory = take_inventory(write({"a.py": "", "gen/b.py": ""}), {"gen/**": "generated from the schema"})
    assert [file.path for file in inventory.files] == ["a.py"]
    assert inventory.left_out == {"gen/b.py": "generated from the schema"}


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("*.py", "a.py", True),
        ("*.py", "deep/er/a.py", True),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/b/a.py", False),
        ("src/**/*.py", "src/a.py", True),
        ("src/**/*.py", "src/b/c/a.py", True),
        ("**", "anything/at/all", True),
        ("a?.py", "ab.py", True),
        ("a?.py", "a/.py", False),
        ("a.py", "axpy", False),
        (".github/workflows/*.yml", ".github/workflows/ci.yml", True),
    ],
)
def test_globs(glob: str, path: str, expected: bool) -> None:
    assert matches(path, (glob,)) is expected


@given(st.lists(st.text("ab.*+[]()\\ \n", min_size=1, max_size=6), min_size=1, max_size=4).map("/".join))
def test_a_path_without_stars_matches_itself_alone(path: str) -> None:
    literal = path.replace("*", "x")
    assert matches(literal, (f"/{literal}".removeprefix("/"),))
    assert not matches(literal + "x", (literal,)) or literal == ""


@pytest.mark.slow
def test_fifty_thousand_files_are_listed_in_bounded_time(root: Path) -> None:
    for folder in range(100):
        (root / str(folder)).mkdir()
        for number in range(500):
            (root / str(folder) / f"m{number}.py").write_text("x = 1\n")
    started = time.monotonic()
    assert len(take_inventory(root).files) == 50_000
    assert time.monotonic() - started < 60
