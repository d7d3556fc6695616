"""`write`: a whole file, new or replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from omni.agents.pasted import left_out
from omni.agents.tools.tool import ToolResult, tool
from omni.agents.workspace import Refused, inside
from omni.models.wire import Model

if TYPE_CHECKING:
    from omni.agents.tools.toolbox import Toolbox


class Arguments(Model):
    path: Annotated[str, Field(min_length=1, description="From the top of the project; folders are made.")]
    content: Annotated[str, Field(description="All of the file.")]


def run(arguments: Arguments, toolbox: Toolbox) -> ToolResult:
    try:
        data = arguments.content.encode()
    except UnicodeEncodeError as problem:
        raise Refused(
            "arguments", "`content` has half a character (a lone surrogate). Write the character."
        ) from problem
    there = toolbox.workspace.about(inside(arguments.path)) is not None
    if there:
        before = toolbox.workspace.read(arguments.path).decode("utf-8", "replace")
        if dots := left_out(arguments.content.split("\n"), {line.strip() for line in before.split("\n")}):
            why = (
                f"`content` has the line {dots!r}, and would lose what it stands for. Write all of the file, or `edit`."
            )
            raise Refused("edit", why)
    toolbox.workspace.write(arguments.path, data)
    lines = len(arguments.content.splitlines())
    return ToolResult(text=f"{arguments.path}: {'replaced' if there else 'made'}, {lines} lines.")


TOOL = tool(
    "write",
    "Make a file, or replace all of it. To change a part of a file, use `edit`.",
    Arguments,
    run,
    writes=True,
)
