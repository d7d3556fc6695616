"""How a build is prepared; built for real: test_builds.py."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import Played, context_of

from omni.verify.check import Failed, Output
from omni.verify.deep import room
from omni.verify.deep.building import CLEAN, ENVIRONMENT, EPOCH, OTHER, build_in, made
from omni.verify.deep.declared import Build
from omni.verify.report import Status

Write = Callable[[Mapping[str, str]], Path]

LOCKED = "a[b]==1.0 \\\n    --hash=sha256:00  # why\n\nc==2 --hash=sha256:11\n"
PLAIN = Build(command=("make", "it"), outputs=("dist/*",))
WITH_LOCK = PLAIN.model_copy(update={"lock": "build.lock"})
DONE = Output(0, "", "")
UNLOCKED = "build.lock: “{}” is no version with its hash, so the build can't be said to be locked"


def outcome(*names: str, exit_code: int = 0) -> dict[str, str]:
    steps = [{"name": name, "exit": exit_code, "said": "the end", "seconds": 1.0} for name in names]
    return {"omni-deep/outcome.json": json.dumps({"steps": steps}), "omni-deep/first": "made"}


def build(write: Write, tmp_path: Path, played: Played, build: Build, **more: object) -> Path:
    folder = tmp_path / "folder"
    files = {"src/a.py": "A = 1\n", "build.lock": LOCKED}
    build_in(context_of(write(files), "clean-build", played, **more), build, (CLEAN, OTHER), folder)
    return folder


def test_the_rooms_differ_in_all_that_a_build_may_not_see(write: Write, tmp_path: Path) -> None:
    played = Played([DONE], outcome("first", "second"))
    folder = build(write, tmp_path, played, PLAIN)
    assert (folder / "in/source/src/a.py").read_text() == "A = 1\n"
    assert not (folder / "in/lock.txt").exists()
    first, second = json.loads(played.asked[0][-1])["steps"]
    rooms = [json.loads(step["argv"][-1]) for step in (first, second)]
    assert rooms[0] == {
        "source": "/work/source", "place": "/tmp/a/project", "kept": "/work/omni-deep/first", "argv": ["make", "it"],
        "outputs": ["dist/*"], "umask": 0o022, "reverse": False, "age": 0,
    }  # fmt: skip
    same = {key for key in rooms[0] if rooms[0][key] == rooms[1][key]}
    assert same == {"source", "argv", "outputs"}
    assert first["env"] == {
        "HOME": "/tmp/home-first", "SOURCE_DATE_EPOCH": EPOCH, "PYTHONPATH": "", "TZ": "UTC", "LANG": "C.UTF-8",
        "USER": "ada",
    }  # fmt: skip
    assert {key for key, value in first["env"].items() if second["env"][key] == value} == {
        "SOURCE_DATE_EPOCH",
        "PYTHONPATH",
    }
    shell = 'PATH="$1$PATH"; shift; sleep 2; exec python3 -I -c "$@"'
    assert first["argv"][:-1] == ["sh", "-c", shell, "sh", "", inspect.getsource(room)]


def test_the_lock_is_downloaded_first_and_installed_without_a_network(write: Write, tmp_path: Path) -> None:
    played = Played([DONE, DONE], outcome("environment", "packages", "first", "second"))
    folder = build(write, tmp_path, played, WITH_LOCK)
    assert (folder / "in/lock.txt").read_text() == "a[b]==1.0      --hash=sha256:00\n\nc==2 --hash=sha256:11"
    download = played.asked[0]
    assert download[:3] == ("pip", "download", "--quiet")
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(download)
    environment, packages, first, _ = json.loads(played.asked[1][-1])["steps"]
    assert environment["argv"][1:] == ["-m", "venv", "--without-pip", ENVIRONMENT]
    assert {"--no-index", "--require-hashes", "/work/wheels", "/work/lock.txt"} <= set(packages["argv"])
    assert first["argv"][4] == f"{ENVIRONMENT}/bin:"


@pytest.mark.parametrize(
    ("lock", "offline", "answers", "why"),
    [
        (None, False, [], "[verify.build] names the lock build.lock, which is not there"),
        (
            "a>=1\n",
            False,
            [],
            UNLOCKED.format("a>=1"),
        ),
        (
            "a==1\n",
            False,
            [],
            UNLOCKED.format("a==1"),
        ),
        (LOCKED, True, [], "the locked packages can't be downloaded, since Omni is offline"),
        (LOCKED, False, [Output(1, "", "no\nnet")], "the locked packages can't be downloaded: no / net"),
    ],
)
def test_a_lock_that_does_not_lock(
    write: Write, tmp_path: Path, lock: str | None, offline: bool, answers: list[Output], why: str
) -> None:
    files = {"a.py": ""} | ({} if lock is None else {"build.lock": lock})
    context = context_of(write(files), "clean-build", Played(answers), offline=offline)
    with pytest.raises(Failed) as failed:
        build_in(context, WITH_LOCK, (CLEAN,), tmp_path / "folder")
    assert (failed.value.why, failed.value.status) == (why, Status.INCOMPLETE)


def test_an_environment_that_can_not_be_made(write: Write, tmp_path: Path) -> None:
    played = Played([DONE, DONE], outcome("environment", exit_code=1))
    with pytest.raises(Failed, match="the environment for the build can't be made: the end"):
        build(write, tmp_path, played, WITH_LOCK)


def test_what_each_room_made(tmp_path: Path) -> None:
    place = tmp_path / "out/omni-deep/first"
    (place / "dist/sub").mkdir(parents=True)
    for name in ("dist/b.whl", "dist/a.whl", "dist/sub/c"):
        (place / name).touch()
    assert list(made(tmp_path, CLEAN)) == ["dist/a.whl", "dist/b.whl", "dist/sub/c"]
    assert made(tmp_path, CLEAN)["dist/a.whl"] == place / "dist/a.whl"
    assert made(tmp_path, OTHER) == {}
