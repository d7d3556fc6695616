"""The rules that read a phrase, in order. Each claims the words that it understands and adds what they mean."""

from __future__ import annotations

import re
from functools import cache

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from omni.spec import lexicon, words
from omni.spec.actions import custom, read_actions, restrict
from omni.spec.asked import PartStatus
from omni.spec.audience import read_audience
from omni.spec.casting import read_cast, read_upload
from omni.spec.draft import Draft
from omni.spec.finding import read_export, read_finding, read_reports
from omni.spec.grammar import grammar
from omni.spec.jobs import read_job
from omni.spec.model import Ownership
from omni.spec.musts import read_must
from omni.spec.patterns import pattern
from omni.spec.people import read_access, read_subject
from omni.spec.reading import Context, Reading
from omni.spec.structure import (
    listed,
    read_assignment,
    read_detail,
    read_has,
    read_inline,
    read_list,
    read_relations,
    read_things,
    shift,
)
from omni.spec.tables import read_yaml
from omni.spec.text import Phrase
from omni.spec.vocabulary import Vocabulary


def new_sentence(context: Context, ahead: tuple[Phrase, ...], draft: Draft) -> None:
    """What a new sentence forgets, and what it goes on with."""
    bullet = bool(re.match(r"\s*(?:[-*•\u2013\u2014·▪◦]|\d{1,2}[.)])\s", ahead[0].text))
    if not bullet:
        context.mode = "fields" if context.mode == "fields!" else "features"
        context.role, context.only, context.denied = "", False, False
    pronoun = next((token.text for token in ahead[0].tokens), "") in ("it", "they", "them", "these", "this", "those")
    if not bullet and not pronoun:
        context.entity = draft.main
    context.entity = context.entity or draft.main


def read(draft: Draft, vocabulary: Vocabulary, reading: Reading) -> None:
    """Read one phrase. What is not understood to the end leaves nothing behind but the things that it names."""
    saved = draft.save()
    _read(draft, vocabulary, reading)
    if reading.status is PartStatus.NOT_DELIVERED or (reading.status is None and reading.rest()):
        draft.restore(saved)
    reading.context.before = reading.phrase.text.rstrip()
    if acts := [ref for ref in reading.refs if ref.startswith("operation:")]:
        reading.context.acts = tuple(acts)
    _note_listing(draft, reading)
    roles = [ref for ref in reading.refs if ref.startswith("role:")]
    reading.context.named = roles[-1].removeprefix("role:") if roles else ""


def _note_listing(draft: Draft, reading: Reading) -> None:
    """A list that begins with the name of a thing lists its fields: "with title, author and pages"."""
    context, held = reading.context, draft.entities.get(reading.context.entity)
    fields = [ref.rpartition(".")[2] for ref in reading.refs if ref.startswith(f"field:{context.entity}.")]
    others = any(not ref.startswith(("field:", "entity:", "project")) for ref in reading.refs)
    listed = bool(fields) and not others and bool(reading.phrase.lead) and context.mode in ("features", "fields")
    context.listing = listed and (context.listing or bool(held and held.display_field in fields))
    if context.listing and context.mode == "features":
        draft.listed.setdefault(context.entity, set()).update(fields)


def _read(draft: Draft, vocabulary: Vocabulary, reading: Reading) -> None:
    """Every rule, until no word is left that says something."""
    for rule in (_foreign_language, _heading, _beyond, _notifies, _technology, _integrates, _without, _measures):
        rule(draft, reading)
        if reading.done and (reading.refs or reading.status):
            return
    negative = reading.match(r"\b(?:not|never|cannot|can't|don't|doesn't|nobody|no one|won't|shouldn't|mustn't)\b")
    for rule in (read_relations, read_has, read_must, read_job, read_subject, read_access):
        rule(draft, reading)
    for rule in (
        shift,
        read_assignment,
        read_cast,
        read_upload,
        read_inline,
        read_finding,
        read_export,
        read_reports,
        read_detail,
    ):
        rule(draft, reading)
    if _lists(draft, reading):
        read_list(draft, reading)
    if reading.status is PartStatus.NOT_DELIVERED:
        return
    if not (negative and not reading.context.denied):
        vocabulary.read(reading)
    for rule in (read_things, read_actions, read_list, read_audience):
        if not reading.done or not reading.refs:
            rule(draft, reading)
    restrict(draft, reading)
    _openers(draft, reading)
    custom(draft, reading)


def _lists(draft: Draft, reading: Reading) -> bool:
    """Do fields go before what else the words may mean?"""
    context, lead = reading.context, reading.phrase.lead
    if reading.claimed or lead == "" or context.mode not in ("fields", "features"):
        return False
    return context.mode == "fields" or (
        context.listing and lead in (",", "and") and not lexicon.feature_named(listed(reading), draft.domain)
    )


def _foreign_language(_: Draft, reading: Reading) -> None:
    letters = [char for char in reading.lower if char.isalpha()]
    foreign = set(grammar().other_languages) & {token.text for token in reading.phrase.tokens}
    if sum(ord(char) > 0x24F for char in letters) > len(letters) / 2 or len(foreign) > 1:
        reading.refuse("Only English is understood.")


def _heading(_: Draft, reading: Reading) -> None:
    words_ = [token.text for token in reading.phrase.tokens]
    if reading.phrase.text.rstrip().endswith(":") and all(w in grammar().headings | grammar().stop for w in words_):
        reading.status, reading.note = PartStatus.NARRATIVE, "A heading."


def _integrates(draft: Draft, reading: Reading) -> None:
    """ "integrates with X": named in the specification; whether a template can is for the template to say."""
    if match := reading.match(
        r"\b(?:integrat\w*|connect\w*|sync\w*|talks?) (?:with|to) (?:the |our )?([a-z][a-z0-9 _-]{1,40}[a-z0-9])"
    ):
        name = words.snake(match[1])
        what: dict[str, JsonValue] = {"name": name, "kind": "other", "description": f"Work together with {match[1]}."}
        draft.integrations.setdefault(name, lexicon.make_integration(what, reading.sources))
        reading.claim(match)
        reading.refer(f"integration:{name}")


def _notifies(draft: Draft, reading: Reading) -> None:
    """ "users get an e-mail when …": written down whole; whether a template can is for the template to say."""
    if (match := reading.match(pattern("notifies"))) and draft.template != "worker":
        kind = "sms" if re.search(r"sms|text message|whatsapp", match[0]) else "email"
        name = kind if kind not in draft.integrations else f"{kind}_{len(draft.integrations) + 1}"
        said = reading.phrase.text.strip(" .,;")
        what: dict[str, JsonValue] = {"name": name, "kind": kind, "description": f"As the request says: “{said}”."}
        draft.integrations[name] = lexicon.make_integration(what, reading.sources)
        reading.claim_span(0, len(reading.lower))
        reading.refer(f"integration:{name}")


def _beyond(draft: Draft, reading: Reading) -> None:
    if reading.match(r"^\W*(?:and |but |with )?(?:without|no)\b"):
        return
    known = {words.stem(verb) for entry in draft.entries.values() for verb in entry.verbs}
    for beyond, note in grammar().beyond:
        if (match := reading.match(beyond)) and words.stem(match[0]) not in known:
            reading.refuse(note)
            return


def _technology(draft: Draft, reading: Reading) -> None:
    """Platform words and named technology."""
    for name, platform in grammar().templates.items():
        for match in platform.finditer(reading.lower):
            if draft.template == name or (name, draft.template) in (
                ("rest-api", "react-app"),
                ("web-app", "react-app"),
            ):
                reading.claim(match)
                reading.refer(f"template:{draft.template}")
    for match in grammar().native.finditer(reading.lower):
        reading.claim(match)
        reading.refer(f"template:{draft.template}")
        reading.claim_words(grammar().technical)
    if foreign := reading.match(grammar().foreign):
        reading.refuse(
            f"No template is made with “{foreign[0]}”; back ends are Python with FastAPI on SQLite or PostgreSQL."
        )


def _without(draft: Draft, reading: Reading) -> None:
    """ "without accounts", "no comments", "we don't need due dates": takes it out of what is usual."""
    match = reading.match(pattern("without"))
    if match is None or reading.match(pattern("counted")):
        return
    what = match["what"].strip()
    if pattern("accounts").fullmatch(what) and reading.context.mode == "actions" and reading.context.role:
        _without_account(draft, reading, match)
        return
    if pattern("accounts").fullmatch(what) or what in ("accounts or login", "login or accounts", "user management"):
        if draft.domain and draft.domain.needs_accounts:
            reading.refuse(draft.domain.needs_accounts + " So there are accounts.")
            return
        draft.accounts = False
    elif _is_feature(draft, match[0]):
        return
    elif not _take_out(draft, what):
        if len(what.split()) > 3 or any(
            word in grammar().verbs or word in ("can", "who", "that") for word in what.split()
        ):
            return
        reading.note = "Nothing of the kind is built."
    reading.claim(match)
    reading.refer("project")
    reading.note = reading.note or f"Left out: {what}."


def _is_feature(draft: Draft, said: str) -> bool:
    """ "no double bookings" is something that the domain does."""
    known = [text for feature in (draft.domain.features if draft.domain else ()) for text in feature.words]
    return words.singular_phrase(said.strip(" .,;!")) in known


def _without_account(draft: Draft, reading: Reading, match: re.Match[str]) -> None:
    """ "… can read posts without an account": reading is free then; writing is not."""
    entity = draft.entities.get(reading.context.entity)
    if entity is None or not all(ref.endswith((".view", ".list", ".search")) for ref in reading.context.acts):
        reading.refuse("Visitors without an account can only read; this needs an account.")
        return
    changed = Ownership.AUTHOR if entity.ownership is Ownership.OWNER else entity.ownership
    draft.change(entity.name, public_read=True, ownership=changed)
    reading.claim(match)
    reading.refer(f"entity:{entity.name}")


def _take_out(draft: Draft, what: str) -> bool:
    singular = " ".join(words.singular(word) for word in what.split())
    if (entity := draft.find_entity(what)) and entity != draft.main:
        draft.drop_entity(entity)
        return True
    for held in list(draft.entities.values()):
        for field in held.fields:
            if words.snake(singular) in (field.name, words.singular(field.name)) and len(held.fields) > 1:
                draft.drop_field(held.name, field.name)
                return True
    found = [
        key
        for key, op in draft.operations.items()
        if words.stem(singular) in (words.stem(op.name), words.stem(op.kind))
    ]
    for key in found:
        del draft.operations[key]
    kinds = [
        f"{words.snake(name)}.{kind}" for name in draft.entities for kind in ("search", "filter", "delete", "update")
    ]
    gone = {ref for ref in kinds if words.stem(ref.rpartition(".")[2]) == words.stem(singular)}
    draft.removed |= gone
    pages = [key for key in draft.pages if key[0] == singular]
    for page in pages:
        del draft.pages[page]
    return bool(found or gone or pages)


class Measure(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    pattern: re.Pattern[str]
    statement: str
    metric: str
    target: str


@cache
def _table() -> tuple[Measure, ...]:
    return TypeAdapter(tuple[Measure, ...]).validate_python(read_yaml("measures.yaml")["measures"])


def _measures(draft: Draft, reading: Reading) -> None:
    """Needs with a number: response time, availability, load, coverage."""
    for measure in _table():
        if match := reading.match(measure.pattern):
            figures = [group for group in match.groups() if group]
            what = measure.model_dump(exclude={"pattern"}) | {"target": measure.target.format(*figures, "")}
            reading.refer(draft.add_quality(what, reading.sources))
            reading.claim(match)
            reading.claim_words(grammar().measured)


def _openers(draft: Draft, reading: Reading) -> None:
    """Words of a beginning: "please build me a simple app"."""
    held = grammar()
    reading.claim_words(held.fluff)
    intro = reading.context.mode in ("features", "things", "fields", "") or reading.phrase.lead == ""
    if intro and any(token.text in held.app for token in reading.phrase.tokens):
        reading.claim_words(held.app | held.build)
        if draft.entities or draft.operations:
            reading.refer("project")
    if intro and reading.refs:
        reading.claim_words(held.build)
    if intro and any(ref.startswith("entity:") for ref in reading.refs):
        reading.claim_words(held.manage)
    if any(ref.startswith("quality:") for ref in reading.refs):
        reading.claim_words(held.standards)
    if not reading.rest() and not reading.refs and reading.status is None:
        said = {token.text for token in reading.phrase.tokens} - held.polite - held.app - held.build - held.fluff
        if said and not reading.note:
            reading.refuse("Not understood.")
        else:
            reading.status, reading.note = PartStatus.NARRATIVE, reading.note or "Says nothing to build."
