"""The vocabulary of a draft: every expression that the lexicon gives a meaning to, and where it occurs in a phrase."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from pydantic import JsonValue

from omni.spec import lexicon, words
from omni.spec.draft import Draft
from omni.spec.fields import field_of
from omni.spec.grammar import grammar
from omni.spec.lexicon import Bundle, Feature
from omni.spec.model import OperationKind, Ownership
from omni.spec.reading import Reading
from omni.spec.settle import WITH_ACCOUNTS
from omni.spec.text import Phrase, Token

MAX_GAP = 3
"""Words that may stand between two words of an operation ("mark all my todos as done")."""


@dataclass(frozen=True)
class Term:
    words: tuple[str, ...]
    """Singular nouns, or stems when `loose`."""
    loose: bool
    apply: Callable[[Reading], list[str]]
    """Does what the term asks for and gives the refs of what it means."""


class Vocabulary:
    """Terms by their first word. Built anew whenever the draft has grown."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.version = -1
        self.terms: dict[str, list[Term]] = {}

    def read(self, reading: Reading) -> None:
        """Claim every term in the phrase, longest first, and apply it."""
        if self.version != self.draft.version:
            self._build()
        tokens = reading.phrase.tokens
        found = [
            (len(places) * 10 - (places[-1] - places[0]), term, places)
            for index, token in enumerate(tokens)
            if index not in reading.claimed
            for key in dict.fromkeys((token.noun, token.stem, token.text))
            for term in self.terms.get(key, ())
            if (places := _places(term, tokens, index))
        ]
        for _, term, places in sorted(found, key=lambda item: -item[0]):
            if reading.claimed.isdisjoint(places) and (refs := term.apply(reading)):
                reading.claimed.update(places)
                reading.refer(*refs)

    def _build(self) -> None:
        draft, self.version = self.draft, self.draft.version
        self.terms = {}
        for entity in draft.entities.values():
            for text in dict.fromkeys((words.label(entity.name).lower(), *draft.entries[entity.name].words)):
                self._add(text, False, _refer(f"entity:{entity.name}"))
            for verb, kind in draft.entries[entity.name].verbs.items():
                self._add(verb, True, _refer(f"operation:{words.snake(entity.name)}.{kind}"))
        for entity in draft.entities.values():
            for field in entity.fields:
                self._add(field.label.lower(), False, _refer(f"field:{entity.name}.{field.name}"))
                for choice in field.choices:
                    self._add(choice.replace("_", " "), False, _refer(f"field:{entity.name}.{field.name}"))
            for computed in entity.computed:
                self._add(computed.label.lower(), False, _refer(f"computed:{entity.name}.{computed.name}"))
        if draft.domain:
            for text in draft.domain.words:
                self._add(text, False, _refer(*_core(draft)))
            for text in draft.domain.also:
                self._add(text, False, _refer(*_core(draft)))
            for feature in draft.domain.features:
                for text in feature.words:
                    self._add(text, False, self._bundle(feature, general=False))
        for role in draft.roles.values():
            self._add(role.label.lower(), False, self._role(role.name))
        if draft.domain:
            for key, entry in draft.domain.operations.items():
                identifier = _identifier(draft, key, entry.what)
                if identifier in draft.operations:
                    for text in entry.words:
                        self._add(text, True, self._operation(identifier))
        for noun in grammar().people["other"]:
            self._add(noun, False, self._role(words.singular(noun)))
        for feature in lexicon.features():
            for text in feature.words:
                self._add(text, False, self._bundle(feature, general=True))

    def _add(self, text: str, loose: bool, apply: Callable[[Reading], list[str]]) -> None:
        pieces = _pieces(text, loose)
        self.terms.setdefault(pieces[0], []).append(Term(pieces, loose, apply))

    def _operation(self, identifier: str) -> Callable[[Reading], list[str]]:
        def apply(reading: Reading) -> list[str]:
            """What a summary shows is on record: "show progress" can mean more than one."""
            operation = self.draft.operations[identifier]
            if operation.kind is OperationKind.SUMMARY:
                said = reading.phrase.text.strip(" .,;!")
                self.draft.assume(f"“{said}” is met by “{operation.label}”.", part=reading.part)
            return [f"operation:{identifier}"]

        return apply

    def _role(self, name: str) -> Callable[[Reading], list[str]]:
        def apply(reading: Reading) -> list[str]:
            """ "for teachers" says who it is for, "with title, author" what is written down: neither makes a role."""
            if reading.context.mode == "actions" or reading.match(rf"\bfor (?:\w+ )?{name}s?\b"):
                return []
            if name not in self.draft.roles and (
                self.draft.template not in WITH_ACCOUNTS or _typed(reading.phrase, name)
            ):
                return []
            return [self.draft.add_role(name, reading.sources)]

        return apply

    def _bundle(self, feature: Feature, *, general: bool) -> Callable[[Reading], list[str]]:
        def apply(reading: Reading) -> list[str]:
            draft = self.draft
            main = reading.context.entity or draft.main
            if _needs_main(feature) and not main:
                return []
            refs = draft.add(feature, reading.sources, main)
            for entity, _, field in (name.partition(".") for name in feature.replaces):
                draft.drop_field(entity, field)
            if feature.assumes:
                draft.assume(feature.assumes, part=reading.part)
            if general and main and draft.entities[main].ownership is not Ownership.OWNER:
                for name, entry in feature.entities.items():
                    if entry.ownership is Ownership.OWNER:
                        draft.change(name, ownership=Ownership.SHARED)
            if general and main and feature.words[0] == "crud":
                refs = [f"operation:{words.snake(main)}.{kind}" for kind in ("create", "view", "update", "delete")]
            return refs

        return apply


def _typed(phrase: Phrase, name: str) -> bool:
    """Is it a field, one of a list: the bare name in the singular, and of a known type?"""
    found = field_of(name, ()) if phrase.lead and [token.text for token in phrase.tokens] == [name] else None
    return found is not None and found.sure


@cache
def _pieces(text: str, loose: bool) -> tuple[str, ...]:
    return tuple((words.stem if loose else words.singular)(word) for word in text.replace(",", "").split())


def _refer(*refs: str) -> Callable[[Reading], list[str]]:
    return lambda _: list(refs)


def _core(draft: Draft) -> list[str]:
    operations = draft.domain.operations if draft.domain else {}
    if draft.domain and draft.domain.main in draft.entities:
        return [f"entity:{draft.domain.main}"]
    return [f"operation:{_identifier(draft, key, held.what)}" for key, held in operations.items()]


def _identifier(draft: Draft, key: str, what: Mapping[str, JsonValue]) -> str:
    held = what.get("entity")
    prefix = f"{words.snake(str(held))}." if held and "." not in key else ""
    return prefix + key.replace("main.", f"{words.snake(draft.main)}.", 1)


def _needs_main(bundle: Bundle) -> bool:
    named = [*bundle.fields, *bundle.relations, *(key.partition(".")[0] for key in bundle.operations)]
    named += [page.get("entity", "") for page in bundle.pages]
    return "main" in named or (isinstance(bundle, Feature) and bundle.words[0] == "crud")


def _places(term: Term, tokens: tuple[Token, ...], start: int) -> tuple[int, ...]:
    """Where the term's words stand from `start` on, or nothing."""
    places = [start]
    for number, word in enumerate(term.words):
        if number == 0:
            if word not in _forms(tokens[start], term.loose):
                return ()
            continue
        reach = range(places[-1] + 1, min(len(tokens), places[-1] + 2 + (MAX_GAP if term.loose else 0)))
        place = next((i for i in reach if word in _forms(tokens[i], term.loose)), None)
        if place is None:
            return ()
        places.append(place)
    return tuple(places)


def _forms(token: Token, loose: bool) -> tuple[str, ...]:
    return (token.stem,) if loose else (token.noun, token.text)
