"""`bash`: a command in the sandbox, on a copy of the workspace; what it changed is brought back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from omni.agents.tools.tool import ToolResult, cut, tool
from omni.agents.workspace import Changes
from omni.kernel.errors import OmniError
from omni.models.wire import Model
from omni.sandbox import python_mounts
from omni.sandbox.errors import WORKSPACE
from omni.sandbox.job import Job, JobResult, Limits

if TYPE_CHECKING:
    from omni.agents.tools.toolbox import Toolbox

OUTPUT = 16_000
"""Characters of a command's output that a model gets to see; the middle is cut out."""
_LISTED = 20
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
"""Colours and cursor movements (ECMA-48)."""


class Arguments(Model):
    command: Annotated[str, Field(min_length=1, description="What bash is to run, in the top folder of the project.")]
    seconds: Annotated[int, Field(ge=1, le=600, description="It is stopped after this time.")] = 120


def run(arguments: Arguments, toolbox: Toolbox) -> ToolResult:
    try:
        result, changes = toolbox.workspace.run(toolbox.driver, _job(arguments, toolbox))
    except OmniError as problem:
        if problem.kind is not WORKSPACE:
            raise
        return ToolResult(text=f"{problem.kind.title}: {problem.why}. {problem.fix}", ok=False)
    for entry in changes.refused:
        if not entry.endswith(": symbolic link"):
            toolbox.refuse("bash", "protected" if ": protected" in entry else "path", entry)
    output = cut(plain(result.stdout), OUTPUT)
    said = [output.rstrip("\n")] if output.strip() else ["(no output)"]
    return ToolResult(text="\n".join([*said, _end(result, arguments), *_changed(changes)]), ok=result.exit_code == 0)


def _job(arguments: Arguments, toolbox: Toolbox) -> Job:
    # One stream, so that what it said and what went wrong stand in their order; nothing to read from.
    argv = ("bash", "-c", 'exec bash -c "$1" 2>&1 < /dev/null', "bash", arguments.command)
    environment = toolbox.environment
    path = (f"{environment}/bin:" if environment else "") + "/usr/local/bin:/usr/bin:/bin"
    return Job(
        argv,
        toolbox.workspace.root,
        env={"PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", "TERM": "dumb", "PAGER": "cat"},
        mounts=python_mounts(environment) if environment else (),
        limits=Limits(wall=arguments.seconds),
    )


def plain(output: str) -> str:
    """Without colours; a line that was written over again and again (a progress bar) shows as it was last."""
    lines = _ESCAPES.sub("", output).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def _end(result: JobResult, arguments: Arguments) -> str:
    if result.ended == "exited":
        return f"[exit code {result.exit_code}, {result.seconds:.1f} s]"
    why = {
        "timeout": f"stopped: it took longer than {arguments.seconds} s. Give it less to do, or more `seconds`",
        "memory": "stopped: it used more memory than allowed",
        "signal": "killed by a signal (a crash)",
        "refused": f"not run: {result.stderr.strip()}",
    }
    return f"[{why[result.ended]}]"


def _changed(changes: Changes) -> list[str]:
    kinds = (("Changed", changes.written), ("Deleted", changes.deleted), ("Not brought back", changes.refused))
    return [f"{title}: {_listing(paths)}" for title, paths in kinds if paths]


def _listing(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
    return ", ".join(paths[:_LISTED]) + more


TOOL = tool(
    "bash",
    "Run a command in a sandbox without network, on a copy of the project. Files that it makes, changes or deletes are "
    "brought back, except .git, links and protected files. Nothing else stays: no variables, no `cd`, no process.",
    Arguments,
    run,
    writes=True,
)
