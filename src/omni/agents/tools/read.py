"""`read`: lines of a file, numbered; the names in a folder."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from omni.agents.folder import printable
from omni.agents.tools.tool import ToolResult, tool
from omni.agents.workspace import Refused, inside
from omni.models.wire import Model

if TYPE_CHECKING:
    from omni.agents.tools.toolbox import Toolbox

LINES = 1000
"""Lines that are shown at once unless others are asked for."""
CHARACTERS = 60_000
WIDTH = 2000
LARGEST = 64 << 20
"""Bytes."""


class Arguments(Model):
    path: Annotated[str, Field(description="From the top of the project: src/main.py; `.` lists it.")]
    first: Annotated[int, Field(ge=1, description="First line to show.")] = 1
    last: Annotated[int | None, Field(ge=1, description=f"Last line; default: {LINES} lines from the first.")] = None


def run(arguments: Arguments, toolbox: Toolbox) -> ToolResult:
    workspace, name = toolbox.workspace, inside(arguments.path)
    about = workspace.about(name)
    if about is not None and stat.S_ISDIR(about.st_mode):
        return _listed(toolbox, name)
    if about is not None and about.st_size > LARGEST:
        raise Refused("path", f"{arguments.path} has {about.st_size} bytes, too many to read: use `search` or `bash`.")
    data = workspace.read(name)
    if b"\0" in data[:8192]:
        return ToolResult(text=f"{arguments.path} is binary: {len(data)} bytes, beginning with {data[:16].hex(' ')}.")
    return ToolResult(text=_numbered(data.decode("utf-8", "replace"), arguments))


def _numbered(text: str, arguments: Arguments) -> str:
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    if not lines:
        return "(the file is empty)"
    if arguments.first > len(lines):
        return f"(the file has {len(lines)} lines)"
    last = min(arguments.last or arguments.first + LINES - 1, len(lines))
    shown, room = [], CHARACTERS
    for number, line in enumerate(lines[arguments.first - 1 : last], arguments.first):
        row = f"{number:>6}\t{_short(line.removesuffix(chr(13)))}"
        if room < len(row):
            last = number - 1
            break
        room -= len(row) + 1
        shown.append(row)
    notes = [f"(lines {arguments.first}-{last} of {len(lines)})"] if last < len(lines) or arguments.first > 1 else []
    notes += ["(lines end with CRLF)"] if "\r\n" in text else []
    return "\n".join([*shown, *notes])


def _short(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[:WIDTH]}… ({len(line) - WIDTH} characters more)"


def _listed(toolbox: Toolbox, name: str) -> ToolResult:
    prefix = f"{name}/" if name else ""
    within = [path[len(prefix) :] for path in toolbox.workspace.folder.walk() if path.startswith(prefix)]
    names = sorted({path.partition("/")[0] + "/" if "/" in path else path for path in within})
    more = [f"… {len(names) - LINES} more"] if len(names) > LINES else []
    return ToolResult(text="\n".join([*map(printable, names[:LINES]), *more]) or "(the folder is empty)")


TOOL = tool(
    "read",
    "Show a file with line numbers (they are not part of it), whole or some lines; or list a folder.",
    Arguments,
    run,
)
