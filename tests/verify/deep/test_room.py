"""The place of a build, made here instead of inside the sandbox."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from omni.verify.deep.room import Room, main


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Holds the source of a small project."""
    monkeypatch.setenv("HOME", f"{tmp_path}/homes/one")
    source = tmp_path / "source"
    (source / "lib" / "deep").mkdir(parents=True)
    for path in ("b.txt", "a.txt", "lib/c.txt", "lib/deep/d.txt"):
        (source / path).write_text(path)
    (source / "build.sh").write_text("#!/bin/sh\n")
    (source / "build.sh").chmod(0o700)
    (source / "link").symlink_to("a.txt")
    (source / "broken").symlink_to("../nowhere")
    return tmp_path


def room(folder: Path, script: str, **more: object) -> Room:
    plain = {
        "source": f"{folder}/source", "place": f"{folder}/a/place", "kept": f"{folder}/kept", "umask": 0o022,
        "argv": ["sh", "-c", script], "outputs": ["out/**/*"], "reverse": False, "age": 1000,
    }  # fmt: skip
    return {**plain, **more}  # type: ignore[typeddict-item]


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_the_globs_name_is_kept_and_nothing_else(folder: Path) -> None:
    script = "mkdir -p out/x; cp a.txt out/a; cp lib/deep/d.txt out/x/d; ln -s a out/l; echo 1 > else; exit 5"
    assert main(room(folder, script, outputs=["out/**/*", "no*"])) == 5
    assert files(folder / "kept") == {"out/a": "a.txt", "out/x/d": "lib/deep/d.txt"}
    assert (folder / "homes/one").is_dir()


def test_the_place_is_the_source(folder: Path) -> None:
    before = time.time()
    assert main(room(folder, "true")) == 0
    place = folder / "a/place"
    assert {str(path.relative_to(place)) for path in place.rglob("*")} == {
        "a.txt", "b.txt", "build.sh", "lib", "lib/c.txt", "lib/deep", "lib/deep/d.txt", "link", "broken",
    }  # fmt: skip
    assert (place / "link").readlink() == Path("a.txt")
    assert (place / "broken").readlink() == Path("../nowhere")
    assert files(place) == files(folder / "source")
    ages = {before - path.stat().st_mtime for path in (place / "a.txt", place / "lib/deep/d.txt")}
    assert all(940 < age < 1060 for age in ages)


@pytest.mark.parametrize(("umask", "plain", "executable"), [(0o022, 0o644, 0o755), (0o002, 0o664, 0o775)])
def test_every_umask_holds(folder: Path, umask: int, plain: int, executable: int) -> None:
    main(room(folder, "mkdir out; touch out/made", umask=umask))
    place = folder / "a/place"
    modes = [path.stat().st_mode & 0o777 for path in (place / "a.txt", place / "build.sh", place / "out/made")]
    assert modes == [plain, executable, plain]


@pytest.mark.parametrize("reverse", [False, True])
def test_the_order_in_which_files_are_made(folder: Path, monkeypatch: pytest.MonkeyPatch, reverse: bool) -> None:
    made: list[str] = []
    real = shutil.copyfile

    def copyfile(source: Path, target: Path) -> None:
        made.append(source.name)
        real(source, target)

    monkeypatch.setattr(shutil, "copyfile", copyfile)
    main(room(folder, "true", reverse=reverse))
    names = ["a.txt", "b.txt", "build.sh", "c.txt", "d.txt"]
    assert made == (names[::-1] if reverse else names)


def test_the_place_is_where_the_command_runs_with_no_input(folder: Path) -> None:
    assert main(room(folder, "mkdir out; pwd -P > out/where; cat > out/said")) == 0
    assert files(folder / "kept") == {"out/where": f"{(folder / 'a/place').resolve()}\n", "out/said": ""}


def test_a_command_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(room(folder, "", argv=["no-such-program", "x"])) == 127
    assert capsys.readouterr().err == "no-such-program: No such file or directory\n"
    assert not (folder / "kept").exists()
