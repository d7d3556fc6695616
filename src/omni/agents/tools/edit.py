"""`edit`: exact replacement in a file, with help where it does not fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, JsonValue, model_validator

from omni.agents.edit import Edit, Edited, Outcome, apply
from omni.agents.tools.tool import ToolResult, tool
from omni.agents.workspace import Refused
from omni.models.wire import Model

if TYPE_CHECKING:
    from omni.agents.tools.toolbox import Toolbox


class Arguments(Model):
    path: Annotated[str, Field(description="From the top of the project: src/main.py")]
    edits: Annotated[tuple[Edit, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _lenient(cls, given: JsonValue) -> JsonValue:
        """One edit may stand beside `path`, or alone for the list; the list may be written as text."""
        if not isinstance(given, dict):
            return given
        read = dict(given)
        one: JsonValue = {
            name: read.pop(name) for name in ("old", "new", "times") if {name, "edits"} & {*read} == {name}
        }
        if one:
            read["edits"] = [one]
        if isinstance(text := read.get("edits"), str):
            try:
                read["edits"] = json.loads(text, strict=False)
            except (ValueError, RecursionError):
                return given
        if isinstance(edit := read.get("edits"), dict):
            read["edits"] = [edit]
        return read


def run(arguments: Arguments, toolbox: Toolbox) -> ToolResult:
    text = _text(toolbox.workspace.read(arguments.path), arguments)
    edited = apply(text, arguments.edits)
    if edited.text != text:
        toolbox.workspace.write(arguments.path, edited.text.encode("utf-8", "surrogateescape"))
    for outcome in edited.outcomes:
        if outcome.status == "refused":
            toolbox.refuse("edit", "edit", f"{arguments.path}: {outcome.why.splitlines()[0]}")
    return ToolResult(text=_told(arguments, edited), ok=edited.ok)


def _text(data: bytes, arguments: Arguments) -> str:
    """Bytes that are no UTF-8 stay as they are. Raises Refused for binary files."""
    if b"\0" in data:
        raise Refused("edit", f"{arguments.path} is binary (or UTF-16): `edit` can't change it.")
    try:
        for each in arguments.edits:
            each.new.encode()
    except UnicodeEncodeError as problem:
        raise Refused("arguments", "`new` has half a character (a lone surrogate). Write the character.") from problem
    text = data.decode("utf-8", "surrogateescape")
    foreign = any("\udc80" <= each <= "\udcff" for each in text) if not text.isascii() else False
    if foreign and not all(each.new.isascii() for each in arguments.edits):
        why = f"{arguments.path} is not UTF-8: only ASCII can be put into it without spoiling it. Convert it by `bash`."
        raise Refused("edit", why)
    return text


def _told(arguments: Arguments, edited: Edited) -> str:
    several = len(edited.outcomes) > 1
    lines = [
        (f"Edit {number} of {len(edited.outcomes)}: " if several else "") + _one(outcome)
        for number, outcome in enumerate(edited.outcomes, 1)
    ]
    refused = sum(outcome.status == "refused" for outcome in edited.outcomes)
    if several and refused:
        lines.append(
            f"{len(edited.outcomes) - refused} of {len(edited.outcomes)} are done and stay; send only the refused."
        )
    return f"{arguments.path}:\n" + "\n".join(lines)


def _one(outcome: Outcome) -> str:
    where = ", ".join(map(str, outcome.lines[:12])) + (", …" if len(outcome.lines) > 12 else "")
    where = f"line{'s' if len(outcome.lines) > 1 else ''} {where}"
    match outcome.status:
        case "applied":
            aside = f" `old` differed in: {outcome.how}; the file's own is kept." if outcome.how else ""
            return f"applied at {where}.{aside}"
        case "already":
            return f"nothing changed: `new` is there already, at {where}. If that is the place, this edit is done."
        case _:
            return f"refused: {outcome.why}"


TOOL = tool(
    "edit",
    "Replace text in a file. `old` is copied from the file exactly, with enough lines that it is there only once; "
    "`new` takes its place. Several edits of one file go into one call.",
    Arguments,
    run,
    writes=True,
)
