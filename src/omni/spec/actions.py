"""Phrases about people and what they do: "users can …", "only admins may …", "mark it as paid", "their own"."""

from __future__ import annotations

import re

from omni.spec import lexicon, words
from omni.spec.asked import PartStatus, Question
from omni.spec.derive import root_of
from omni.spec.draft import Draft, unique
from omni.spec.grammar import State, basic_kind, grammar, is_thing, state_named
from omni.spec.model import Entity, FieldType, Operation, OperationKind, Ownership
from omni.spec.patterns import pattern
from omni.spec.reading import Reading
from omni.spec.text import Token

CHANGING = (
    OperationKind.TOGGLE,
    OperationKind.TRANSITION,
    OperationKind.INCREMENT,
    OperationKind.CAST,
    OperationKind.UPLOAD,
)
DETERMINERS = ("my", "their", "our", "the", "a", "an", "own", "his", "new", "all")
LETTERS = {"create": "c", "view": "r", "list": "r", "update": "u", "delete": "d"}


def read_actions(draft: Draft, reading: Reading) -> None:
    """Verbs and what they act on."""
    context = reading.context
    if context.mode != "actions" and not _imperative(reading):
        return
    named = object_of(draft, reading) or _made(draft, reading)
    entity = named or context.entity or draft.main
    if not entity:
        return
    nouns = _nouns(draft, reading, entity) if named else set()
    if not named and (context.denied or context.only) and any(ref.startswith("field:") for ref in reading.refs):
        reading.refuse("No template shows or hides single fields by role.")
        return
    for index, token in enumerate(reading.phrase.tokens):
        if index in reading.claimed | nouns:
            continue
        if kind := basic_kind(token.text):
            reading.claimed.add(index)
            _basic(draft, reading, entity, kind)
        elif state := _state(reading, token, draft.entities[entity]):
            reading.claimed.add(index)
            _state_operation(draft, reading, entity, *state)
        elif token.text in grammar().manage:
            reading.claimed.add(index)
            for kind in LETTERS:
                _basic(draft, reading, entity, kind)
    if any(ref.startswith("operation:") for ref in reading.refs):
        context.entity = entity
        _claim_object(draft, reading, entity)
        if match := reading.match(pattern("foreign")):
            _whose(draft, reading, entity, match)


def _imperative(reading: Reading) -> bool:
    """ "add and delete todos", "mark as paid": a verb right at the start, or after "to"; not "create an app"."""
    if any(token.text in grammar().app for token in reading.phrase.tokens):
        return False
    tokens = [token for token in reading.phrase.tokens if token.text not in grammar().stop]
    first = tokens[0].text if tokens else ""
    return first == "mark" or bool(basic_kind(first) or state_named(first))


def _basic(draft: Draft, reading: Reading, entity: str, kind: str) -> None:
    context, letter = reading.context, LETTERS[kind]
    reading.refer(f"operation:{words.snake(entity)}.{kind}")
    access = draft.access[entity]
    if context.denied and (other := reading.match(pattern("foreign"))):
        held = draft.entities[entity].ownership
        if held is not Ownership.PARENT:
            draft.change(
                entity, ownership=Ownership.OWNER if letter == "r" or held is Ownership.OWNER else Ownership.AUTHOR
            )
        reading.claim(other)
        reading.claim_words(frozenset(("other", "users", "user's", "users'", "people's")))
        return
    if context.role == "public":
        if letter == "r":
            changes: dict[str, object] = {"public_read": True}
            if draft.entities[entity].ownership is Ownership.OWNER:
                changes["ownership"] = Ownership.AUTHOR
            draft.change(entity, **changes)
        elif draft.accounts is not False:
            reading.refuse("Visitors without an account can only read; writing needs an account.")
        return
    if context.denied:
        _deny(draft, entity, context.role, letter)
    elif context.only and context.role:
        for role in [*draft.roles, "user"]:
            if role not in (context.role, "admin"):
                _deny(draft, entity, role, letter)
        if context.role == "admin" and draft.entities[entity].ownership is Ownership.OWNER:
            draft.change(entity, ownership=Ownership.SHARED)
    elif context.role and context.role not in ("user", "admin"):
        access[context.role] = "".join(dict.fromkeys(access.get(context.role, "r") + letter))
    elif context.role == "admin" and pattern("foreign").search(reading.lower):
        access["admin"] = "".join(dict.fromkeys(access.get("admin", "") + letter))
    if context.role == "user" and letter == "c" and not context.denied:
        _written_by_users(draft, entity)
    if context.role:
        reading.refer(f"permission:{context.role}.{entity}")


def _written_by_users(draft: Draft, entity: str) -> None:
    """ "users can write reviews" of things that all share: each review is its writer's."""
    held = draft.entities[entity]
    root = root_of(draft.entities, held)
    if held.ownership is Ownership.PARENT and root.ownership in (Ownership.SHARED, Ownership.AUTHOR):
        draft.change(entity, ownership=Ownership.AUTHOR, parent="", public_read=root.public_read)


def _deny(draft: Draft, entity: str, role: str, letter: str) -> None:
    for child in draft.entities.values():
        if child.ownership is Ownership.PARENT and root_of(draft.entities, child).name == entity:
            draft.access[child.name].setdefault(role, draft.access[entity].get(role, "crud"))
    access = draft.access[entity]
    access[role] = access.get(role, "crud").replace(letter, "")


def _whose(draft: Draft, reading: Reading, entity: str, match: re.Match[str]) -> None:
    """ "see all orders": all of everybody, or all of one's own? For admins it is everybody's; else it is asked."""
    reading.claim(match)
    if reading.context.role in ("admin", "public") or draft.entities[entity].ownership is not Ownership.OWNER:
        return
    many = draft.entities[entity].label_plural.lower()
    question = Question(
        id=f"everybody-sees-{draft.entities[entity].plural}".replace("_", "-"),
        text=f"Does everybody see everybody's {many}?",
        why=f"“{reading.phrase.text}” can mean all of one's own, or all there are.",
        options=("yes", "no"),
        default="no",
        weight=60,
        part=reading.part,
    )
    if draft.ask(question, f"Everybody sees their own {many} only.") == "yes":
        draft.change(entity, ownership=Ownership.AUTHOR)


def _state(reading: Reading, token: Token, entity: Entity) -> tuple[str, State] | None:
    """The state that a verb brings a row to: "mark … as paid", "approve"."""
    if token.text in ("mark", "set", "change", "flag") and (
        match := reading.match(r"\b(?:mark|set|change)\w* .*?\b(?:as|to) (\w+)")
    ):
        value = words.snake(match[1])
        reading.claim(match, 1)
        for field in entity.fields:
            if value in field.choices:
                return f"mark_{value}", State(stems=(), status=field.choices, value=value)
        if name := state_named(value):
            return name, grammar().states[name]
        return f"mark_{value}", State(stems=(), field=value)
    name = state_named(token.text)
    return (name, grammar().states[name]) if name else None


def _state_operation(draft: Draft, reading: Reading, entity: str, name: str, state: State) -> None:
    held = draft.entities[entity]
    name = name.rstrip("_") if name != "return_" else "give_back"
    what: dict[str, object] = {"label": words.label(name), "description": f"{words.label(name)}: {held.label.lower()}."}
    if state.field:
        boolean = lexicon.parse_field(state.field, "boolean, default false, filter", reading.sources)
        draft.add_field(entity, boolean)
        what |= {"kind": OperationKind.TOGGLE, "field": state.field}
    else:
        held_status = next((f for f in held.fields if f.type is FieldType.ENUM and state.value in f.choices), None)
        if held_status is None:
            held_status = next((f for f in held.fields if f.name == "status"), None)
            choices = list(held_status.choices) if held_status else []
            choices += [choice for choice in state.status if choice not in choices]
            notation = f"enum {'|'.join(choices)}, default {choices[0]}, filter"
            status = lexicon.parse_field("status", notation, reading.sources)
            if held_status:
                draft.replace_field(entity, status)
            else:
                draft.add_field(entity, status)
            held_status = status
        from_values = tuple(v for v in state.from_values if v in held_status.choices)
        what |= {
            "kind": OperationKind.TRANSITION,
            "field": held_status.name,
            "value": state.value,
            "from_values": from_values,
        }
    role = reading.context.role
    if role and role not in ("user", "public"):
        what["roles"] = (role,) if role == "admin" else (role, "admin")
    operation = Operation.model_validate(
        {"id": f"{words.snake(entity)}.{name}", "name": name, "entity": entity, "sources": reading.sources, **what}
    )
    existing = draft.operations.get(operation.id)
    if existing and operation.roles:
        draft.operations[operation.id] = existing.model_copy(update={"roles": operation.roles})
    reading.refer(draft.add_operation(operation))


def object_of(draft: Draft, reading: Reading) -> str:
    """The entity of the draft that the phrase names last ("add comments to posts" → Comment is first, so first)."""
    verb = _opening_verb(reading)
    tokens = [token for index, token in enumerate(reading.phrase.tokens) if index != verb]
    for size in (3, 2, 1):
        for start in range(len(tokens) - size + 1):
            noun = " ".join(token.text for token in tokens[start : start + size])
            if name := draft.find_entity(noun):
                return name
    return ""


def _names_field(draft: Draft, nouns: list[str]) -> bool:
    wanted = words.snake(words.singular_phrase(" ".join(nouns)))
    return any(words.singular(field.name) == wanted for entity in draft.entities.values() for field in entity.fields)


def acts(word: str) -> bool:
    return bool(basic_kind(word) or state_named(word)) or word in grammar().manage or word in ("or", "and")


def named_entity(draft: Draft, text: str) -> str:
    """The entity of the draft that a few words name, or nothing."""
    pieces = [word for word in text.split() if word not in grammar().stop]
    for start in range(len(pieces)):
        if name := draft.find_entity(" ".join(pieces[start:])):
            return name
    return ""


def _made(draft: Draft, reading: Reading) -> str:
    """A new entity for a noun after the verbs, here or later in the list ("create, edit and delete plants")."""
    for phrase in (reading.phrase, *reading.context.ahead):
        nouns: list[str] = []
        tokens = phrase.tokens
        verb = -1
        for index, token in enumerate(tokens):
            if verb < 0 and acts(token.text):
                verb = index
        if verb < 0:
            continue
        for place, token in enumerate(tokens[verb + 1 :], verb + 1):
            last = place == len(tokens) - 1
            if token.text in DETERMINERS or (not nouns and not last and acts(token.text)):
                continue
            apart = nouns and re.search(
                r"[^\s-]", phrase.text[tokens[place - 1].end - phrase.start : token.start - phrase.start]
            )
            if apart or token.text in grammar().stop or (token.text in grammar().verbs and not last):
                break
            nouns.append(token.text)
        if nouns and len(nouns) <= 2 and is_thing(nouns[-1]):
            if draft.domain and not _many(nouns[-1]) and not lexicon.entity_named(" ".join(nouns)):
                continue
            known = grammar().fluff | grammar().app | grammar().build
            if (
                _names_field(draft, nouns)
                or nouns[-1] in known
                or words.singular(nouns[-1]) in ("user", "account", "admin")
            ):
                return ""
            name = draft.new_entity(" ".join(nouns), reading.sources)
            if words.stem(tokens[verb].text) == "request":
                draft.call(name, "request", f"{nouns[-1]} request")
            return name
        if draft.main:
            break
    return ""


def _many(noun: str) -> bool:
    return words.singular(noun) != noun


def _claim_object(draft: Draft, reading: Reading, entity: str) -> None:
    reading.claimed |= _nouns(draft, reading, entity)
    reading.refer(f"entity:{entity}")


def _nouns(draft: Draft, reading: Reading, entity: str) -> set[int]:
    """Where the phrase names the entity; a verb at its beginning ("post a comment") does not."""
    names = {words.label(entity).lower(), *draft.entries[entity].words}
    wanted = {words.singular(word) for name in names for word in name.split()}
    return {i for i, token in enumerate(reading.phrase.tokens) if token.noun in wanted and i != _opening_verb(reading)}


def _opening_verb(reading: Reading) -> int:
    """The place of the first word that says something, if it is a verb and more follows; else -1."""
    tokens = [
        (i, t) for i, t in enumerate(reading.phrase.tokens) if t.text not in grammar().stop and i not in reading.claimed
    ]
    return tokens[0][0] if len(tokens) > 1 and acts(tokens[0][1].text) else -1


def restrict(draft: Draft, reading: Reading) -> None:
    """ "only admins can publish": what was read as a special operation is for these roles alone."""
    context = reading.context
    if context.mode != "actions" or not context.role:
        return
    for ref in reading.refs:
        operation = draft.operations.get(ref.removeprefix("operation:"))
        if operation is None or operation.kind is OperationKind.CUSTOM:
            continue
        roles = operation.roles
        if operation.kind is OperationKind.CAST:
            context.entity = operation.child
        if context.role == "public":
            if operation.kind in CHANGING and draft.accounts is not False:
                reading.refuse("Visitors without an account can only read; this needs an account.")
        elif context.denied:
            roles = (
                ("admin",) if context.role == "user" else tuple(name for name in draft.roles if name != context.role)
            )
        elif context.only:
            roles = unique((context.role, *(("admin",) if context.role not in ("admin", "user") else ())))
        elif roles and context.role != "user":
            roles = unique((*roles, context.role))
        elif roles:
            roles = ()
        for role in roles:
            draft.add_role(role, reading.sources)
            if role != "user" and "r" not in draft.access[operation.entity].get(role, ""):
                draft.access[operation.entity][role] = "crud" if role == "admin" else "ru"
        draft.operations[operation.id] = operation.model_copy(update={"roles": roles})


def custom(draft: Draft, reading: Reading) -> None:
    """A verb that nothing here knows: written down as a custom operation, and not delivered."""
    rest = reading.rest()
    if reading.context.mode != "actions" or not rest or reading.status is not None:
        return
    verb = next((token for token in rest if token.text in grammar().verbs), None)
    entity = object_of(draft, reading) or reading.context.entity
    if verb is None or not entity:
        return
    name = words.snake(words.stem(verb.text) if verb.text.endswith("ing") else words.singular(verb.text))
    text = reading.phrase.text.strip(" .,;")
    operation = Operation(
        id=f"{words.snake(entity)}.{name}",
        kind=OperationKind.CUSTOM,
        name=name,
        label=words.label(name),
        description=f"As the request says: “{text}”.",
        entity=entity,
        sources=reading.sources,
    )
    if operation.id not in draft.operations:
        reading.refer(draft.add_operation(operation))
    reading.status = PartStatus.NOT_DELIVERED
    missed = words.listing([f"“{token.text}”" for token in rest[:8]])
    reading.note = f"No template knows how to do this; not understood: {missed}."
