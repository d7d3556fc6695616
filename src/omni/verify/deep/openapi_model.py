"""OpenAPI 2.0 to 3.1 in one shape, with the place of everything, so that two documents can be compared.

Places are JSON pointers as tuples (`("paths", "/todos", "get")`). Only references within the document are followed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import yaml

from omni.verify.bounded_yaml import YAML_LOADER, bounded_yaml

Pointer: TypeAlias = tuple[str, ...]
Needs: TypeAlias = Mapping[str, frozenset[str]]
"""Security scheme → scopes, all of which are needed together."""
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
JSON = "application/json"
DEEPEST = 64
"""References that are followed one after the other."""


@dataclass(frozen=True)
class Node:
    """A part of a document, and where it is."""

    value: object
    at: Pointer

    def get(self, name: str) -> Node:
        """A member; a node with the value None when there is none."""
        inner = self.value.get(name) if isinstance(self.value, dict) else None
        return Node(inner, (*self.at, name))

    def members(self) -> Iterator[tuple[str, Node]]:
        if isinstance(self.value, dict):
            for name, inner in self.value.items():
                yield str(name), Node(inner, (*self.at, str(name)))

    def items(self) -> Iterator[Node]:
        if isinstance(self.value, list):
            for number, inner in enumerate(self.value):
                yield Node(inner, (*self.at, str(number)))

    def text(self, name: str) -> str:
        value = self.get(name).value
        return value if isinstance(value, str) else ""


@dataclass(frozen=True)
class Parameter:
    name: str
    place: str
    """`query`, `path`, `header` or `cookie`."""
    required: bool
    schema: Node
    at: Pointer


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    at: Pointer
    deprecated: bool
    parameters: Mapping[tuple[str, str], Parameter]
    """(place, name) → parameter; those of the path have their number as name."""
    body: Mapping[str, Node]
    """Media type → schema."""
    body_required: bool
    responses: Mapping[str, Mapping[str, Node]]
    """Status → media type → schema."""
    security: tuple[Needs, ...]
    """Alternatives, each scheme → scopes; none at all: open to everybody."""

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"


@dataclass(frozen=True)
class Document:
    root: Node
    text: str = field(repr=False)

    @cached_property
    def lines(self) -> Mapping[Pointer, int]:
        """Place → line, from 1."""
        try:
            tree = yaml.compose(bounded_yaml(self.text), Loader=YAML_LOADER)
        except (yaml.YAMLError, RecursionError):
            return {}
        return dict(_lines(tree, ())) if tree else {}

    def line(self, at: Pointer) -> int:
        """Of the place, or of what is nearest above it."""
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    @property
    def version(self) -> tuple[int, ...]:
        """Of the API, as its author numbers it."""
        found = re.match(r"v?(\d+)(?:\.(\d+))?", str(self.root.get("info").get("version").value or ""))
        return tuple(int(part) for part in found.groups(default="0")) if found else ()

    def resolve(self, node: Node) -> Node:
        """The node, or what its `$ref` leads to."""
        for _ in range(DEEPEST):
            reference = node.text("$ref")
            if not reference.startswith("#/"):
                return node
            node = self.at(tuple(_unescaped(part) for part in reference[2:].split("/")))
        return Node(None, node.at)

    def at(self, pointer: Pointer) -> Node:
        node = self.root
        for part in pointer:
            node = node.get(part)
        return node

    @cached_property
    def operations(self) -> Mapping[tuple[str, str], Operation]:
        """(method, path with its parameters' names taken out) → operation."""
        found = {}
        base = self.root.text("basePath").rstrip("/")
        for path, item in self.root.get("paths").members():
            resolved = self.resolve(item)
            for method in METHODS:
                operation = resolved.get(method)
                if isinstance(operation.value, dict):
                    key = (method, re.sub(r"\{[^}]*\}", "{}", base + path))
                    found[key] = self._operation(method, base + path, resolved, operation)
        return found

    def _operation(self, method: str, path: str, item: Node, node: Node) -> Operation:
        given = [self.resolve(each) for source in (item, node) for each in source.get("parameters").items()]
        body, required = self._body(node, given)
        parameters = [_parameter(each) for each in given if each.text("in") not in {"body", "formData"}]
        names = re.findall(r"\{([^}]*)\}", path)
        return Operation(
            method=method,
            path=path,
            at=node.at,
            deprecated=node.get("deprecated").value is True,
            parameters={_key(each, names): each for each in parameters},
            body=body,
            body_required=required,
            responses={status: self._content(each) for status, each in node.get("responses").members()},
            security=self._security(node),
        )

    def _body(self, node: Node, given: list[Node]) -> tuple[Mapping[str, Node], bool]:
        """(media type → schema, whether there has to be one); 2.0 has it among the parameters."""
        for each in given:
            if each.text("in") == "body":
                return {JSON: each.get("schema")}, each.get("required").value is True
        body = self.resolve(node.get("requestBody"))
        return self._content(body), body.get("required").value is True

    def _content(self, node: Node) -> Mapping[str, Node]:
        """Media type → schema, of a body or a response."""
        node = self.resolve(node)
        if isinstance(node.get("schema").value, dict):
            return {JSON: node.get("schema")}
        return {
            media.partition(";")[0].strip().lower(): each.get("schema") for media, each in node.get("content").members()
        }

    def _security(self, node: Node) -> tuple[Needs, ...]:
        own = node.get("security")
        stated = own if isinstance(own.value, list) else self.root.get("security")
        return tuple(
            {name: frozenset(str(scope.value) for scope in scopes.items()) for name, scopes in each.members()}
            for each in stated.items()
        )


def read_document(text: str) -> Document | None:
    """A YAML or JSON text; None when it is neither, or no mapping."""
    try:
        loaded = json.loads(text) if text.lstrip().startswith("{") else yaml.load(bounded_yaml(text), YAML_LOADER)  # noqa: S506 - a safe loader
    except (ValueError, yaml.YAMLError, RecursionError):
        return None
    return Document(Node(loaded, ()), text) if isinstance(loaded, dict) else None


def _parameter(node: Node) -> Parameter:
    schema = node.get("schema")
    if not isinstance(schema.value, dict):
        media = next((each.get("schema") for _, each in node.get("content").members()), None)
        schema = media or node  # 2.0 has the type beside the name
    required = node.get("required").value is True
    return Parameter(node.text("name"), node.text("in"), required, schema, node.at)


def _key(parameter: Parameter, names: list[str]) -> tuple[str, str]:
    if parameter.place == "path" and parameter.name in names:
        return "path", str(names.index(parameter.name))
    return parameter.place, parameter.name.lower() if parameter.place == "header" else parameter.name


def _lines(node: yaml.Node, at: Pointer) -> Iterator[tuple[Pointer, int]]:
    """Depth first, without recursion: a document may be nested deeper than Python's stack."""
    waiting = [(node, at)]
    while waiting:
        each, place = waiting.pop()
        if isinstance(each, yaml.MappingNode):
            for key, value in each.value:
                inner = (*place, str(key.value))
                yield inner, key.start_mark.line + 1
                waiting.append((value, inner))
        elif isinstance(each, yaml.SequenceNode):
            for number, value in enumerate(each.value):
                inner = (*place, str(number))
                yield inner, value.start_mark.line + 1
                waiting.append((value, inner))


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
