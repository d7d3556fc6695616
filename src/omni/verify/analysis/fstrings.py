"""f-strings of Python 3.12 (PEP 701), read by an older interpreter: quotes, backslashes and lines within the braces.

Each expression in an f-string gives way to a name, is parsed by itself, and is put back into the tree at its line.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from omni.verify.parsing import parse_python

START = re.compile(r"(?i)(?<![\w.])(?P<prefix>f|fr|rf|r|u|b|br|rb)?(?P<quote>'''|\"\"\"|'|\")|#[^\n]*")
"""Where a string or comment begins."""
DEEPEST = 20


@dataclass
class _Rewriting:
    expressions: list[tuple[str, int, str]] = field(default_factory=list)
    """(text, line, text as written) of each, by the number in its name."""
    line: int = 1
    """Of the first sign."""

    def code(self, text: str, depth: int = 0) -> str:
        """The text with each f-string rewritten."""
        pieces: list[str] = []
        place = 0
        while found := START.search(text, place):
            pieces.append(text[place : found.start()])
            if found["quote"] is None:
                place = found.end()
                pieces.append(found[0])
            elif "f" in (found["prefix"] or "").lower():
                written, place = self.string(text, found, depth)
                pieces.append(written)
            else:
                place = _end_of_string(text, found.end(), found["quote"])
                pieces.append(text[found.start() : place])
        return "".join([*pieces, text[place:]])

    def string(self, text: str, found: re.Match[str], depth: int) -> tuple[str, int]:
        """(the f-string with names in its braces, where it ends). Raises SyntaxError."""
        if depth > DEEPEST:
            raise SyntaxError("f-strings are nested too deeply")
        quote, raw = found["quote"], "r" in found["prefix"].lower()
        body, place = self.literal(text, found.end(), quote, raw, depth)
        return f"{found[0]}{body}{quote}", place + len(quote)

    def literal(self, text: str, place: int, end: str, raw: bool, depth: int) -> tuple[str, int]:
        """(what is between the braces, the place of `end`)."""
        pieces: list[str] = []
        while not text.startswith(end, place):
            if place >= len(text):
                raise SyntaxError("f-string: it does not end")
            if text.startswith(("{{", "}}"), place) and end != "}":
                pieces.append(text[place : place + 2])
                place += 2
            elif text[place] == "{":
                written, place = self.replacement(text, place + 1, raw, depth)
                pieces.append(written)
            elif text.startswith("\\N{", place) and not raw:
                stop = text.find("}", place) + 1 or len(text)
                pieces.append(text[place:stop])
                place = stop
            else:
                width = 2 if text[place] == "\\" and not (raw and text.startswith("\\{", place)) else 1
                pieces.append(text[place : place + width])
                place += width
        return "".join(pieces), place

    def replacement(self, text: str, place: int, raw: bool, depth: int) -> tuple[str, int]:
        """(`{name!r:…}` for the field that begins here, where it ends)."""
        stop = _end_of_expression(text, place, depth)
        inside = text[place:stop]
        bare = inside.rstrip()
        shown = bare.endswith("=") and not bare.endswith(("==", "!=", "<=", ">="))
        bare = bare[:-1] if shown else bare
        name = f"_f{len(self.expressions)}_"
        if not bare.strip():
            raise SyntaxError("f-string: empty expression not allowed")
        number, before = len(self.expressions), self.line
        self.expressions.append(("", 0, ""))
        self.line += text.count("\n", 0, place)
        self.expressions[number] = (self.code(bare, depth + 1), self.line, inside)
        self.line = before
        written = f"{{{name}{'=' if shown else ''}"
        if text.startswith("!", stop):
            written += text[stop : stop + 2]
            stop += 2
        if text.startswith(":", stop):
            spec, stop = self.literal(text, stop + 1, "}", raw, depth + 1)
            written += f":{spec}"
        if not text.startswith("}", stop):
            raise SyntaxError("f-string: expecting '}'")
        return written + "}" + "\\\n" * inside.count("\n"), stop + 1


def _end_of_string(text: str, place: int, quote: str) -> int:
    """After the closing quotes; the end of the line, or of the text, when there are none."""
    while place < len(text):
        if text.startswith(quote, place):
            return place + len(quote)
        if text[place] == "\n" and len(quote) == 1:
            return place
        place += 2 if text[place] == "\\" else 1
    return len(text)


def _end_of_expression(text: str, place: int, depth: int) -> int:
    """The place of the `}`, `!` or `:` that ends it."""
    brackets = 0
    while place < len(text):
        found = START.match(text, place)
        if found and found["quote"] is None:
            place = found.end()
        elif found and "f" in (found["prefix"] or "").lower():
            place = _Rewriting().string(text, found, depth + 1)[1]
        elif found:
            place = _end_of_string(text, found.end(), found["quote"])
        elif brackets == 0 and (text[place] in "}:" or (text[place] == "!" and text[place + 1 : place + 2] != "=")):
            return place
        else:
            brackets += (text[place] in "([{") - (text[place] in ")]}")
            place += 1
    raise SyntaxError("f-string: it does not end")


class _PutBack(ast.NodeTransformer):
    def __init__(self, rewriting: _Rewriting) -> None:
        self.rewriting = rewriting

    def visit_Name(self, node: ast.Name) -> ast.expr:
        found = re.fullmatch(r"_f(\d+)_", node.id)
        if found is None or int(found[1]) >= len(self.rewriting.expressions):
            return node
        text, line, _ = self.rewriting.expressions[int(found[1])]
        for statement in parse_python(f"({text}\n)").body:
            if isinstance(statement, ast.Expr):
                ast.increment_lineno(statement, line - 1)
                inner: ast.expr = self.visit(statement.value)
                return inner
        raise SyntaxError("f-string: no expression in its braces")

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        """`{x=}` shows the expression itself."""
        if isinstance(node.value, str) and "_=" in node.value:
            node.value = re.sub(r"_f(\d+)_=", self._written, node.value)
        return node

    def _written(self, found: re.Match[str]) -> str:
        number = int(found[1])
        return self.rewriting.expressions[number][2] if number < len(self.rewriting.expressions) else found[0]


def parse_with_fstrings(source: str) -> ast.Module:
    """The tree of a file that may hold f-strings of Python 3.12. Raises what `parse_python` raises."""
    rewriting = _Rewriting()
    tree = parse_python(rewriting.code(source))
    _PutBack(rewriting).visit(tree)
    return tree


def parse_any(source: str) -> ast.Module:
    """The tree of a file, with f-strings of any Python. Raises what `parse_python` raises, for the file as it is."""
    try:
        return parse_python(source)
    except SyntaxError:
        try:
            return parse_with_fstrings(source)
        except SyntaxError:
            pass
        raise
