"""The strings of a generated project, in English and German."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

from omni.spec.model import Entity, FieldType, RuleKind, Specification
from omni.templates import policy
from omni.templates.attributes import attributes
from omni.templates.catalog import Template
from omni.templates.naming import snake

FOLDER = Path(__file__).parent
Locale = Literal["en", "de"]
Text = tuple[str, str]
"""English, German."""


def messages(spec: Specification, template: Template, locale: Locale) -> dict[str, str]:
    """Key → message. Words of the specification that the glossary does not know stay English in German, too."""
    web = "web" in template.parts
    groups = {
        "common": True,
        "web": web,
        "some": web and (any(e.relations for e in spec.entities) or any(p.kind == "board" for p in spec.pages)),
        "account": spec.auth,
        "account-web": spec.auth and web,
        "admin": bool(policy.roles(spec)) and web,
    }
    fixed = {key: text for group, wanted in groups.items() if wanted for key, text in _strings()[group].items()}
    found = {key: text[0 if locale == "en" else 1] for key, text in (fixed | dict(_own(spec))).items()}
    return dict(sorted(found.items()))


def german(text: str) -> str:
    """The text in German when the glossary knows it whole or in its words; else the text itself."""
    glossary = _glossary()
    if known := glossary.get(text.lower()):
        return known
    words = [glossary.get(word.lower()) for word in text.split()]
    return " ".join(word for word in words if word) if all(words) else text


@cache
def _strings() -> dict[str, dict[str, Text]]:
    data = tomllib.loads((FOLDER / "strings.toml").read_text("utf-8"))
    return {group: {key: (text["en"], text["de"]) for key, text in texts.items()} for group, texts in data.items()}


@cache
def _glossary() -> dict[str, str]:
    glossary: dict[str, str] = tomllib.loads((FOLDER / "glossary.toml").read_text("utf-8"))
    return glossary


def _own(spec: Specification) -> Iterator[tuple[str, Text]]:
    yield "app.title", (_plain(spec.title), _plain(spec.title))
    yield "app.summary", (_plain(spec.summary), _plain(spec.summary))
    for role in policy.roles(spec):
        yield f"role.{role.name}", _both(role.label)
    for entity in spec.entities:
        yield from _entity(entity, spec)


def _entity(entity: Entity, spec: Specification) -> Iterator[tuple[str, Text]]:
    one = snake(entity.name)
    (name, name_de), (plural, plural_de) = _both(entity.label), _both(entity.label_plural)
    yield f"entity.{one}", (name, name_de)
    yield f"entity.{one}.plural", (plural, plural_de)
    yield f"entity.{one}.new", (f"New {_lower(name)}", f"Neu: {name_de}")
    yield f"entity.{one}.edit", (f"Edit {_lower(name)}", f"{name_de} bearbeiten")
    count = "{{count, plural, one {{# {}}} other {{# {}}}}}"
    yield f"entity.{one}.count", (count.format(_lower(name), _lower(plural)), count.format(name_de, plural_de))
    for item in attributes(entity):
        yield f"{one}.{item.name}", _both(item.label)
        if item.field and item.field.help:
            yield f"{one}.{item.name}.help", _both(item.field.help)
    for field in entity.fields:
        if field.type is FieldType.FILE:
            yield f"{one}.{field.name}", _both(field.label)
        for value in field.choices if field.type is FieldType.ENUM else ():
            yield f"choice.{one}.{field.name}.{value}", _both(value.replace("_", " ").capitalize())
    for computed in entity.computed:
        yield f"{one}.{computed.name}", _both(computed.label)
    for rule in entity.rules:
        if rule.kind is not RuleKind.UNIQUE_TOGETHER:
            yield f"rule.{one}.{rule.kind.replace('-', '_')}.{'_'.join(rule.fields)}", _both(rule.message)
    for operation in spec.operations_of(entity.name):
        yield f"operation.{one}.{operation.name}", _both(operation.label)


def _both(text: str) -> Text:
    return _plain(text), _plain(german(text))


def _lower(text: str) -> str:
    """In the middle of a sentence, unless it is an abbreviation."""
    return text if re.match(r"[A-Z]{2}", text) else text[:1].lower() + text[1:]


def _plain(text: str) -> str:
    """Text without the braces that mean something in ICU MessageFormat."""
    return text.replace("{", "(").replace("}", ")")
