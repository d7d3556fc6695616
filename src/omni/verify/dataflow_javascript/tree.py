"""The syntax tree of a script, by the grammars of tree-sitter: TSX reads JavaScript, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import tree_sitter_typescript
from tree_sitter import Language, Parser, TreeCursor
from tree_sitter import Node as Parsed

LARGEST = 1_000_000
"""Bytes. Longer scripts were made by a program."""
COMMENTS = frozenset({"comment", "html_comment", "hash_bang_line"})
TYPES = frozenset(
    {
        "type_annotation", "interface_declaration", "type_alias_declaration", "type_arguments", "type_parameters",
        "ambient_declaration", "function_signature", "method_signature", "object_type", "interface_body",
    }
)  # fmt: skip
DOES = re.compile(rb"[(={`]")
"""Something that may call, assign or begin a block."""
ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([^ux]))", re.DOTALL)
SIGNS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
NO_FIELDS: dict[str, Node] = {}


class Node:
    """A named node, or an operator. Of the same size for every kind, and nothing of it lives in tree-sitter."""

    __slots__ = ("_text", "children", "column", "end", "field", "fields", "kind", "line", "source", "start")

    def __init__(self, parsed: Parsed, field: str | None, source: bytes) -> None:
        self.kind = parsed.type
        self.field = field
        self.source = source
        self.start, self.end = parsed.start_byte, parsed.end_byte
        row, column = parsed.start_point
        self.line, self.column = row + 1, column + 1
        self.children: list[Node] = []
        self.fields = NO_FIELDS
        self._text: str | None = None

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = self.source[self.start : self.end].decode("utf-8", "replace")
        return self._text

    def get(self, field: str) -> Node | None:
        return self.fields.get(field)

    def all(self, field: str) -> list[Node]:
        return [child for child in self.children if child.field == field]

    def child(self, *kinds: str) -> Node | None:
        return next((child for child in self.children if child.kind in kinds), None)

    def walk(self) -> Iterator[Node]:
        """Itself and all below it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)


@dataclass(frozen=True)
class Tree:
    root: Node
    broken: int | None = None
    """The first line that could not be parsed."""


def parse(text: str, path: str) -> Tree:
    """The tree of a script. What can't be parsed is left out of it, and `broken` says where."""
    source = text.encode("utf-8", "replace")
    parsed = Parser(_language(path.endswith((".ts", ".mts", ".cts")))).parse(source)
    broken = _first_error(parsed.root_node) if parsed.root_node.has_error else None
    return Tree(_built(parsed.walk(), source), broken)


@cache
def _language(plain_typescript: bool) -> Language:
    """`<T>value` is a cast in a .ts file, and an element elsewhere."""
    grammar = tree_sitter_typescript.language_typescript if plain_typescript else tree_sitter_typescript.language_tsx
    return Language(grammar())


def _built(cursor: TreeCursor, source: bytes) -> Node:
    """Iterative: the depth of a tree is whatever its author chose."""
    above = [Node(_of(cursor), None, source)]
    down = True
    while True:
        if down and cursor.goto_first_child():
            _attach(cursor, above, source)
            continue
        done = above.pop()
        if not above:
            return done
        if cursor.goto_next_sibling():
            _attach(cursor, above, source)
            down = True
        else:
            cursor.goto_parent()
            down = False


def _attach(cursor: TreeCursor, above: list[Node], source: bytes) -> None:
    parsed, field = _of(cursor), cursor.field_name
    node = Node(parsed, field, source)
    if (parsed.is_named or field) and node.kind not in COMMENTS:
        parent = above[-1]
        parent.children.append(node)
        if field:
            if parent.fields is NO_FIELDS:
                parent.fields = {}
            parent.fields.setdefault(field, node)
    above.append(node)


def _of(cursor: TreeCursor) -> Parsed:
    node = cursor.node
    assert node is not None  # noqa: S101 - a cursor stands on a node
    return node


def _first_error(root: Parsed) -> int | None:
    """The line of the first part that was not understood and may do something. Only what holds one is looked into.

    The grammar lags behind the language: most of it are new ways to write types, which do nothing.
    """
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type in TYPES:
            continue
        if node.is_error and DOES.search(node.text or b""):
            return node.start_point[0] + 1
        waiting += reversed([child for child in node.children if child.has_error])
    return None


def unescaped(text: str) -> str:
    """What is written between quotes, as the program sees it."""

    def sign(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        if code:
            return chr(int(code, 16)) if int(code, 16) < 0x110000 else ""
        return SIGNS.get(found[4], found[4])

    return ESCAPE.sub(sign, text) if "\\" in text else text
