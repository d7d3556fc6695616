"""The declared build, in rooms of its own: nothing but the project's files and its lock, no caches, no network."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omni.verify.check import Context, Failed
from omni.verify.deep import room
from omni.verify.deep.declared import Build
from omni.verify.deep.play import WORK, Outcome, Step, last_words, perform
from omni.verify.deep.race import copy_project
from omni.verify.report import Status

EPOCH = "315619200"
"""1980-01-02, the first whole day that a ZIP file can hold (https://reproducible-builds.org/specs/source-date-epoch)."""
PINNED = re.compile(r"^[A-Za-z0-9][\w.-]*(\[[\w,.-]+\])?==[\w.!+-]+")
ENVIRONMENT = "/tmp/omni-environment"  # noqa: S108 - the sandbox's own


@dataclass(frozen=True)
class Room:
    name: str
    place: str
    umask: int
    reverse: bool
    age: int
    """Of the files, in seconds."""
    env: tuple[tuple[str, str], ...]


CLEAN = Room("first", "/tmp/a/project", 0o022, False, 0, (("TZ", "UTC"), ("LANG", "C.UTF-8"), ("USER", "ada")))  # noqa: S108
OTHER = Room(
    "second",
    "/tmp/another/place/of/the/project",  # noqa: S108 - the sandbox's own
    0o002,
    True,
    200_000,
    (
        ("TZ", "XXX-14"),
        ("LANG", "C"),
        ("LC_ALL", "C"),
        ("USER", "bob"),
        ("HOSTNAME", "elsewhere"),
        ("PYTHONHASHSEED", "1"),
    ),
)
"""Everything that can be varied without being root: not the host's name as the kernel knows it, nor its clock."""


def build_in(context: Context, build: Build, rooms: Sequence[Room], folder: Path) -> Outcome:
    """Build in each room; what room `r` made is in `folder/out/omni-deep/<r.name>`. Raises `Failed`."""
    workspace, into = folder / "in", folder / "out"
    copy_project(context, workspace / "source")
    steps = []
    path = ""
    if build.lock:
        _download(context, build.lock, workspace)
        steps += _environment(context)
        path = f"{ENVIRONMENT}/bin:"
    steps += [_step(build, each, path) for each in rooms]
    outcome = perform(
        context,
        (),
        steps,
        into=into,
        collect=("omni-deep/*",),
        workspace=workspace,
        toolset="tools" if build.lock else "",
    )
    if not outcome.step(rooms[0].name):
        raise Failed(
            f"the environment for the build can't be made: {last_words(outcome.steps[-1].said)}", Status.INCOMPLETE
        )
    return outcome


def made(folder: Path, each: Room) -> dict[str, Path]:
    """Output → where it is now."""
    root = folder / "out" / "omni-deep" / each.name
    return {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}


def _step(build: Build, each: Room, path: str) -> Step:
    given = {
        "source": f"{WORK}/source", "place": each.place, "kept": f"{WORK}/omni-deep/{each.name}", "argv": build.command,
        "outputs": build.outputs, "umask": each.umask, "reverse": each.reverse, "age": each.age,
    }  # fmt: skip
    env = {"HOME": f"/tmp/home-{each.name}", "SOURCE_DATE_EPOCH": EPOCH, "PYTHONPATH": "", **dict(each.env)}  # noqa: S108
    # Two seconds: a ZIP file counts time in twos, and builds that differ in the second they were made in must show it.
    script = 'PATH="$1$PATH"; shift; sleep 2; exec python3 -I -c "$@"'
    return Step(each.name, ("sh", "-c", script, "sh", path, inspect.getsource(room), json.dumps(given)), env=env)


def _download(context: Context, lock: str, workspace: Path) -> None:
    """The lock's wheels, outside of the sandbox: nothing of them is executed by that."""
    file = context.inventory.by_path.get(lock)
    if file is None or file.problem:
        raise Failed(f"[verify.build] names the lock {lock}, which is not there", Status.INCOMPLETE)
    text = context.text(file).replace("\\\n", " ")
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    odd = next((line for line in lines if line and not (PINNED.match(line) and "--hash=" in line)), "")
    if odd:
        raise Failed(f"{lock}: “{odd[:80]}” is no version with its hash, so the build can't be said to be locked",
                     Status.INCOMPLETE)  # fmt: skip
    if context.offline:
        raise Failed("the locked packages can't be downloaded, since Omni is offline", Status.INCOMPLETE)
    checked = workspace / "lock.txt"
    checked.write_text("\n".join(lines), "utf-8")
    wanted = ("--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "-r", str(checked))
    output = context.execute("pip", "download", "--quiet", *wanted, "-d", str(workspace / "wheels"))
    if output.exit_code:
        raise Failed(f"the locked packages can't be downloaded: {last_words(output.stderr)}", Status.INCOMPLETE)


def _environment(context: Context) -> list[Step]:
    """A virtual environment with the lock's packages and nothing else."""
    tools = context.execution.tools("tools")
    pip = (str(tools.path("pip")), "--python", f"{ENVIRONMENT}/bin/python", "install", "--quiet", "--no-index")
    wheels = ("--find-links", f"{WORK}/wheels", "--no-deps", "--require-hashes", "-r", f"{WORK}/lock.txt")
    return [
        Step("environment", (str(tools.path("python")), "-m", "venv", "--without-pip", ENVIRONMENT)),
        Step("packages", (*pip, *wheels), env={"PIP_NO_CACHE_DIR": "1"}),
    ]
