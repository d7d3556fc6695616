"""Runs an engine from outside: in the sandbox, on a copy of the workspace, with the meter as its only neighbour."""

from __future__ import annotations

import os
import re
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

from omni.agents.engines import differences
from omni.agents.engines.contract import BAD_TASK, LONGEST, Adapter, Ended, EngineLimits, EngineResult, EngineTask
from omni.agents.engines.installed import Installed
from omni.agents.engines.meter import Meter, metered
from omni.agents.workspace import AgentWorkspace, Changes
from omni.kernel.errors import OmniError
from omni.sandbox import python_mounts
from omni.sandbox.collect import pattern_to_regex
from omni.sandbox.job import Driver, Job, JobResult, Limits

HOME = "/tmp"  # noqa: S108 - the guest's
_KEY = "omni"
"""What an engine takes for its key. The true one, if there is one, stays outside."""
_LAST_WORDS = 600
# The first words of an engine's life: its files come into its home, and the workspace becomes a repository (kept
# elsewhere), since some engines find their way by git. Then it takes over.
_PRELUDE = """while [ "$1" != -- ]; do
  mkdir -p "$(dirname "$HOME/$1")"; printf %s "$2" >"$HOME/$1"; shift 2
done; shift
if command -v git >/dev/null; then
  git init -q --separate-git-dir="$HOME/.omni-git" . && git add -A && git commit -q -m before
fi >/dev/null 2>&1
exec "$@"
"""
_GIT = {
    "GIT_AUTHOR_NAME": "omni",
    "GIT_AUTHOR_EMAIL": "omni@localhost",
    "GIT_COMMITTER_NAME": "omni",
    "GIT_COMMITTER_EMAIL": "omni@localhost",
}


def run(
    adapter: Adapter, installed: Installed, task: EngineTask, driver: Driver, stop: threading.Event | None = None
) -> EngineResult:
    """The engine's work on `task`; when it ends well, its changes are in the workspace, else only in the diff.

    `stop` may be set at any time to end it, and serves one run: it is set here too, once going on is useless.
    Raises OmniError when the task can't be given to it or the sandbox can't
    be had.
    """
    stop = stop or threading.Event()
    began = time.monotonic()
    meter = Meter(task, stop)
    with scratch(task.workspace) as copy, metered(meter) as port:
        job = _job(adapter, installed, task, copy.root, port, stop)
        result, changes = copy.run(driver, job)
        ended, why = _ended(adapter, meter, result, stop)
        changes = _tidied(adapter, changes)
        diff = differences.unified(task.workspace.folder, copy.folder, (*changes.written, *changes.deleted))
        if ended == "done":
            take_over(task.workspace, copy, changes)
    return EngineResult(
        engine=adapter.name,
        version=installed.version,
        ended=ended,
        why=why,
        diff=diff,
        written=changes.written,
        deleted=changes.deleted,
        refused=changes.refused,
        transcript=tuple(meter.turns),
        output=_output(result),
        usage=meter.usage,
        seconds=time.monotonic() - began,
    )


@contextmanager
def scratch(workspace: AgentWorkspace) -> Iterator[AgentWorkspace]:
    """A copy of the workspace on disk, so that what a killed engine left half-done stays out of the true one."""
    with tempfile.TemporaryDirectory(prefix="omni-engine-") as root:
        copy = AgentWorkspace(Path(root), workspace.protected)
        for path, found in workspace.folder.walk().items():
            if found.target is not None:
                copy.folder.link(path, found.target)
            else:
                copy.folder.write(path, *workspace.folder.read(path))
        yield copy


def take_over(workspace: AgentWorkspace, copy: AgentWorkspace, changes: Changes) -> None:
    """Bring what was changed in the copy into the workspace."""
    for path in changes.deleted:
        workspace.folder.delete(path)
    for path in changes.written:
        data, mode = copy.folder.read(path)
        workspace.folder.write(path, data, stat.S_IMODE(mode))


def _job(adapter: Adapter, installed: Installed, task: EngineTask, root: Path, port: int, stop: threading.Event) -> Job:
    if len(task.instructions.encode()) > LONGEST:
        raise OmniError(BAD_TASK, f"its instructions are longer than {LONGEST} bytes", where=adapter.name)
    values = {
        "program": str(installed.program),
        "host": f"http://127.0.0.1:{port}",
        "url": f"http://127.0.0.1:{port}/v1",
        "model": _model_name(task.model),
        "instructions": task.instructions,
        "key": _KEY,
        "home": HOME,
    }
    files = [part for name, text in adapter.files.items() for part in (name, Template(text).substitute(values))]
    argv = [Template(part).substitute(values) for part in adapter.argv]
    env = {name: Template(text).substitute(values) for name, text in adapter.env.items()}
    project = task.environment
    own = [f"{project}/bin"] if project else []
    path = os.pathsep.join((*own, *map(str, installed.folders), "/usr/local/bin", "/usr/bin", "/bin"))
    mounts = (*installed.mounts, *(python_mounts(project) if project else ()))
    return Job(
        ("/bin/sh", "-c", _PRELUDE, "omni", *files, "--", *argv),
        root,
        {"PATH": path, "HOME": HOME, "NO_COLOR": "1", **_GIT, **env},
        tuple(dict.fromkeys(mounts)),
        _limits(task.limits),
        endpoints=(port,),
        stop=stop,
    )


def _limits(limits: EngineLimits) -> Limits:
    return Limits(limits.seconds, limits.memory, limits.disk, limits.processes)


def _model_name(name: str) -> str:
    """Names are put into configuration files of several formats, so they are held to what needs no quoting."""
    if re.fullmatch(r"[\w./:@+-]{1,200}", name) is None:
        raise OmniError(BAD_TASK, f"“{name[:80]}” is no name of a model that engines can be given")
    return name


def _ended(adapter: Adapter, meter: Meter, result: JobResult, stop: threading.Event) -> tuple[Ended, str]:
    """How it ended, and why if not well. What the meter saw is surer than what the engine says."""
    if meter.ended:
        return meter.ended, meter.why
    if stop.is_set():
        return "stopped", "it was stopped from outside"
    if result.ended in ("timeout", "memory"):
        return ("timeout" if result.ended == "timeout" else "memory"), f"it went over its limit of {result.ended}"
    said = _output(result)
    failure = next((found[0] for pattern in adapter.failures if (found := re.search(pattern, said))), "")
    if result.exit_code != 0 or failure:
        return "failed", failure or said[-_LAST_WORDS:].strip() or f"exit code {result.exit_code}, without a word"
    if not any(turn.status == 200 for turn in meter.turns):
        return "failed", f"it never got an answer of the model. {said[-_LAST_WORDS:].strip()}"
    return "done", ""


def _tidied(adapter: Adapter, changes: Changes) -> Changes:
    """Without what belongs to the engine or to git, of which nobody need be told."""
    own = [pattern_to_regex(pattern) for pattern in (*adapter.litter, ".git")]

    def ours(entry: str) -> bool:
        return not any(pattern.fullmatch(entry.partition(": ")[0]) for pattern in own)

    return Changes(
        written=tuple(filter(ours, changes.written)),
        deleted=tuple(filter(ours, changes.deleted)),
        refused=tuple(filter(ours, changes.refused)),
    )


def _output(result: JobResult) -> str:
    return result.stdout + (f"\n{result.stderr}" if result.stderr else "")
