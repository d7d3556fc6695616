"""Where in a YAML or JSON file a value stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

import yaml

from omni.verify.bounded_yaml import YAML_LOADER, bounded_yaml

STEP = re.compile(r"\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\.?([^.\[\]]+)")


def steps(path: str) -> list[str | int]:
    """`$.services.web.ports[0]` or `spec.ports.0` → names and indexes."""
    parts = (index or quoted or name for index, quoted, name in STEP.findall(path.removeprefix("$")))
    return [int(part) if part.isdecimal() else part for part in parts]


def line_of_path(text: str, path: Sequence[str | int], document: int = 0) -> int:
    """The line of the value at `path`, or of the deepest part of it that is there; 1 when nothing can be read."""
    try:
        node = next(islice(yaml.compose_all(bounded_yaml(text), Loader=YAML_LOADER), document, None), None)
    except (yaml.YAMLError, RecursionError):
        return 1
    line = node.start_mark.line + 1 if node else 1
    for step in path:
        found = next(_children(node, step), None)
        if found is None:
            return line
        line, node = found
    return line


def _children(node: yaml.Node | None, step: str | int) -> Iterator[tuple[int, yaml.Node]]:
    """(line of its name, it), of the child that the step names."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if str(key.value) == str(step):
                yield key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        yield node.value[step].start_mark.line + 1, node.value[step]
