"""How many small changes of Omni's own code its tests notice: `python benchmarks/mutation.py kernel [sandbox verify]`.

Prints the score of the room, module by module, and every change that stayed unnoticed. What was tried is kept in the
Omni home, so a run that was killed goes on where it was, and after a change only what it touches is tried again.
`--sample 150 --seed 1` draws that many of the room's mutants and says between which bounds the whole room lies.

The sandbox, and the verification, are tried on the real one: their tests for the host run too, and make sandboxes
inside a sandbox. For that the outer one gives up three of its walls, which is no risk with code of our own, and keeps
the others, so that a changed `kill` can end nothing outside. As root with cgroup v1 the kernel keeps their caps.
"""

from __future__ import annotations

import argparse
import atexit
import os
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from omni.kernel.settings import load_settings
from omni.sandbox import bubblewrap, cgroup, choose
from omni.sandbox.guest import NOBODY
from omni.sandbox.job import Job, Limits, Mount
from omni.verify import engine
from omni.verify.config import Mutation, ProjectConfig
from omni.verify.plan import Options

ROOT = Path(__file__).parent.parent
FAST = "not host and not slow"
WITH_HOST = {"sandbox": "not slow", "verify": "not slow"}
"""Rooms whose tests for the host run too."""


def room(name: str, sample: int, seed: int) -> Mutation:
    """`kernel`, or a part of a room such as `verify/analysis`; its tests lie at the same place below `tests`."""
    paths = (f"src/omni/{name}/**",) if (ROOT / "src/omni" / name).is_dir() else (f"src/omni/{name}.py",)
    folder, _, module = name.rpartition("/")
    tests = f"tests/{name}" if (ROOT / "tests" / name).is_dir() else f"tests/{folder}/test_{module}.py"
    chosen = ("-m", WITH_HOST.get(name.partition("/")[0], FAST))
    return Mutation(paths=paths, tests=(tests,), options=chosen, sample=sample, seed=seed)


def let_sandboxes_nest(group: cgroup.Group | None) -> None:
    """Leave out what forbids a sandbox inside: no more namespaces, the filter of system calls, a closed /proc/sys.

    The group is shown inside as the root of all groups, where the guest may make its own.
    """
    whole = bubblewrap.options
    shown = (
        [(folder, cgroup.ROOT / folder.relative_to(cgroup.ROOT).parts[0]) for folder in group.folders] if group else []
    )
    for folder, _ in shown:
        os.chown(folder, NOBODY, NOBODY)

    def nesting(job: Job, given: Sequence[Mount], pipes: bubblewrap.Pipes) -> list[str]:
        told = whole(job, given, pipes)
        for wall in (["--disable-userns"], ["--seccomp", str(pipes.seccomp)], ["--ro-bind", "/proc/sys", "/proc/sys"]):
            at = next(at for at in range(len(told)) if told[at : at + len(wall)] == wall)
            del told[at : at + len(wall)]
        at = told.index("--remount-ro")
        told[at:at] = [each for folder, place in shown for each in ("--bind", str(folder), str(place))]
        return told

    bubblewrap.options = nesting


def show_tools(home: Path) -> None:
    """Many tests of the verification use its real tools: those that are installed are shown inside, read-only."""
    whole, envs = bubblewrap.sandbox, (home / "envs").resolve()

    def showing(bwrap: Path, job: Job, passed: tuple[int, ...] = ()) -> AbstractContextManager[bubblewrap.Walls]:
        told = {**job.env, "OMNI_HOME": str(envs.parent)}
        return whole(bwrap, replace(job, mounts=(*job.mounts, Mount(envs)), env=told), passed)

    bubblewrap.sandbox = showing  # type: ignore[assignment]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", default=["kernel"])
    parser.add_argument("--sample", type=int, default=0, help="so many mutants, drawn at random; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    settings = load_settings()
    choose(settings)  # that all walls hold is tried first, and remembered: after this they would not
    if (settings.home / "envs").is_dir():
        show_tools(settings.home)
    if any(name.partition("/")[0] in WITH_HOST for name in given.rooms):
        group = cgroup.create(Limits(memory=16_384, processes=4096)) if os.geteuid() == 0 else None
        if group:
            atexit.register(group.remove)
        let_sandboxes_nest(group)
    for name in given.rooms:
        config = ProjectConfig(mutation=room(name, given.sample, given.seed))
        options = Options(only=("mutation",), config=config, environment=Path(sys.prefix))
        report = engine.verify(ROOT, options, settings, lambda event: print(event.message, flush=True))
        (result,) = report.results
        for finding in result.findings:
            print(f"{finding.path}:{finding.line}: {finding.rule}: {finding.message}")
        missed = Counter(finding.path for finding in result.findings if finding.rule == "survived")
        for path, count in missed.most_common():
            print(f"{count:5} survived  {path}")
        print(f"{name}: {result.status} {result.reason} {dict(result.metrics)} {result.seconds:.0f} s")


if __name__ == "__main__":
    main()
