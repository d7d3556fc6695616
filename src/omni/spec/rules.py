"""The rules that read a phrase. Each claims the words that it understands and adds to the draft what they mean."""

from __future__ import annotations

from omni.spec.draft import Draft
from omni.spec.grammar import grammar
from omni.spec.model import PartStatus
from omni.spec.reading import Context, Reading
from omni.spec.text import Phrase
from omni.spec.vocabulary import Vocabulary


def new_sentence(context: Context, phrase: Phrase, draft: Draft) -> None:
    context.role = ""
    context.mode = "features"
    context.entity = context.entity or draft.main


def read(draft: Draft, vocabulary: Vocabulary, reading: Reading) -> None:
    """Read one phrase with every rule, in order, until nothing is left."""
    words_ = grammar()
    for pattern, note in words_.beyond:
        if reading.match(pattern):
            reading.refuse(note)
            return
    for name, platform in words_.templates.items():
        if (found := reading.match(platform)) and draft.template == name:
            reading.claim(found)
            reading.refer(f"template:{name}")
    vocabulary.read(reading)
    if "app" not in reading.refs:
        reading.claim_words(words_.app | words_.build | words_.fluff)
    if not reading.rest() and not reading.refs:
        reading.status = PartStatus.NARRATIVE
        reading.note = "Says nothing to build."
