"""The account of the request: what became of every phrase, and for every item which phrases it comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TypeVar

from omni.spec.asked import Part, PartStatus
from omni.spec.draft import unique
from omni.spec.model import Page, Sourced, Specification
from omni.spec.reading import Reading
from omni.spec.words import listing

Item = TypeVar("Item", bound=Sourced)

ACCOUNT_REFS = ("auth", "auth:sign-up", "auth:log-in", "auth:log-out", "auth:password", "auth:export", "auth:delete")


def items(spec: Specification) -> Iterator[tuple[str, Sourced | None]]:
    """Every ref that exists in a specification, with its item (None for what is a plain attribute)."""
    yield f"template:{spec.template}", None
    yield "project", None
    if spec.auth:
        yield from ((ref, None) for ref in ACCOUNT_REFS)
    for entity in spec.entities:
        yield f"entity:{entity.name}", entity
        yield from ((f"field:{entity.name}.{field.name}", field) for field in entity.fields)
        yield from ((f"computed:{entity.name}.{computed.name}", computed) for computed in entity.computed)
        yield from ((f"relation:{entity.name}.{relation.name}", relation) for relation in entity.relations)
        yield from ((f"rule:{rule.id}", rule) for rule in entity.rules)
    yield from ((f"role:{role.name}", role) for role in spec.roles)
    yield from ((f"permission:{p.role}.{p.entity}", p) for p in spec.permissions)
    yield from ((f"operation:{operation.id}", operation) for operation in spec.operations)
    yield from ((f"page:{page.path}", page) for page in spec.pages)
    yield from ((f"job:{job.name}", job) for job in spec.jobs)
    yield from ((f"integration:{integration.name}", integration) for integration in spec.integrations)
    yield from ((f"quality:{quality.id}", quality) for quality in spec.qualities)


def refs(spec: Specification) -> frozenset[str]:
    """Every ref that exists in a specification."""
    return frozenset(ref for ref, _ in items(spec))


def give(spec: Specification, readings: list[Reading]) -> Specification:
    """The specification with its parts, and with the sources of each item."""
    known = refs(spec)
    parts = tuple(_part(reading, known, spec) for reading in readings)
    origin: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        for ref in part.items:
            origin[ref].append(part.id)
    first = next((part.id for part in parts if part.status is PartStatus.MAPPED), "")
    usual = next((a.id for a in spec.assumptions if a.text.startswith("Usual")), "")
    fallback = tuple(source for source in (first, usual) if source)

    def trace(ref: str, item: Item) -> Item:
        own = unique([*item.sources, *origin[ref]])
        return item.model_copy(update={"sources": own or fallback})

    entities = tuple(
        trace(f"entity:{e.name}", e).model_copy(
            update={
                "fields": tuple(trace(f"field:{e.name}.{f.name}", f) for f in e.fields),
                "computed": tuple(trace(f"computed:{e.name}.{c.name}", c) for c in e.computed),
                "relations": tuple(trace(f"relation:{e.name}.{r.name}", r) for r in e.relations),
                "rules": tuple(trace(f"rule:{r.id}", r) for r in e.rules),
            }
        )
        for e in spec.entities
    )
    return spec.model_copy(
        update={
            "parts": parts,
            "entities": entities,
            "roles": tuple(trace(f"role:{r.name}", r) for r in spec.roles),
            "permissions": tuple(trace(f"permission:{p.role}.{p.entity}", p) for p in spec.permissions),
            "operations": tuple(trace(f"operation:{o.id}", o) for o in spec.operations),
            "pages": tuple(trace(f"page:{p.path}", p) for p in spec.pages),
            "jobs": tuple(trace(f"job:{j.name}", j) for j in spec.jobs),
            "integrations": tuple(trace(f"integration:{i.name}", i) for i in spec.integrations),
            "qualities": tuple(trace(f"quality:{q.id}", q) for q in spec.qualities),
        }
    )


def _part(reading: Reading, known: frozenset[str], spec: Specification) -> Part:
    found = unique(ref for raw in reading.refs if (ref := _final(raw, spec)) in known)
    status, note = reading.status, reading.note
    rest = reading.rest()
    if status is None and rest:
        status = PartStatus.NOT_DELIVERED
        missed = listing([f"“{token.text}”" for token in rest[:8]])
        note = f"Not understood: {missed}." if not found else f"Understood in part; not understood: {missed}."
    elif status is None and found:
        status = PartStatus.MAPPED
    elif status is None and reading.refs:
        status, note = PartStatus.NOT_DELIVERED, f"No {spec.template} has this."
    elif status is None:
        status, note = PartStatus.NARRATIVE, note or "Says nothing to build."
    elif status in (PartStatus.MAPPED, PartStatus.QUESTION) and not found:
        found = ("project",)
    phrase = reading.phrase
    return Part(
        id=reading.part,
        sentence=phrase.sentence,
        start=phrase.start,
        end=phrase.end,
        text=phrase.text,
        status=status,
        items=found,
        note=note,
    )


def _final(ref: str, spec: Specification) -> str:
    """Pages are drafted as `page:calendar:Booking`; their final ref is their path."""
    kind, _, rest = ref.partition(":")
    if kind == "page" and ":" in rest:
        page_kind, _, entity = rest.partition(":")
        found: list[Page] = [p for p in spec.pages if p.kind == page_kind and p.entity == entity]
        return f"page:{found[0].path}" if found else ref
    return ref
