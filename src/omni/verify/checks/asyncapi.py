"""AsyncAPI documents: the fields that every reader needs, references that lead somewhere, schemas that are schemas.

https://www.asyncapi.com/docs/reference/specification, versions 2 and 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import yaml

from omni.verify.analysis.positions import line_of_path
from omni.verify.analysis.rule import Rule
from omni.verify.bounded_yaml import YAML_LOADER, bounded_yaml
from omni.verify.check import Check, Context, Gap, Item, Unseen
from omni.verify.files import File
from omni.verify.report import Severity, Status

WHY = "Programs that make clients, tests and pages from it stop, or make wrong ones."
FIX = "Correct it as the AsyncAPI specification of its version says."
MISSING = Rule("asyncapi", "missing-field", Severity.ERROR, why=WHY, fix=FIX)
NOWHERE = Rule("asyncapi", "reference-to-nowhere", Severity.ERROR, why=WHY, fix=FIX)
INVALID = Rule("asyncapi", "invalid-value", Severity.ERROR, why=WHY, fix=FIX)
LOOKS_LIKE = re.compile(r"^[ \t{]*[\"']?asyncapi[\"']?\s*:\s*[\"']?\d", re.MULTILINE)
NEEDED = {
    2: (("info",), ("info", "title"), ("info", "version"), ("channels",)),
    3: (("info",), ("info", "title"), ("info", "version")),
}
TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
ACTIONS = frozenset({"send", "receive"})


def run(context: Context) -> Iterator[Item]:
    found = documents(context)
    if not found:
        yield Gap("there is no AsyncAPI document", Status.SKIPPED)
    for file in found:
        yield from look(context, file)


def documents(context: Context) -> list[File]:
    return [file for file in context.files if LOOKS_LIKE.search(context.text(file)[:4000])]


def look(context: Context, file: File) -> Iterator[Item]:
    """What is wrong with one document."""
    text = context.text(file)
    try:
        content = yaml.load(bounded_yaml(text), Loader=YAML_LOADER)  # noqa: S506 - it is the safe one
    except (yaml.YAMLError, ValueError, RecursionError):
        yield Unseen(file.path, "it does not parse")
        return
    if not isinstance(content, Mapping):
        return
    try:
        problems = list(_problems(content))
    except RecursionError:  # also an anchor that holds itself
        yield Unseen(file.path, "nested too deeply")
        return
    for rule, path, message in problems:
        line = line_of_path(text, path)
        yield rule.at(file.path, line, message)


def _problems(content: Mapping[str, object]) -> Iterator[tuple[Rule, list[str | int], str]]:
    version = str(content.get("asyncapi"))
    major = int(version[0]) if version[:1].isdecimal() else 0
    if major not in NEEDED:
        yield INVALID, ["asyncapi"], f"there is no version {version} of AsyncAPI; 2 and 3 are known here"
        return
    for path in NEEDED[major]:
        if _at(content, path) is None:
            yield MISSING, list(path), f"{'.'.join(path)} is missing"
    operations = content.get("operations")
    for name, operation in operations.items() if major == 3 and isinstance(operations, Mapping) else ():
        action = operation.get("action") if isinstance(operation, Mapping) else None
        if action not in ACTIONS and not (isinstance(operation, Mapping) and "$ref" in operation):
            yield INVALID, ["operations", name, "action"], f"the action of {name} is {action}, not send or receive"
    yield from _walk(content, content, [])


def _walk(
    root: Mapping[str, object], value: object, path: list[str | int]
) -> Iterator[tuple[Rule, list[str | int], str]]:
    """References within the document, and the types of payloads."""
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            names = [part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/")]
            if _at(root, names) is None:
                yield NOWHERE, [*path, "$ref"], f"{reference} is not in the document"
        kind = value.get("type")
        if "payload" in path and "properties" not in path[-1:] and isinstance(kind, str) and kind not in TYPES:
            yield INVALID, [*path, "type"], f"“{kind}” is no type of JSON Schema"
        for name, child in value.items():
            yield from _walk(root, child, [*path, str(name)])
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _walk(root, child, [*path, index])


def _at(value: object, path: tuple[str, ...] | list[str]) -> object:
    for name in path:
        if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, Mapping) and name in value:
            value = value[name]
        else:
            return None
    return value


CHECK = Check(
    id="asyncapi",
    title="The AsyncAPI document is valid",
    tier=2,
    globs=("*asyncapi*.yaml", "*asyncapi*.yml", "*asyncapi*.json"),
    run=run,
)
