"""Phrases about what there is: the things an app keeps, their fields, how they belong together, what must hold."""

from __future__ import annotations

import re
from functools import cache

from omni.spec import lexicon, words
from omni.spec.draft import Draft
from omni.spec.fields import field_of
from omni.spec.grammar import bare_noun, grammar, is_thing
from omni.spec.model import FieldType, Ownership, SpecField
from omni.spec.patterns import pattern
from omni.spec.reading import Reading

SINGLE = (FieldType.URL, FieldType.EMAIL, FieldType.PHONE)
"""Types of which a usual thing has one field, whatever a request calls it ("link" for "url")."""


KEEPERS = ("api", "cli", "command line", "command-line", "database", "register", "directory", "list")
"""A program of this name keeps what it is for, even people: "an API for members"."""


def read_relations(draft: Draft, reading: Reading) -> None:
    """ "Each X has many Y", "Y belongs to X"."""
    if match := reading.match(pattern("has_many")):
        one, many = match[1], match[2]
    elif match := reading.match(pattern("belongs")):
        one, many = match[2], match[1]
    else:
        return
    one, many = bare_noun(one), bare_noun(many)
    if not one or not many or one in ("user", "person", "admin"):
        return
    if not draft.find_entity(many) and not is_thing(many):
        return
    target, holder = draft.new_entity(one, reading.sources), draft.new_entity(many, reading.sources)
    if target == holder:
        return
    reading.claim(match)
    notation = f"{target}, cascade"
    held = draft.entities[holder]
    if all(relation.target != target for relation in held.relations):
        name = words.snake(target)
        draft.add_relation(holder, lexicon.parse_relation(name, notation, holder, reading.sources))
        if held.ownership is Ownership.OWNER and not held.parent:
            draft.change(holder, ownership=Ownership.PARENT, parent=name)
    relation = next(r for r in draft.entities[holder].relations if r.target == target)
    reading.refer(f"entity:{target}", f"entity:{holder}", f"relation:{holder}.{relation.name}")
    reading.context.mode, reading.context.entity = "fields", holder


def read_has(draft: Draft, reading: Reading) -> None:
    """ "A plant has a name, …": what follows are fields of it."""
    match = reading.match(pattern("has_fields"))
    if match is None:
        return
    noun = bare_noun(match[2])
    people = {name for names in grammar().people.values() for name in names} | grammar().app
    if not noun or noun in people:
        return
    if not draft.find_entity(noun) and (
        len(noun.split()) > 2 or not is_thing(noun) or (noun in grammar().verbs and not match["det"])
    ):
        return
    rest = reading.lower[match.end() :]
    if not (draft.find_entity(noun) or field_of(rest, reading.sources)):
        return
    entity = draft.new_entity(noun, reading.sources)
    reading.claim(match)
    reading.refer(f"entity:{entity}")
    reading.context.mode, reading.context.entity = "fields", entity
    _field(draft, reading, rest)


def read_things(draft: Draft, reading: Reading) -> None:
    """ "Track my plants", "a plant tracker", and the lists that follow."""
    context = reading.context
    if match := reading.match(pattern("title")):
        noun = " ".join(match[1].split())
        if draft.find_entity(noun) or words.singular_phrase(noun) != noun:
            entity = draft.new_entity(words.singular_phrase(noun), reading.sources)
            reading.claim(match)
            reading.refer(f"entity:{entity}")
            context.entity, context.mode = entity, "fields"
            return
    if match := reading.match(pattern("keep")):
        noun = _noun(reading, match.end())
        if noun and _thing(draft, reading, noun, match.start(), match.end()):
            return
    if _for_things(draft, reading):
        return
    if not draft.domain and not draft.main and (match := reading.match(_named())):
        noun = " ".join(w for w in reading.free(*match.span(1)).split() if _content(w))
        if noun and is_thing(noun) and noun.split()[-1] not in grammar().verbs:
            entity = draft.new_entity(noun, reading.sources)
            reading.claim(match)
            reading.refer(f"entity:{entity}")
            context.entity, context.mode = entity, "fields"


@cache
def _named() -> re.Pattern[str]:
    """ "plant tracker": a noun before a word for the whole."""
    return re.compile(rf"{pattern('np').pattern}[ -](?:{'|'.join(sorted(grammar().app, key=len, reverse=True))})s?\b")


def _fields_inline(draft: Draft, reading: Reading, match: re.Match[str]) -> bool:
    """ "products (name, price, stock)": a thing with its fields in brackets."""
    noun = match[1].split()[-1]
    pieces = [piece for piece in re.split(r",|\band\b", match[2]) if piece.strip()]
    found = [field_of(piece, reading.sources) for piece in pieces]
    several = words.singular(noun) != noun or bool(draft.find_entity(noun))
    if not several or not all(found) or sum(bool(f and f.sure) for f in found) * 2 < len(found):
        return False
    entity = draft.new_entity(noun, reading.sources)
    mode, held = reading.context.mode, reading.context.entity
    reading.context.mode, reading.context.entity = "fields", entity
    whole = set(reading.claimed)
    for piece in pieces:
        _field(draft, reading, piece)
    reading.claimed = whole
    start = reading.lower.rfind(noun, 0, match.start(2))
    reading.claim_span(start, match.end())
    reading.refer(f"entity:{entity}")
    reading.context.mode = "features" if mode == "actions" else mode
    reading.context.entity = held or entity
    return True


def read_inline(draft: Draft, reading: Reading) -> None:
    """Things with their fields in brackets."""
    if match := reading.match(pattern("inline")):
        _fields_inline(draft, reading, match)


def _for_things(draft: Draft, reading: Reading) -> bool:
    """ "an API for products": things, unless they are people."""
    match = reading.match(pattern("things"))
    if match is None or draft.main:
        return False
    noun = match["what"]
    last = noun.split()[-1]
    people = {name for names in grammar().people.values() for name in names} | grammar().audience
    kept = match["head"] in KEEPERS and lexicon.entity_named(noun) is not None
    person = not kept and (last in people or re.search(r"(?:er|or|ist|man|men)s$", last))
    if person or words.singular(last) == last or not is_thing(noun):
        return False
    entity = draft.new_entity(noun, reading.sources)
    reading.claim(match)
    reading.refer(f"entity:{entity}")
    reading.context.entity, reading.context.mode = entity, "things"
    return True


def read_assignment(draft: Draft, reading: Reading) -> None:
    """ "Cards can be assigned to users": a relation to an account."""
    match = reading.match(pattern("assign"))
    nouns = [t.text for t in reading.phrase.tokens]
    entity = (
        next((name for noun in nouns if (name := draft.find_entity(noun))), "") or reading.context.entity or draft.main
    )
    if match is None or not entity or draft.accounts is False:
        return
    draft.add_role("user", reading.sources)
    if any(field.name == "assignee" for field in draft.entities[entity].fields):
        draft.drop_field(entity, "assignee")
    held = words.snake(draft.entities[entity].label_plural)
    notation = f"User, optional, inverse assigned_{held}"
    reading.refer(draft.add_relation(entity, lexicon.parse_relation("assignee", notation, entity, reading.sources)))
    reading.claim(match)


def _content(word: str) -> bool:
    words_ = grammar()
    return word not in words_.stop | words_.fluff | words_.build | words_.app | words_.audience


def _noun(reading: Reading, start: int) -> str:
    """The noun phrase that begins at an offset."""
    pieces: list[str] = []
    for token in reading.phrase.tokens:
        if token.start < start + reading.phrase.start:
            continue
        if token.text in grammar().stop or token.text in grammar().connecting or len(pieces) == 3:
            break
        pieces.append(token.text)
    return " ".join(pieces)


def _thing(draft: Draft, reading: Reading, noun: str, start: int, end: int) -> bool:
    pieces = [word for word in noun.split() if word not in grammar().fluff]
    bare = " ".join(pieces)
    known = draft.find_entity(bare) or lexicon.entity_named(bare)
    if not pieces or (not known and (words.singular_phrase(bare) == bare and pieces[-1] not in grammar().nouns)):
        return False
    whole = draft.domain is not None and words.singular_phrase(bare) in draft.domain.words
    entity = draft.main if whole and draft.main else draft.new_entity(bare, reading.sources)
    place = reading.lower.find(noun, end)
    reading.claim_span(start, place + len(noun))
    reading.refer(f"entity:{entity}")
    reading.context.entity, reading.context.mode = entity, "things"
    return True


def shift(_: Draft, reading: Reading) -> None:
    """A thing and then "with …" or a colon: now come its fields. So too after "request leave with a reason"."""
    context, lead = reading.context, reading.phrase.lead
    opens = lead in ("with", "including", "such", "whose") or context.before.endswith(":")
    bare = re.sub(r"^\W*(?:with|including|such as|whose)\b", "", reading.lower)
    if lead == "who" and context.named:
        context.role, context.mode, context.only, context.denied = context.named, "actions", False, False
    if opens and (context.mode == "things" or (context.mode == "actions" and _typed(bare, reading))):
        context.mode = "fields"


def listed(reading: Reading) -> str:
    """The phrase without the words that go on with a list."""
    text = reading.lower
    for word in ("with", "including", "plus", "such as", "and", "also"):
        text = re.sub(rf"^\W*{word}\b", "", text)
    return text.strip(" .,;!")


def read_list(draft: Draft, reading: Reading) -> None:
    """One more of a list: a field, a thing, or what the app has."""
    context, lead = reading.context, reading.phrase.lead
    if reading.refs and not reading.rest():
        return
    text = listed(reading)
    if context.mode == "things" and lead in ("and", ",", "plus", "as") and not reading.claimed:
        noun = _noun(reading, len(reading.lower) - len(text.lstrip()))
        if bare_noun(noun) and _thing(draft, reading, bare_noun(noun) if _content(noun) else noun, 0, 0):
            return
    if (
        not context.entity
        or context.mode not in ("fields", "features")
        or (context.mode == "features" and lead not in ("with", "including", "and", ",", "plus", ""))
    ):
        return
    if context.mode == "features" and (lead == "" or reading.claimed):
        return
    if context.mode == "features" and not context.listing and _further(draft, reading, text):
        return
    _field(draft, reading, text)


def _further(draft: Draft, reading: Reading, noun: str) -> bool:
    """ "a shop with customers and orders": things of their own, not fields of a product."""
    one = words.singular_phrase(noun)
    if one == noun or lexicon.entity_named(noun) is None or draft.find_entity(noun):
        return False
    if any(words.snake(one) == words.singular(f.name) for f in draft.entities[reading.context.entity].fields):
        return False
    entity = draft.new_entity(noun, reading.sources)
    reading.claim_span(0, len(reading.lower))
    reading.refer(f"entity:{entity}")
    draft.assume(
        f"{draft.entities[entity].label_plural} are kept by themselves: the request does not say what they belong to.",
        part=reading.part,
    )
    return True


def _typed(text: str, reading: Reading) -> bool:
    found = field_of(text, reading.sources)
    return found is not None and found.sure


def _ability(draft: Draft, noun: str, sure: bool) -> bool:
    """A feature rather than a field: "user auth", "roles", "dark mode"; but "category" and "role" are fields."""
    feature = lexicon.feature_named(noun, draft.domain)
    several = words.singular_phrase(noun) != noun
    return feature is not None and (not sure or (several and bool(feature.accounts or feature.roles)))


def read_detail(draft: Draft, reading: Reading) -> None:
    """A field with its choices or limits in the list of an app: "status (open, closed)"."""
    listing = reading.context.mode in ("features", "fields") and reading.phrase.lead
    if listing and reading.match(pattern("detail")) and _typed(reading.lower, reading):
        read_list(draft, reading)


def _field(draft: Draft, reading: Reading, text: str) -> None:
    found = field_of(text, reading.sources)
    entity = reading.context.entity
    if found is None or not entity or pattern("several").fullmatch(text.strip(" .,;!")):
        return
    features = reading.context.mode == "features"
    if features and not found.sure:
        return
    if not features and pattern("secret").search(found.field.name):
        reading.refuse("No template keeps secrets as fields: they would be stored for everybody who runs it to read.")
        return
    if not features and _ability(draft, text.strip(" .,;!"), found.sure):
        return
    held = draft.entities[entity]
    name = found.field.name
    short = re.sub(r"_(?:date|on|at)$", "", name)
    same = {name, words.singular(name), words.plural(name), f"{short}_on", f"{short}_at", f"{short}_date"}
    known = next((f for f in held.fields if f.name in same), None)
    known = known or next((f for f in held.fields if f.name.endswith(f"_{name}") and not f.sources), None)
    alike = [f for f in held.fields if f.type is found.field.type and f.type in SINGLE and not f.sources]
    known = known or (alike[0] if len(alike) == 1 else None)
    relation = next((r for r in held.relations if r.name in same), None)
    child = draft.find_entity(found.field.label)
    reading.claim_span(0, len(reading.lower))
    if not features:
        draft.listed.setdefault(entity, set()).add(known.name if known else name)
    if relation and found.field.type is FieldType.ENUM and found.field.choices:
        draft.change(entity, relations=tuple(r for r in held.relations if r.name != relation.name))
        relation = None
    if relation:
        reading.refer(f"relation:{entity}.{relation.name}")
    elif known:
        reading.refer(f"field:{entity}.{known.name}")
        _sharpen(draft, entity, known, found.field)
    elif child and child != entity:
        reading.refer(f"entity:{child}")
    elif name == "id":
        reading.refer(f"entity:{entity}")
    else:
        required = (
            found.field
            if held.fields
            else found.field.model_copy(
                update={"required": found.field.required or found.field.type in (FieldType.STRING, FieldType.TEXT)}
            )
        )
        reading.refer(draft.add_field(entity, required), f"entity:{entity}")
        if not found.sure:
            one = held.label.lower()
            draft.assume(f"“{found.field.label}” of a {one} is a short text.", part=reading.part)


def _sharpen(draft: Draft, entity: str, known: SpecField, said: SpecField) -> None:
    """What the request says of a field goes before what is usual."""
    if said.choices and known.choices != said.choices and said.choices != ("open", "in_progress", "closed"):
        new = {"type": said.type, "choices": said.choices, "default": None, "max_length": None}
        draft.replace_field(entity, known.model_copy(update=new))
        gone = [
            key
            for key, op in draft.operations.items()
            if (op.entity, op.field) == (entity, known.name) and op.value not in (*said.choices, "")
        ]
        for key in gone:
            del draft.operations[key]
        return
    update = {
        key: getattr(said, key) for key in ("min", "max", "unit") if getattr(said, key) and said.type == known.type
    }
    update |= {"unique": True} if said.unique else {}
    if update:
        draft.replace_field(entity, known.model_copy(update=update))
