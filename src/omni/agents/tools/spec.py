"""`spec`: the specification, whole or in part."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from omni.agents.tools.tool import ToolResult, cut, tool
from omni.agents.workspace import Refused
from omni.models.wire import Model
from omni.spec.document import to_markdown

if TYPE_CHECKING:
    from omni.agents.tools.toolbox import Toolbox

LONGEST = 60_000


class Arguments(Model):
    part: Annotated[
        str, Field(description="A heading (`Data`), an id (`C3`) or a name (`Invoice`); empty: all of it.")
    ] = ""


def run(arguments: Arguments, toolbox: Toolbox) -> ToolResult:
    if toolbox.spec is None:
        return ToolResult(
            text="There is no specification for this task: its instructions say what is wanted.", ok=False
        )
    document = to_markdown(toolbox.spec)
    if not arguments.part.strip():
        return ToolResult(text=cut(document, LONGEST))
    found = part(document, arguments.part.strip())
    if not found:
        headings = ", ".join(re.findall(r"^##+ (.+)$", document, re.MULTILINE))
        raise Refused("arguments", f"The specification has no part {arguments.part!r}. Headings: {headings}.")
    return ToolResult(text=cut(found, LONGEST))


def part(document: str, name: str) -> str:
    """The section of that heading with those below it; otherwise every line with that word, under its heading."""
    sections = re.split(r"^(?=##+ )", document, flags=re.MULTILINE)
    for number, section in enumerate(sections):
        level, _, heading = section.partition("\n")[0].partition(" ")
        if heading.strip().casefold() == name.casefold():
            below = takewhile(lambda each: each.startswith(f"{level}#"), sections[number + 1 :])  # noqa: B023
            return "".join([section, *below])
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    found: list[str] = []
    for section in sections:
        head, _, body = section.partition("\n")
        lines = [line for line in body.split("\n") if word.search(line)]
        found += [head, *lines, ""] if lines else []
    return "\n".join(found)


TOOL = tool("spec", "Read the specification of what is to be built, or a part of it.", Arguments, run)
