"""What an engine is: how the fuzz targets of one language are found, and the commands that build and run one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from omni.sandbox.job import Job, Limits, Mount
from omni.verify import machine
from omni.verify.check import Context
from omni.verify.files import File, matches
from omni.verify.fuzzing import guest
from omni.verify.fuzzing.guest import HANG
from omni.verify.fuzzing.runner import BUILD, Plan
from omni.verify.interpreter import WORK

OUT = "reports/omni-fuzz"
"""What comes back of the sandbox: `corpus`, `found` and `report.json`."""
CORPUS, FOUND, REPORT = f"{WORK}/{OUT}/corpus", f"{WORK}/{OUT}/found", f"{WORK}/{OUT}/report.json"
KEPT = "/corpus"
"""What earlier runs found, `corpus` and `broken`, is shown there."""
BUILT = "/tmp/omni-fuzz"  # noqa: S108 - the sandbox's own
GUEST = "/omni-fuzz"
START = 180.0
"""Seconds for the start, for the corpus that is known already and for making inputs smaller."""
LIMITS = (f"-timeout={HANG}", "-rss_limit_mb=1600", "-print_final_stats=1")
"""Of libFuzzer."""
FOREIGN = ("**/vendor/**", "vendor/**", "**/node_modules/**", "node_modules/**", "**/third_party/**", "third_party/**")
"""What others wrote: its targets are theirs to run, and a fault that shows there is seldom made there."""


@dataclass(frozen=True)
class Target:
    """Something that takes any input."""

    path: str
    """Its file, relative to the project."""
    name: str
    kept: str = ""
    """Where what it found is kept, below the folder of the project; empty: below its name."""


@dataclass(frozen=True)
class Engine:
    programs: tuple[str, ...]
    """What has to be on PATH."""
    targets: Callable[[Context], Iterable[Target]]
    job: Callable[[Context, Target, int], Job]
    """A job of the sandbox that fuzzes for so many seconds and leaves its `guest.Report` at `REPORT`."""


@dataclass(frozen=True)
class Commands:
    """How one target is built, fuzzed and tried; see `runner.Plan`."""

    programs: tuple[str, ...]
    """What of the machine they need."""
    build: list[list[str]]
    fuzz: list[str]
    """A program of libFuzzer's, to which its options are added, unless there is a `replay`."""
    replay: list[str] = field(default_factory=list)
    traced: list[str] = field(default_factory=list)
    cwd: str = WORK
    env: Mapping[str, str] = field(default_factory=dict)
    input: str = f"{BUILT}/input"
    found: str = FOUND
    smaller: bool = True
    mounts: tuple[Mount, ...] = ()


def by_commands(make: Callable[[Context, Target, int], Commands]) -> Callable[[Context, Target, int], Job]:
    """What makes the jobs of an engine, given what makes its commands for a target and for so many seconds."""
    return lambda context, target, seconds: performed(context, target, seconds, make(context, target, seconds))


def performed(context: Context, target: Target, seconds: int, commands: Commands) -> Job:
    """The job in which the runner performs them."""
    options = (*LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={FOUND}/", CORPUS)
    plan: Plan = {
        "build": [["mkdir", "-p", BUILT], *commands.build],
        "cwd": commands.cwd,
        "env": dict(commands.env),
        "fuzz": commands.fuzz if commands.replay else [*commands.fuzz, *options],
        "seconds": seconds,
        "replay": commands.replay or [*commands.fuzz, *LIMITS, commands.input],
        "input": commands.input,
        "found": commands.found,
        "corpus": CORPUS,
        "known": [f"{KEPT}/corpus", *seeds(context, target)],
        "broken": f"{KEPT}/broken",
        "traced": commands.traced,
        "smaller": commands.smaller,
        "report": REPORT,
    }
    argv = ("python3", "-S", "-m", "omni.verify.fuzzing.runner")
    whole = context.execution.job(context, argv, {"PYTHONPATH": GUEST}, timeout=seconds + START + BUILD)
    found = [path for name in commands.programs if (path := machine.find(name))]
    folders = dict.fromkeys([*(str(path.parent) for path in found), whole.env["PATH"]])
    told = {key: value for name in commands.programs for key, value in machine.environment(name).items()}
    shown = (mount for path in found for mount in machine.mounts(path))
    here = Mount(Path(guest.__file__).parent, f"{GUEST}/omni/verify/fuzzing")
    return replace(
        whole,
        env={**whole.env, **told, "PATH": ":".join(folders)},
        mounts=tuple(dict.fromkeys([*whole.mounts, *shown, *commands.mounts, here])),
        limits=Limits(wall=whole.limits.wall, memory=4096, disk=2048),
        stdin=json.dumps(plan).encode(),
    )


def seeds(context: Context, target: Target) -> list[str]:
    """The project's own inputs, those that broke it once among them: `corpus/<name>` beside the target or above it."""
    folders = [str(parent / "corpus" / target.name) for parent in PurePosixPath(target.path).parents]
    shown = (each for each in folders[:2] if any(path.startswith(f"{each}/") for path in context.inventory.by_path))
    return [f"{WORK}/{each}" for each in shown]


def own_files(context: Context, pattern: re.Pattern[str], *languages: str) -> Iterator[File]:
    """The project's own files in these languages in which it matches."""
    for file in context.files:
        if file.language in languages and not matches(file.path, FOREIGN) and pattern.search(context.text(file)):
            yield file
