"""Docstrings as far as they make promises: parameters, results, exceptions. In the style of Sphinx, Google or NumPy."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SPHINX_PARAMETER = re.compile(
    r"^\s*:(?:param|parameter|arg|argument|key|keyword)\s+(?:[^:\n]*?\s)?\\?\*{0,2}(?P<name>\w+)\s*:", re.MULTILINE
)
SPHINX_RAISES = re.compile(r"^\s*:(?:raises?|except|exception)\s+(?P<names>[^:\n]+):", re.MULTILINE)
SPHINX_RETURNS = re.compile(r"^\s*:returns?\s*:(?P<text>[^\n]*)", re.MULTILINE)
SECTION = re.compile(
    r"^(?P<indent>[ ]*)(?P<title>Args|Arguments|Parameters|Keyword Args|Keyword Arguments|Other Parameters|Attributes|"
    r"Returns?|Yields?|Raises|Warns|Examples?|Notes?|See Also|References|Methods|Todo|Warnings?|Usage|Warning|Tip)"
    r":?[ ]*\n(?P<rule>[ ]*-{3,}[ ]*\n)?",
    re.MULTILINE,
)
RETURNS_AT_ONCE = re.compile(r"\A\s*Returns?:[ ]+(?P<text>\S[^\n]*)")
"""A docstring of one line, that begins with it."""
GOOGLE_ENTRY = re.compile(r"^\\?\*{0,2}(?P<name>[A-Za-z_]\w*)\s*(?:\([^\n]*?\))?\s*:(?:\s|$)")
NUMPY_ENTRY = re.compile(r"^\\?\*{0,2}(?P<names>[A-Za-z_]\w*(?:\s*,\s*\\?\*{0,2}\w+)*)\s*(?::.*)?$")
NOTHING = re.compile(
    r"\A\s*(((none|nothing|null|n/a)\b|-)\s*([.:;,]|$)|this (function|method) (does not|doesn't|never)\b)",
    re.IGNORECASE,
)
PARAMETERS = frozenset({"Args", "Arguments", "Parameters", "Keyword Args", "Keyword Arguments", "Other Parameters"})


@dataclass(frozen=True)
class Promises:
    parameters: Mapping[str, int]
    """Name → its line within the docstring, from 0."""
    raises: Mapping[str, int]
    returns: int | None
    """The line of what says that something is returned."""


def read_docstring(text: str) -> Promises:
    """What the docstring promises; nothing of what it says in prose."""
    before = len(text) - len(text.lstrip("\n "))
    cleaned = "\n" * text.count("\n", 0, before) + inspect.cleandoc(text)
    parameters = {found["name"]: _line(cleaned, found.start("name")) for found in SPHINX_PARAMETER.finditer(cleaned)}
    raises = {
        name.strip().rpartition(".")[2]: _line(cleaned, found.start("names"))
        for found in SPHINX_RAISES.finditer(cleaned)
        for name in found["names"].split(",")
    }
    returned = SPHINX_RETURNS.search(cleaned) or RETURNS_AT_ONCE.match(cleaned)
    returns = _line(cleaned, returned.start("text")) if returned and not _nothing(returned["text"]) else None
    for title, numpy, line, body in _sections(cleaned):
        if title in PARAMETERS:
            parameters |= {name: line + at for name, at in _names(body, numpy)}
        elif title == "Raises":
            raises |= {name: line + at for name, at in _names(body, numpy, dotted=True)}
        elif title in {"Return", "Returns"} and body and not _nothing(body[0]):
            returns = line
    return Promises(parameters, raises, returns)


def _nothing(text: str) -> bool:
    return not text.strip() or NOTHING.match(text) is not None


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at)


def _sections(text: str) -> Iterator[tuple[str, bool, int, list[str]]]:
    """(title, NumPy style, line of the first line of its body, body without its indentation)"""
    found = list(SECTION.finditer(text))
    for index, each in enumerate(found):
        end = found[index + 1].start() if index + 1 < len(found) else len(text)
        numpy = each["rule"] is not None
        lines = text[each.end() : end].splitlines()
        # The first line of a docstring has no indentation of its own, and what is below it all has lost the same.
        below = next((line for line in lines if line.strip()), "")
        indent = len(each["indent"]) if numpy or each.start() or below.startswith(" ") else -1
        if not numpy:
            kept = []
            for line in lines:
                if line.strip() and len(line) - len(line.lstrip()) <= indent:
                    break
                kept.append(line)
            lines = kept
            depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        else:
            depth = indent
        if numpy or text[each.start() : each.end()].rstrip().endswith(":"):
            yield each["title"], numpy, _line(text, each.end()), [line[depth:] for line in lines]


def _names(body: list[str], numpy: bool, *, dotted: bool = False) -> Iterator[tuple[str, int]]:
    for at, line in enumerate(body):
        if line[:1].isspace() or not line.strip():
            continue
        if numpy:
            found = NUMPY_ENTRY.match(line)
            names = re.split(r"\s*,\s*", found["names"]) if found else []
        else:
            entry = re.match(r"(?P<name>[\w.]+)\s*:", line) if dotted else GOOGLE_ENTRY.match(line)
            names = [entry["name"]] if entry else []
        for name in names:
            yield name.lstrip("\\*").rpartition(".")[2], at
