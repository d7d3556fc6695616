"""A few words to a field: its name, type, limits and unit ("weight in kg", "status (open, closed)")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from omni.spec import lexicon, words
from omni.spec.grammar import grammar, is_thing
from omni.spec.model import FieldType, SpecField
from omni.spec.patterns import pattern

TYPE_WORDS = {
    "date and time": "datetime", "whole number": "integer", "number": "decimal", "yes/no": "boolean",
    "checkbox": "boolean", "e-mail": "email", "image": "file",
}  # fmt: skip
"""What people call a type, where it is not its name."""
DETERMINERS = frozenset("a an the its their his her my our your each every some one".split())  # noqa: SIM905 - prose
PLURAL = (FieldType.TEXT, FieldType.INTEGER, FieldType.DECIMAL)
"""Types whose fields keep a plural name ("ingredients", "servings")."""
INNER = frozenset(("of", "per", "and", "at", "on", "to", "by", "for"))
SIZED = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.DURATION)


@dataclass(frozen=True)
class Found:
    field: SpecField
    sure: bool
    """A rule gave it its type; otherwise it is taken as a short text."""


def field_of(text: str, sources: tuple[str, ...]) -> Found | None:
    """The field that a short phrase names, or None when it does not read as one."""
    rest = " ".join(text.lower().strip(" .;:,!").split())
    changes: dict[str, object] = {}

    def take(attribute: re.Pattern[str]) -> re.Match[str] | None:
        nonlocal rest
        if match := attribute.search(rest):
            rest = f"{rest[: match.start()]} {rest[match.end() :]}".strip(" ,")
        return match

    several = take(pattern("list_of"))
    limit = take(pattern("characters"))
    between = take(pattern("range"))
    low, high = take(pattern("low")), take(pattern("high"))
    optional, required, unique, default = (
        take(pattern("optional")),
        take(pattern("required")),
        take(pattern("unique")),
        take(pattern("default")),
    )
    typed = take(pattern("typed"))
    choices = take(pattern("choices"))
    unit = _unit(take(pattern("unit")) if _has_unit(rest) else None)
    rest = re.sub(r"(?:\s+(?:of|with|is|in|that|which|as|from|to))+$", "", rest)
    name = _name(rest)
    if not name:
        return None
    if several:
        name = words.plural_phrase(words.singular_phrase(name))
    notation, sure = _notation(name, unit, bool(between or low or high), bool(limit))
    if several:
        notation, sure = "text, optional, search", True
    if choices:
        options = [words.snake(x) for x in re.split(r"\s*[,/|]\s*(?:or |and )?|\s+or\s+", choices[1]) if x.strip()]
        notation, sure = f"enum {'|'.join(dict.fromkeys(options))}, filter", True
    if typed:
        notation, sure = TYPE_WORDS.get(typed[1], typed[1]), True
    field = lexicon.parse_field(words.snake(name), notation, sources)
    if field.type not in PLURAL:
        field = lexicon.parse_field(words.snake(words.singular_phrase(name)), notation, sources)
    if unit:
        changes["unit"] = unit
    if limit and field.type in (FieldType.STRING, FieldType.TEXT):
        changes["max_length"] = int(float(limit[1]))
    if field.type in SIZED:
        if between:
            pair = [float(value) for value in between.groups() if value]
            changes |= {"min": min(pair), "max": max(pair)}
        if low:
            changes["min"] = float(low[1] or 0)
        if high:
            changes["max"] = float(high[1])
    if default and (value := _default(field, default[1])) is not None:
        changes["default"] = value
    if unique:
        changes["unique"] = True
    if optional or required:
        changes["required"] = not optional
    if re.search(grammar().personal_names, name):
        changes["personal"] = True
    return Found(field.model_copy(update=changes), sure)


def _default(field: SpecField, text: str) -> str | int | bool | None:
    if field.type is FieldType.BOOLEAN:
        return text in ("true", "yes", "on")
    if field.type is FieldType.ENUM:
        return text if text in field.choices else None
    return int(text) if text.isdigit() and field.type is FieldType.INTEGER else None


def _has_unit(text: str) -> bool:
    match = pattern("unit").search(text)
    return bool(match) and _unit(match) != ""


def _unit(match: re.Match[str] | None) -> str:
    return grammar().units.get(match[1] or match[2], "") if match else ""


def _notation(name: str, unit: str, sized: bool, limited: bool) -> tuple[str, bool]:
    singular = words.singular_phrase(name)
    for known, notation in grammar().types:
        if known.search(name) or known.search(singular):
            if (sized or unit) and notation.partition(",")[0] in ("string", "text"):
                break
            return notation, True
    if unit in ("EUR", "USD", "GBP", "CHF"):
        return "money, min 0", True
    if unit:
        return "decimal, optional, min 0", True
    if sized:
        return "integer", True
    return "string, max 200, optional, search", limited


def _name(text: str) -> str:
    """The noun that is left, in the singular; "" when it reads like a sentence or an ability."""
    text = re.sub(r"[()\"“”]", " ", text)
    pieces = text.split()
    while pieces and (pieces[0] in DETERMINERS or pieces[0] in grammar().fluff or pieces[0] in grammar().connecting):
        pieces.pop(0)
    if not 1 <= len(pieces) <= 5 or not all(
        re.fullmatch(r"[a-z][a-z0-9'/]*(?:-[a-z0-9]+)?", piece) for piece in pieces
    ):
        return ""
    inner = [piece for piece in pieces[1:-1] if piece in INNER]
    flags = ("is", "has", "was", "can", "data")
    if any(
        piece in grammar().stop and piece not in inner and (n > 0 or piece not in flags)
        for n, piece in enumerate(pieces)
    ):
        return ""
    if any(piece in grammar().states for piece in pieces[:-1]) or _is_verb(pieces):
        return ""
    if not is_thing(pieces[-1]) and not _typed(pieces[-1]):
        return ""
    return " ".join(pieces).replace("/", " ")


def _typed(text: str) -> bool:
    return any(known.search(words.singular_phrase(text)) for known, _ in grammar().types)


def _is_verb(pieces: list[str]) -> bool:
    """Does it begin with a verb: "share lists", "recognises handwriting", "automatically"?"""
    first, others = pieces[0], pieces[1:]
    if first.endswith("ly") or (not others and first in grammar().verbs and not _typed(first)):
        return True
    third_person = first.endswith("s") and not first.endswith(("ss", "us", "is")) and bool(others)
    many = any(word != words.singular(word) for word in others)
    return third_person or (first in grammar().verbs and bool(others) and (many or words.singular(first) != first))
