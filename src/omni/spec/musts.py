"""Phrases about what must hold: orders of dates, what is unique, limits, what can't be empty."""

from __future__ import annotations

import re

from omni.spec import lexicon, words
from omni.spec.draft import Draft
from omni.spec.fields import field_of
from omni.spec.grammar import bare_noun
from omni.spec.model import FieldType
from omni.spec.patterns import pattern
from omni.spec.reading import Reading


def read_must(draft: Draft, reading: Reading) -> None:
    """ "The end must be after the start", "the name is unique", "rating must be between 1 and 5"."""
    main = reading.context.entity or draft.main
    if not main:
        return
    if (match := reading.match(pattern("after"))) and (pair := _two(draft, main, match[1], match[4])):
        entity, first, second = pair
        later = match["order"] in ("after", "later than")
        negated = bool(match["not"]) or bool(re.search(r"cannot|can't|not\b", match[0]))
        low, high = (second, first) if later != negated else (first, second)
        notation = (
            f"ordered {low} {high}: The {words.label(high).lower()} must be after the {words.label(low).lower()}."
        )
        _rule(draft, reading, entity, notation)
        reading.claim(match)
        return
    if (match := reading.match(pattern("must"))) and (found := _field_named(draft, main, match[1])):
        entity, name = found
        held = next(f for f in draft.entities[entity].fields if f.name == name)
        what = match["what"].strip(" .!")
        if re.fullmatch(r"(?:in the )?past", what):
            _rule(draft, reading, entity, f"not-past {name}: The {held.label.lower()} can't be in the past.")
            reading.claim(match)
            return
        if match["not"] or "not" in match[0] or "can't" in match[0]:
            if re.fullmatch(r"(?:empty|blank|missing)", what):
                what = "required"
            else:
                return
        changed = field_of(f"{held.label.lower()} {what}", reading.sources)
        if changed and words.snake(changed.field.name) == held.name:
            new = changed.field
            update = {k: getattr(new, k) for k in ("unique", "min", "max") if getattr(new, k)}
            update |= {"required": new.required} if re.search("optional|required|mandatory", what) else {}
            update |= {"max_length": new.max_length} if re.search("character|letter", what) else {}
            update |= {"type": new.type, "choices": new.choices} if new.type is FieldType.ENUM else {}
            if update:
                draft.replace_field(entity, held.model_copy(update=update))
                reading.claim(match)
                reading.refer(f"field:{entity}.{name}")


def _rule(draft: Draft, reading: Reading, entity: str, notation: str) -> None:
    rule = lexicon.parse_rule(entity, notation, reading.sources)
    if all(known.id != rule.id for known in draft.entities[entity].rules):
        draft.change(entity, rules=(*draft.entities[entity].rules, rule))
    reading.refer(f"rule:{rule.id}")


def _field_named(draft: Draft, main: str, noun: str) -> tuple[str, str] | None:
    bare = words.snake(bare_noun(noun))
    order = [main, *(name for name in draft.entities if name != main)]
    for entity in order:
        prefix = words.snake(entity) + "_"
        for field in draft.entities[entity].fields:
            if bare.removeprefix(prefix) in (field.name, words.snake(words.plural_phrase(field.label))):
                return entity, field.name
    return None


def _two(draft: Draft, main: str, first: str, second: str) -> tuple[str, str, str] | None:
    def near(entity: str, noun: str) -> str:
        bare = bare_noun(noun).split()
        fields = [
            f.name
            for f in draft.entities[entity].fields
            if f.type in (FieldType.DATE, FieldType.DATETIME, FieldType.TIME)
        ]
        return next((name for name in fields if bare and bare[0][:3] == name[:3]), "")

    for entity in [main, *draft.entities]:
        one, two = near(entity, first), near(entity, second)
        if one and two and one != two:
            return entity, one, two
    return None
