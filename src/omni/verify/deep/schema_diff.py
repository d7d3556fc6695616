"""Whether a JSON Schema became narrower or wider, seen from a client that was written for the old one.

In a request the new schema has to accept all that the old one did; in a response it may allow nothing that the old one
did not. So each difference is looked at in the direction in which the data goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from omni.verify.deep.openapi_model import Document, Node, Pointer

Direction = Literal["request", "response"]
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
ALL_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


class Change(NamedTuple):
    rule: str
    at: Pointer
    """In the new document."""
    message: str


@dataclass
class SchemaDiff:
    old: Document
    new: Document
    direction: Direction
    _seen: set[tuple[Pointer, Pointer]]

    @classmethod
    def between(cls, old: Document, new: Document, direction: Direction) -> SchemaDiff:
        return cls(old, new, direction, set())

    def compare(self, old: Node, new: Node, name: str) -> Iterator[Change]:
        """Breaking changes of what is called `name` in messages."""
        before, after = Schema.of(self.old, old), Schema.of(self.new, new)
        if (before.node.at, after.node.at) in self._seen:
            return
        self._seen.add((before.node.at, after.node.at))
        if not isinstance(before.node.value, dict) or not isinstance(after.node.value, dict):
            return
        if before.alternatives or after.alternatives:
            yield from self._alternatives(before, after, name)
            return
        changed = list(self._types(before, after, name))
        yield from changed
        if changed:
            return  # what follows from it would only repeat it
        yield from self._enum(before, after, name)
        yield from self._bounds(before, after, name)
        yield from self._properties(before, after, name)
        yield from self.compare(before.get("items"), after.get("items"), f"{name}[]")
        yield from self.compare(before.get("additionalProperties"), after.get("additionalProperties"), f"{name}.*")

    @property
    def _is_request(self) -> bool:
        return self.direction == "request"

    def _types(self, before: Schema, after: Schema, name: str) -> Iterator[Change]:
        given, taken = (before.types, after.types) if self._is_request else (after.types, before.types)
        lost = {each for each in given - taken if not (each == "integer" and "number" in taken)}
        if lost == {"null"} and "null" not in (before.types if not self._is_request else after.types):
            said = "may not be null any more" if self._is_request else "may be null now"
            yield Change("nullability-changed", after.node.at, f"{name} {said}")
        elif lost:
            yield Change(
                "type-changed", after.node.at, f"{name} was {_words(before.types)} and is {_words(after.types)}"
            )
        formats = before.node.text("format"), after.node.text("format")
        widened = formats == (("int32", "int64") if self._is_request else ("int64", "int32"))
        widened |= formats == (("float", "double") if self._is_request else ("double", "float"))
        if all(formats) and formats[0] != formats[1] and not widened:
            yield Change("type-changed", after.node.at, f"{name} had the format {formats[0]} and has {formats[1]}")

    def _enum(self, before: Schema, after: Schema, name: str) -> Iterator[Change]:
        then, now = before.enum, after.enum
        if self._is_request:
            lost = (
                []
                if now is None
                else ["any other value"]
                if then is None
                else [each for each in then if each not in now]
            )
            if lost:
                yield Change("enum-value-removed", after.node.at, f"{name} does not take {', '.join(lost)} any more")
        elif then is not None:
            more = ["any value"] if now is None else [each for each in now if each not in then]
            if more:
                yield Change(
                    "enum-value-added", after.node.at, f"{name} may now be {', '.join(more)}, which no client knows"
                )

    def _bounds(self, before: Schema, after: Schema, name: str) -> Iterator[Change]:
        """Only where clients send: a response with wider bounds breaks few, and one can't know."""
        if not self._is_request:
            return
        for word in (*LOWER, *UPPER):
            then, now = before.number(word), after.number(word)
            if now is None or (then is not None and (now <= then if word in LOWER else now >= then)):
                continue
            if then is None and word.startswith("min") and now <= 0 and word != "minimum":
                continue
            was = "" if then is None else f", was {then:g}"
            yield Change("constraint-tightened", (*after.node.at, word), f"{name} has {word} {now:g}{was}")
        pattern = after.node.text("pattern")
        if pattern and pattern != before.node.text("pattern"):
            yield Change("constraint-tightened", (*after.node.at, "pattern"), f"{name} has to match {pattern}")

    def _properties(self, before: Schema, after: Schema, name: str) -> Iterator[Change]:
        for key, old in before.properties.items():
            if _is_hidden(old, self.direction):
                continue
            new = after.properties.get(key)
            if new is None:
                if not self._is_request:
                    yield Change("response-field-removed", after.node.at, f"{name}.{key} is gone")
                elif after.get("additionalProperties").value is False:
                    yield Change("request-field-removed", after.node.at, f"{name}.{key} is refused now")
                continue
            yield from self.compare(old, new, f"{name}.{key}")
            if not self._is_request and key in before.required and key not in after.required:
                yield Change("response-field-optional", new.at, f"{name}.{key} may be missing now")
        if self._is_request:
            for key in sorted(after.required - before.required):
                new = after.properties.get(key, after.node)
                if not _is_hidden(new, self.direction) and (key in after.properties or key not in before.properties):
                    yield Change("request-field-required", new.at, f"{name}.{key} is required now")
            if (
                after.get("additionalProperties").value is False
                and before.get("additionalProperties").value is not False
            ):
                yield Change("constraint-tightened", after.node.at, f"{name} refuses fields that it does not name")

    def _alternatives(self, before: Schema, after: Schema, name: str) -> Iterator[Change]:
        """`oneOf` and `anyOf`: by what they refer to, or by what they say."""
        then = {_identity(self.old, each): each for each in before.alternatives or (before.node,)}
        now = {_identity(self.new, each): each for each in after.alternatives or (after.node,)}
        for key in then.keys() & now.keys():
            yield from self.compare(then[key], now[key], name)
        given, taken = (then, now) if self._is_request else (now, then)
        for key in sorted(given.keys() - taken.keys()):
            said = "is not taken any more" if self._is_request else "is new, and no client knows it"
            yield Change("alternative-changed", after.node.at, f"{name}: the alternative {key[:80]} {said}")


@dataclass(frozen=True)
class Schema:
    """A schema with its references followed, `allOf` merged, and `null` told from the rest."""

    node: Node
    nullable: bool
    alternatives: tuple[Node, ...]

    @classmethod
    def of(cls, document: Document, node: Node) -> Schema:
        node = _merged(document, document.resolve(node), 0)
        nullable = node.get("nullable").value is True or node.get("x-nullable").value is True
        for word in ("oneOf", "anyOf"):
            given = tuple(node.get(word).items())
            real = tuple(each for each in given if document.resolve(each).get("type").value != "null")
            nullable |= len(real) < len(given)
            if len(real) == 1:
                inner = cls.of(document, real[0])
                return cls(inner.node, nullable or inner.nullable, inner.alternatives)
            if real:
                return cls(node, nullable, real)
        return cls(node, nullable, ())

    def get(self, name: str) -> Node:
        return self.node.get(name)

    @property
    def types(self) -> frozenset[str]:
        stated = self.get("type").value
        if isinstance(stated, list):
            found = frozenset(str(each) for each in stated)
        elif isinstance(stated, str):
            found = frozenset({stated})
        elif isinstance(self.get("properties").value, dict):
            found = frozenset({"object"})
        else:
            return ALL_TYPES
        return found | {"null"} if self.nullable else found

    @property
    def enum(self) -> list[str] | None:
        """The values as text, or None where any is allowed."""
        if isinstance(self.node.value, dict) and "const" in self.node.value:
            return [repr(self.node.value["const"])]
        stated = self.get("enum").value
        return [repr(each) for each in stated if each is not None] if isinstance(stated, list) else None

    @property
    def properties(self) -> dict[str, Node]:
        return dict(self.get("properties").members())

    @property
    def required(self) -> frozenset[str]:
        return frozenset(str(each.value) for each in self.get("required").items())

    def number(self, word: str) -> float | None:
        value = self.get(word).value
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _merged(document: Document, node: Node, depth: int) -> Node:
    """`allOf` in one: the properties and what is required of all of them, the rest of the last that says it."""
    if depth > 16 or not isinstance(node.value, dict) or not isinstance(node.value.get("allOf"), list):
        return node
    whole: dict[str, object] = {}
    properties: dict[str, object] = {}
    required: list[object] = []
    parts = [_merged(document, document.resolve(each), depth + 1).value for each in node.get("allOf").items()]
    for part in (*parts, {key: value for key, value in node.value.items() if key != "allOf"}):
        if isinstance(part, dict):
            inner, needed = part.get("properties"), part.get("required")
            properties |= inner if isinstance(inner, dict) else {}
            required += needed if isinstance(needed, list) else []
            whole |= part
    if properties:
        whole["properties"] = properties
    return Node(whole | ({"required": required} if required else {}), node.at)


def _is_hidden(node: Node, direction: Direction) -> bool:
    """Not sent this way."""
    return node.get("readOnly" if direction == "request" else "writeOnly").value is True


def _identity(document: Document, node: Node) -> str:
    """The name it has in the document, else its title, else its types."""
    resolved = document.resolve(node)
    named = resolved.at[-1] if resolved.at[:-1] in {("components", "schemas"), ("definitions",)} else ""
    return named or resolved.text("title") or _words(Schema.of(document, node).types)


def _words(types: frozenset[str]) -> str:
    return "anything" if types == ALL_TYPES else " or ".join(sorted(types))
