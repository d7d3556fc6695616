"""`search`: lines that match a pattern, in the files of the workspace."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from omni.agents.tools.tool import ToolResult, tool
from omni.agents.workspace import Refused
from omni.kernel import processes
from omni.models.wire import Model

if TYPE_CHECKING:
    from omni.agents.tools.toolbox import Toolbox

SECONDS = 20.0
_PROGRAM = Path(__file__).with_name("searching.py")


class Arguments(Model):
    pattern: Annotated[str, Field(min_length=1, description="Regular expression (Python's), matched line by line.")]
    files: Annotated[str, Field(description="Glob of the files to look at: `src/**/*.py`, `*.md` (in any folder).")] = (
        "*"
    )
    literal: Annotated[bool, Field(description="Take the pattern as plain text.")] = False
    ignore_case: bool = False
    around: Annotated[int, Field(ge=0, le=10, description="Lines to show before and after each match.")] = 0


def run(arguments: Arguments, toolbox: Toolbox) -> ToolResult:
    # In a process of its own: a pattern can take for ever, and a thread of Python can't be stopped.
    done = processes.run(
        (sys.executable, "-I", "-S", str(_PROGRAM), str(toolbox.workspace.root)),
        stdin=arguments.model_dump_json().encode("utf-8", "replace"),
        env={"PYTHONUTF8": "1"},
        timeout=SECONDS,
    )
    if done.ended == "timeout":
        text = f"Stopped after {SECONDS:.0f} s: the pattern takes too long. Make it simpler, or narrow `files`."
        return ToolResult(text=text, ok=False)
    if not done.ok:
        text = f"The search ended early ({done.ended}): {done.stderr.strip()[-300:]}"
        return ToolResult(text=text, ok=False)
    answer = json.loads(done.stdout)
    if wrong := answer.get("wrong"):
        raise Refused("arguments", f"`pattern` is no regular expression: {wrong}. With literal=true it is plain text.")
    return ToolResult(text=answer["text"])


TOOL = tool("search", "Find lines by a regular expression in the files of the project.", Arguments, run)
