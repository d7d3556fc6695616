"""What each person does once to a thing ("like posts", "sign up for shifts"), and what they attach to it."""

from __future__ import annotations

from omni.spec import lexicon, words
from omni.spec.actions import named_entity
from omni.spec.draft import Draft
from omni.spec.fields import field_of
from omni.spec.grammar import is_thing
from omni.spec.lexicon import EntityEntry
from omni.spec.model import FieldType, Operation, OperationKind, Ownership
from omni.spec.patterns import pattern
from omni.spec.reading import Reading

CASTS = (
    ("registration", "Register", "note"),
    ("application", "Apply", "message"),
    ("vote", "Vote", "reason"),
    ("like", "Like", "reason"),
)
"""Name of the child, label of the operation, and the child's one field. The patterns are called `cast_<name>`."""


def read_cast(draft: Draft, reading: Reading) -> None:
    """Once per person: a child of the thing that only this operation makes."""
    for name, label, field in CASTS:
        match = reading.match(pattern(f"cast_{name}"))
        if match is None or draft.accounts is False or reading.phrase.lead in ("like", "such"):
            continue
        noun = match["what"]
        entity = reading.context.entity if noun in ("them", "it") else named_entity(draft, noun)
        if not entity and not draft.domain and words.singular(noun) != noun and is_thing(noun):
            entity = draft.new_entity(noun, reading.sources)
        if not entity or reading.context.role == "public":
            return
        reading.claim(match)
        reading.refer(f"entity:{entity}", *_cast(draft, entity, (name, label, field), reading.sources))
        draft.add_role("user", reading.sources)
        return


def _cast(draft: Draft, entity: str, what: tuple[str, str, str], sources: tuple[str, ...]) -> list[str]:
    name, label, field = what
    held = next((op for op in draft.operations.values() if op.entity == entity and op.kind is OperationKind.CAST), None)
    if held:
        return [f"operation:{held.id}"]
    one, relation = draft.entities[entity].label.lower(), words.snake(entity)
    child = words.pascal(f"{relation}_{name}")
    entry = EntityEntry(
        words=(name, *({"registration": ("participant", "attendee", "sign-up")}.get(name, ()))),
        description=f"One person's {name} for {words.a(one)}.",
        ownership=Ownership.AUTHOR,
        cast=True,
        display=field,
        fields={field: "string, max 200, optional"},
        relations={relation: f"{entity}, cascade, inverse {words.plural(name)}"},
        rules=(f"unique-together {relation} owner: You have done this already.",),
    )
    draft.add_entity(lexicon.make_entity(child, entry, sources), entry)
    if draft.entities[entity].ownership is Ownership.OWNER:
        draft.change(entity, ownership=Ownership.AUTHOR)
        draft.assume(f"Everybody who logs in sees the {draft.entities[entity].label_plural.lower()}.")
    operation = Operation(
        id=f"{relation}.{label.lower()}",
        kind=OperationKind.CAST,
        name=label.lower(),
        label=label,
        description=f"{label}: once for each person and {one}.",
        entity=entity,
        child=child,
        sources=sources,
    )
    return [draft.add_operation(operation), f"entity:{child}", f"rule:{draft.entities[child].rules[0].id}"]


def read_upload(draft: Draft, reading: Reading) -> None:
    """ "upload a receipt photo": a field for the file, to store and to fetch."""
    match = reading.match(pattern("upload"))
    entity = reading.context.entity or draft.main
    if match is None or not entity or draft.find_entity(match["what"]):
        return
    found = field_of(match["what"], reading.sources)
    if found is None or found.field.type is not FieldType.FILE:
        return
    reading.claim(match)
    reading.refer(draft.add_field(entity, found.field), f"entity:{entity}")
    for kind, text in (
        (OperationKind.UPLOAD, "Attach the file."),
        (OperationKind.DOWNLOAD, "Fetch the file."),
    ):
        operation = Operation(
            id=f"{words.snake(entity)}.{kind}",
            kind=kind,
            name=kind.value,
            label=words.label(kind.value),
            description=text,
            entity=entity,
            field=found.field.name,
            sources=reading.sources,
        )
        reading.refer(draft.add_operation(operation))
