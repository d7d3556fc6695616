"""Elements of HTML, Jinja and Django templates, and JSX, with their lines: one reader for all three.

Written for judging, not for showing: it never fails, takes both branches of a template's condition, and marks what a
program fills in (`{{ … }}`, `{…}`) with `DYNAMIC`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from omni.verify.analysis.blanks import blanked

DYNAMIC = "\x01"
"""Stands in an attribute or text where a program puts something."""
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
RAW = frozenset({"script", "style"})
"""What is in them is no markup."""
CODE = (("{%", "%}"), ("{#", "#}"), ("<!--", "-->"), ("[%", "%]"))
SHOWN = (("{{", "}}"), ("[[", "]]"))
JSX_COMMENT = (("{/*", "*/}"),)
TAG = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z][\w.:-]*)")
ATTRIBUTE = re.compile(r"(?P<name>[@:#\w\[\]().*-]+)\s*(?P<equals>=\s*)?")
DEEPEST = 400


@dataclass(eq=False)
class Element:
    name: str
    """As written; in lower case it is HTML's own, else a component's."""
    line: int
    attributes: dict[str, str] = field(default_factory=dict)
    """Lower-cased name (`onClick` is `onclick`) → value; empty for a flag."""
    parent: Element | None = None
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    spread: bool = False
    """`{...props}`, `{{ attrs }}`: it may have any attribute."""
    braces: int = 0
    """While it is read: how many `{` of JSX are open in it."""

    def get(self, name: str) -> str | None:
        return self.attributes.get(name)

    def all(self) -> Iterator[Element]:
        """What is in it, in order."""
        for child in self.children:
            yield child
            yield from child.all()

    def around(self) -> Iterator[Element]:
        """What it is in, nearest first."""
        at = self.parent
        while at is not None:
            yield at
            at = at.parent

    @property
    def text(self) -> str:
        """Text in it and in all its children, also what a program puts there."""
        return " ".join([*self.texts, *(each.text for each in self.children)]).strip()


def parse_markup(text: str, *, jsx: bool = False) -> Element:
    """A root with all elements below it."""
    source = blanked(text, JSX_COMMENT) if jsx else _without_code(text)
    root = here = Element("", 1)
    at, depth = 0, 0
    starts = _line_starts(source)
    for found in TAG.finditer(source):
        if found.start() < at or (jsx and not found["close"] and not _is_jsx(source, found)):
            continue
        _add_text(here, source[at : found.start()], jsx)
        name = found["name"] if jsx else found["name"].lower()
        if found["close"]:
            at = source.find(">", found.end()) + 1 or len(source)
            here = _closed(here, name)
            depth = sum(1 for _ in here.around())
            continue
        element = Element(name, _line(starts, found.start()), parent=here)
        at, closed = _attributes(source, found.end(), element, jsx)
        here.children.append(element)
        if name.lower() in RAW and not closed:
            end = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(source, at)
            at = end.end() if end else len(source)
        elif not closed and name.lower() not in VOID and depth < DEEPEST:
            here, depth = element, depth + 1
    _add_text(here, source[at:], jsx)
    return root


def _without_code(text: str) -> str:
    """Template code and comments as blanks, what is shown as marks, line by line."""
    return blanked(blanked(text, CODE), SHOWN, DYNAMIC)


def _is_jsx(source: str, found: re.Match[str]) -> bool:
    """Not `Array<string>`, `a<b` or `<T,>(x: T) => x`."""
    before = source[: found.start()].rstrip()[-1:]
    tight = source[found.start() - 1 : found.start()]
    if tight.isalnum() or tight in "_.)]":
        return False
    after = source[found.end() : found.end() + 1]
    return after in " \n\t/>\r" and (before != "=" or source[found.start() - 1] in " (\n\t")


def _add_text(element: Element, text: str, jsx: bool) -> None:
    said = _literal(element, text) if jsx else re.sub(rf"{DYNAMIC}+", DYNAMIC, text)
    if said.strip():
        element.texts.append(said.strip())


def _literal(element: Element, text: str) -> str:
    """The text outside of `{…}`, which may hold elements and so reach over several texts; a mark for each."""
    bare = blanked(text, (("/*", "*/"),))
    kept = ""
    for sign in bare:
        if sign == "{":
            kept += DYNAMIC if element.braces == 0 else ""
            element.braces += 1
        elif sign == "}":
            element.braces = max(0, element.braces - 1)
        elif element.braces == 0:
            kept += sign
    return kept


def _closed(here: Element, name: str) -> Element:
    """The parent of the nearest open element of that name; unchanged when none is open."""
    for each in (here, *here.around()):
        if each.name == name and each.parent is not None:
            return each.parent
    return here


def _attributes(source: str, at: int, element: Element, jsx: bool) -> tuple[int, bool]:
    """Read up to the tag's end: (where it ends, whether it closes itself)."""
    limit = min(len(source), at + 20_000)
    while at < limit:
        sign = source[at]
        if sign == ">":
            return at + 1, False
        if source.startswith("/>", at):
            return at + 2, True
        if sign in "{" + DYNAMIC:
            element.spread = True
            at = _braces(source, at) if sign == "{" else at + 1
            continue
        found = ATTRIBUTE.match(source, at)
        if found is None or not found["name"]:
            at += 1
            continue
        at = found.end()
        value = ""
        if found["equals"]:
            at, value = _value(source, at, jsx)
        element.attributes.setdefault(found["name"].lower(), value)
    return at, True


def _value(source: str, at: int, jsx: bool) -> tuple[int, str]:
    sign = source[at : at + 1]
    if sign and sign in "\"'":
        end = source.find(sign, at + 1)
        end = end if end >= 0 else len(source)
        return end + 1, re.sub(rf"{DYNAMIC}+", DYNAMIC, source[at + 1 : end])
    if sign == "{" and jsx:
        end = _braces(source, at)
        inner = source[at + 1 : end - 1].strip()
        literal = re.fullmatch(r"[\"'`]([^\"'`$]*)[\"'`]|(-?\d+)", inner)
        return end, (literal[1] if literal[1] is not None else literal[2]) if literal else f"{DYNAMIC}{inner}"
    found = re.compile(r"[^\s>]*").match(source, at)
    return (found.end(), re.sub(rf"{DYNAMIC}+", DYNAMIC, found[0])) if found else (at, "")


def _braces(source: str, at: int) -> int:
    """After the brace that closes the one at `at`; quoted braces are none."""
    depth, quote = 0, ""
    for place in range(at, min(len(source), at + 20_000)):
        sign = source[place]
        if quote:
            quote = "" if sign == quote and source[place - 1] != "\\" else quote
        elif sign in "\"'`":
            quote = sign
        elif sign == "{":
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                return place + 1
    return min(len(source), at + 20_000)


def _line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in re.finditer("\n", text))]


def _line(starts: list[int], at: int) -> int:
    return bisect_right(starts, at)
