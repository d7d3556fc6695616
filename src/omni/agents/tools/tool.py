"""What a tool is: what a model is told of it, how its arguments are checked, what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import JsonValue, ValidationError

from omni.agents.workspace import Refused
from omni.models.wire import Model, ToolSpec

if TYPE_CHECKING:
    from omni.agents.tools.toolbox import Toolbox


class ToolResult(Model):
    """What the model reads. `ok` is false when the tool did not do what was asked; the text then says what to do."""

    text: str
    ok: bool = True


@dataclass(frozen=True)
class Tool:
    """`run` gets arguments as parsed JSON and checks them. Raises Refused; OmniError only when Omni itself can't go on
    (no sandbox)."""

    spec: ToolSpec
    run: Callable[[JsonValue, Toolbox], ToolResult]
    writes: bool
    """It may change the workspace, or asks a person: such calls run alone and in order."""


Arguments = TypeVar("Arguments", bound=Model)


def tool(
    name: str,
    description: str,
    arguments: type[Arguments],
    run: Callable[[Arguments, Toolbox], ToolResult],
    *,
    writes: bool = False,
) -> Tool:
    """A tool whose arguments are a pydantic model; the schema that a model is told is made from it."""

    def checked(given: JsonValue, toolbox: Toolbox) -> ToolResult:
        try:
            read = arguments.model_validate(given)
        except ValidationError as problem:
            raise Refused("arguments", _explained(name, problem)) from problem
        return run(read, toolbox)

    return Tool(ToolSpec(name=name, description=description, parameters=schema(arguments)), checked, writes)


def schema(arguments: type[Model]) -> dict[str, JsonValue]:
    """JSON Schema without titles and references: small models follow the plain form best."""
    full = arguments.model_json_schema()
    definitions = full.pop("$defs", {})

    def plain(node: JsonValue) -> JsonValue:
        if isinstance(node, list):
            return [plain(each) for each in node]
        if not isinstance(node, dict):
            return node
        if isinstance(reference := node.get("$ref"), str):
            return plain(definitions[reference.rpartition("/")[2]])
        return {key: plain(value) for key, value in node.items() if not (key == "title" and isinstance(value, str))}

    made = plain(full)
    assert isinstance(made, dict)  # noqa: S101 - an object's schema is an object
    return made


def _explained(name: str, problem: ValidationError) -> str:
    """Every wrong argument on a line. Values are left out: they may be long, and the model knows what it wrote."""
    lines = [
        f"- {'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}"
        for each in problem.errors(include_url=False, include_input=False, include_context=False)
    ]
    return f"The arguments of `{name}` don't fit:\n" + "\n".join(lines)


def cut(text: str, most: int) -> str:
    """At most about that many characters: the middle is left out, at line ends where there are some, and said so."""
    if len(text) <= most:
        return text
    head, tail = text[: most // 2], text[-(most // 2) :]
    head = head[: head.rfind("\n") + 1] or head
    tail = tail[tail.find("\n") + 1 :] or tail
    gone = len(text) - len(head) - len(tail)
    return f"{head}\n[… {gone} characters left out …]\n\n{tail}"
