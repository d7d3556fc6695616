"""The request compiler: plain English in, a specification and an account of every phrase out. No model, no guessing.

The text is cut into phrases. Each phrase is read by the rules of `rules.py`, which add to a draft and claim the words
that they understood. A phrase with a word that says something and was claimed by nobody is not delivered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from omni.spec import account, derive, rules, settle, threats, words
from omni.spec.asked import Request
from omni.spec.criteria import criteria
from omni.spec.draft import Draft
from omni.spec.grammar import grammar
from omni.spec.lexicon import domains
from omni.spec.model import Specification
from omni.spec.reading import Context, Reading
from omni.spec.text import Phrase, phrases
from omni.spec.vocabulary import Vocabulary


def compile_request(
    request: Request, answers: Mapping[str, str] | None = None, template: str | None = None
) -> Specification:
    """The specification of a request. `answers` are by question id; `template` overrules the choice of one.

    Raises OmniError for an answer that is no option of its question.
    """
    draft = Draft(answers=answers or {})
    cut = phrases(request.text)
    _choose_domain(draft, cut)
    settle.choose_template(draft, request, template)
    readings = _read(draft, cut)
    settle.settle(draft, {ref for reading in readings for ref in reading.refs})
    return _assemble(draft, request, readings)


BEFORE = ("for", "in", "at", "of", "from", "to")
"""What comes after these says less of what the app is: "a blog for my shop"."""


def _choose_domain(draft: Draft, cut: tuple[Phrase, ...]) -> None:
    """The domain whose words come first and say most; words in the first two phrases count more."""
    best, found = 0.0, ""
    for number, phrase in enumerate(cut[:40]):
        nouns = [token.noun for token in phrase.tokens]
        stems = [token.stem for token in phrase.tokens]
        head = next((i for i, token in enumerate(phrase.tokens) if i and token.text in BEFORE), len(nouns))
        telling = [token for token in phrase.tokens if _telling(token.text)]
        weight = 1.0 if number == 0 else 0.6 if number == 1 else 0.25
        for identifier, domain in domains().items():
            length = max((_length(text, nouns, stems, head) for text in domain.words), default=0)
            score = length * (1.0 if int(length) >= len(telling) > 0 and not phrase.lead else weight)
            if score > best:
                best, found = score, identifier
    if best < 1 and (tool := _tool(cut)):
        best, found = 1.0, tool
    if found and best >= 0.55:
        domain = domains()[found]
        draft.domain, draft.domain_id = domain, found
        draft.add(domain, ())
        draft.main = domain.main


def _telling(word: str) -> bool:
    held = grammar()
    return word not in held.stop | held.fluff | held.app | held.build


def _tool(cut: tuple[Phrase, ...]) -> str:
    """The domain of a command or task whose words stand in the first sentence in their order, with others between."""
    stems = [token.stem for phrase in cut if phrase.sentence == cut[0].sentence for token in phrase.tokens]
    best, found = 0, ""
    for identifier, domain in domains().items():
        for text in domain.words if domain.template else ():
            wanted = [words.stem(piece) for piece in text.split()]
            rest = iter(stems)
            if len(wanted) > max(best, 1) and all(piece in rest for piece in wanted):
                best, found = len(wanted), identifier
    return found


def _length(text: str, nouns: list[str], stems: list[str], head: int) -> float:
    """How many words of the expression stand together in the phrase (all or none); long ones say more."""
    pieces = text.split()
    for forms, wanted in ((nouns, [words.singular(p) for p in pieces]), (stems, [words.stem(p) for p in pieces])):
        if forms is stems and len(pieces) == 1:
            break
        for start in range(len(forms) - len(wanted) + 1):
            if forms[start : start + len(wanted)] == wanted:
                place = 0.02 * start if start < head else -0.2
                return len(wanted) + 0.01 * len(text) + place
    return 0.0


def _read(draft: Draft, cut: tuple[Phrase, ...]) -> list[Reading]:
    vocabulary = Vocabulary(draft)
    context = Context(entity=draft.main, mode="features")
    readings: list[Reading] = []
    sentence = 0
    for number, phrase in enumerate(cut, 1):
        context.ahead = tuple(other for other in cut[number : number + 12] if other.sentence == phrase.sentence)
        if phrase.sentence != sentence:
            sentence = phrase.sentence
            rules.new_sentence(context, (phrase, *context.ahead), draft)
        reading = Reading(phrase, f"P{number}", context)
        rules.read(draft, vocabulary, reading)
        readings.append(reading)
    return readings


def _assemble(draft: Draft, request: Request, readings: list[Reading]) -> Specification:
    name = request.name or (words.snake(draft.domain_id) if draft.domain else words.snake(draft.main or "app"))
    title = (draft.domain.title if draft.domain else words.label(draft.main or "app")).strip()
    spec = Specification(
        name=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "app",
        title=title[:1].upper() + title[1:],
        summary=settle.summary(draft),
        request=request,
        domain=draft.domain_id,
        template=draft.template,
        auth=bool(draft.accounts),
        sign_up=draft.sign_up if draft.accounts else "none",  # type: ignore[arg-type]
        parts=(),
        entities=tuple(draft.entities.values()),
        roles=tuple(draft.roles.values()) if draft.accounts else (),
        permissions=derive.permissions(draft),
        operations=derive.operations(draft),
        pages=derive.pages(draft),
        jobs=tuple(draft.jobs.values()),
        integrations=tuple(draft.integrations.values()),
        qualities=tuple(draft.qualities.values()),
        questions=tuple(sorted(draft.questions.values(), key=lambda question: -question.weight)),
        assumptions=tuple(draft.assumptions),
        glossary={entity.label: entity.description for entity in draft.entities.values()},
    )
    spec = account.give(spec, readings)
    spec = spec.model_copy(update={"criteria": criteria(spec)})
    return spec.model_copy(update={"threats": threats.stride(spec), "privacy_threats": threats.linddun(spec)})
