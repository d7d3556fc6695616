"""Who and where it is for, and of what kind: said, recorded, and nothing is built differently for it."""

from __future__ import annotations

import re

from omni.spec.draft import Draft
from omni.spec.grammar import grammar
from omni.spec.patterns import pattern
from omni.spec.reading import Reading


def read_audience(draft: Draft, reading: Reading) -> None:
    """ "for my hair salon": who it is for, which changes nothing that is built."""
    if (
        (match := reading.match(pattern("intro")))
        and not reading.refs
        and not reading.phrase.lead
        and not _introduces(reading)
    ):
        reading.claim(match)
        reading.note = "Says who it is for."
        return
    _kind(draft, reading)
    for name in ("audience", "scene"):
        match = reading.match(pattern(name))
        if match is None or match[1].split()[0].endswith("ing") or re.search(r"\d", match[1]):
            continue
        told = (
            _introduces(reading) or set(match[1].split()) <= grammar().audience if name == "audience" else reading.refs
        )
        if told:
            reading.claim(match)
            if not reading.refs and not reading.rest():
                reading.note = "Says who it is for."
            said = reading.phrase.text[match.start() : match.end()].strip(" .,;!")
            text = f"“{said}” says who or where it is for; nothing is built differently for that."
            draft.assume(text, part=reading.part)


def _plain() -> frozenset[str]:
    held = grammar()
    return held.stop | held.fluff | held.build | held.app


def _kind(draft: Draft, reading: Reading) -> None:
    """ "a plant shop", "a tennis court booking system": one noun more before the words for the whole."""
    tokens = reading.phrase.tokens
    for index, token in enumerate(tokens[:-1]):
        plain = (
            token.text.isalpha()
            and token.text not in grammar().adverbs
            and not pattern("qualifying").search(token.text)
        )
        opens = all(t.text in grammar().stop | grammar().build | grammar().fluff for t in tokens[:index])
        held = index not in reading.claimed and index + 1 in reading.claimed and token.text not in _plain()
        if draft.domain and not reading.phrase.lead and plain and opens and held and token.text not in grammar().verbs:
            reading.claimed.add(index)
            draft.assume(
                f"“{token.text}” says what kind it is; nothing is built differently for that.", part=reading.part
            )
            return


def _introduces(reading: Reading) -> bool:
    tokens = {token.text for token in reading.phrase.tokens}
    return bool(tokens & grammar().app) or any(ref.startswith("entity:") for ref in reading.refs)
