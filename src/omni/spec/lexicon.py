"""The lexicon: application domains and features as data, and the short notation they are written in.

A field is written as its type and then attributes, separated by commas: `money, min 0, optional`,
`enum open|closed, default open, filter`. A relation is `Target, optional, cascade, inverse lines` (with `many` for
many-to-many). A computed value is `sum InvoiceLine.amount as money`. A rule is `ordered starts_at ends_at: message`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from omni.spec import words
from omni.spec.model import (
    Computed,
    ComputedKind,
    Entity,
    FieldType,
    Integration,
    Job,
    Operation,
    Ownership,
    Quality,
    Relation,
    RelationKind,
    Rule,
    RuleKind,
    SpecField,
)
from omni.spec.tables import read_yaml


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EntityEntry(Entry):
    words: tuple[str, ...] = ()
    """Other names that people use for it."""
    description: str = ""
    plural: str = ""
    ownership: Ownership = Ownership.OWNER
    parent: str = ""
    public_read: bool = False
    display: str = ""
    sort: tuple[str, ...] = ("-created_at",)
    fields: dict[str, str] = {}
    relations: dict[str, str] = {}
    computed: dict[str, str] = {}
    rules: tuple[str, ...] = ()
    access: dict[str, str] = {}
    """Role → letters of `crud` that it may do. A role that is not named gets what the ownership gives."""
    verbs: dict[str, str] = {}
    """Verb → kind of operation on it: `book: create`, `reschedule: update`."""
    cast: bool = False
    """Rows come from a `cast` operation only: nobody fills in a form for them."""


class OperationEntry(Entry):
    words: tuple[str, ...] = ()
    what: dict[str, JsonValue]
    """The fields of `Operation`, without those that follow from the key."""


class Bundle(Entry):
    """Things that enter a specification together."""

    entities: dict[str, EntityEntry] = {}
    fields: dict[str, dict[str, str]] = {}
    """Entity (or `main`) → further fields."""
    relations: dict[str, dict[str, str]] = {}
    operations: dict[str, OperationEntry] = {}
    """`entity.name` → operation; `main.name` for the main entity."""
    pages: tuple[dict[Literal["kind", "entity", "title"], str], ...] = ()
    jobs: tuple[dict[str, JsonValue], ...] = ()
    integrations: tuple[dict[str, JsonValue], ...] = ()
    qualities: tuple[dict[str, str], ...] = ()
    roles: dict[str, str] = {}
    """Name → description. `admin` belongs to the first user, `user` to everyone who signs up, others are given."""
    accounts: bool | None = None
    refs: tuple[str, ...] = ()
    """What it means beyond what it adds."""


class Feature(Bundle):
    words: tuple[str, ...]
    replaces: tuple[str, ...] = ()
    """`Entity.field`s that it makes needless."""
    assumes: str = ""
    """What is built, where the words alone could mean something else."""


class Domain(Bundle):
    title: str
    words: tuple[str, ...]
    also: tuple[str, ...] = ()
    """Words that say no more than the domain, and do not call for it ("text file" for a word counter)."""
    main: str = ""
    summary: str
    template: str = ""
    needs_accounts: str = ""
    """Why it can't go without accounts."""
    without: dict[str, tuple[str, ...]] = {}
    features: tuple[Feature, ...] = ()


@cache
def domains() -> dict[str, Domain]:
    """Every domain of the lexicon by id."""
    found: dict[str, Domain] = {}
    for file in sorted((files("omni.spec") / "data" / "domains").iterdir(), key=lambda path: path.name):
        for name, entry in read_yaml(f"domains/{file.name}").items():
            found[name] = Domain.model_validate(entry)
    return found


@cache
def features() -> tuple[Feature, ...]:
    """What any domain can have."""
    return TypeAdapter(tuple[Feature, ...]).validate_python(read_yaml("features.yaml")["features"])


# ── the notation ─────────────────────────────────────────────────────────────────────────────────


def parse_field(name: str, notation: str, sources: tuple[str, ...] = ()) -> SpecField:
    """`money, min 0, optional` → SpecField. Raises ValueError for an unknown attribute."""
    kind, *attributes = [piece.strip() for piece in notation.split(",")]
    kind, _, choices = kind.partition(" ")
    values: dict[str, object] = {"name": name, "label": words.label(name), "type": kind, "sources": sources}
    if choices:
        values["choices"] = tuple(choices.split("|"))
    for attribute in attributes:
        word, _, value = attribute.partition(" ")
        match word:
            case "optional":
                values["required"] = False
            case "unique" | "personal":
                values[word] = True
            case "search":
                values["searchable"] = True
            case "filter":
                values["filterable"] = True
            case "max" if kind in ("string", "text"):
                values["max_length"] = int(value)
            case "min" | "max":
                values[word] = float(value)
            case "unit" | "label" | "help":
                values[word] = value
            case "default":
                values["default"] = _default(kind, value)
            case _:
                raise ValueError(f"field {name}: unknown attribute {attribute!r}")
    if kind in ("string", "text"):
        values.setdefault("max_length", 200 if kind == "string" else 10_000)
    return SpecField.model_validate(values)


def _default(kind: str, value: str) -> str | int | float | bool:
    match FieldType(kind):
        case FieldType.BOOLEAN:
            return value == "true"
        case FieldType.INTEGER | FieldType.DURATION:
            return int(value)
        case FieldType.DECIMAL | FieldType.MONEY:
            return float(value)
        case _:
            return value


def parse_relation(name: str, notation: str, holder: str, sources: tuple[str, ...] = ()) -> Relation:
    """`Project, optional, inverse tasks` → Relation of the entity named `holder`."""
    target, *attributes = [piece.strip() for piece in notation.split(",")]
    required = "optional" not in attributes
    many = "many" in attributes
    inverse = next((a.removeprefix("inverse ") for a in attributes if a.startswith("inverse ")), "")
    on_delete = next((a for a in attributes if a in ("cascade", "restrict", "set-null")), "")
    return Relation(
        name=name,
        label=words.label(name),
        kind=RelationKind.MANY_TO_MANY if many else RelationKind.BELONGS_TO,
        target=target,
        required=required and not many,
        on_delete=on_delete or ("cascade" if many else "restrict" if required else "set-null"),  # type: ignore[arg-type]
        inverse=inverse or words.snake(words.plural_phrase(words.label(holder))),
        sources=sources,
    )


def parse_computed(name: str, notation: str, sources: tuple[str, ...] = ()) -> Computed:
    """`sum InvoiceLine.amount as money`, `product quantity unit_price as money` → Computed."""
    body, _, type_ = notation.partition(" as ")
    kind, *names = body.split()
    values: dict[str, object] = {"name": name, "label": words.label(name), "kind": kind, "sources": sources}
    if ComputedKind(kind) in (ComputedKind.PRODUCT, ComputedKind.DIFFERENCE):
        values["fields"] = tuple(names)
    else:
        values["child"], _, values["field"] = names[0].partition(".")
    return Computed.model_validate(values | {"type": type_ or "integer"})


def parse_rule(entity: str, notation: str, sources: tuple[str, ...] = ()) -> Rule:
    """`no-overlap starts_at ends_at within resource: The resource is taken then.` → Rule."""
    head, _, message = notation.partition(": ")
    head, _, within = head.partition(" within ")
    kind, *names = head.split()
    return Rule(
        id=f"{words.snake(entity)}.{words.snake('-'.join([kind, *names]))}",
        kind=RuleKind(kind),
        fields=tuple(names),
        within=within,
        message=message,
        sources=sources,
    )


def make_entity(name: str, entry: EntityEntry, sources: tuple[str, ...]) -> Entity:
    """The entity that an entry describes."""
    label = words.label(name)
    label_plural = words.plural_phrase(label)
    return Entity(
        name=name,
        plural=entry.plural or words.snake(label_plural),
        label=label,
        label_plural=label_plural,
        description=entry.description or f"{label}.",
        fields=tuple(parse_field(field, notation, sources) for field, notation in entry.fields.items()),
        computed=tuple(parse_computed(key, notation, sources) for key, notation in entry.computed.items()),
        relations=tuple(parse_relation(key, notation, name, sources) for key, notation in entry.relations.items()),
        rules=tuple(parse_rule(name, notation, sources) for notation in entry.rules),
        ownership=entry.ownership,
        parent=entry.parent,
        public_read=entry.public_read,
        display_field=entry.display or next(iter(entry.fields), "id"),
        sort=entry.sort,
        sources=sources,
    )


def make_operation(key: str, what: dict[str, JsonValue], entity: str, sources: tuple[str, ...]) -> Operation:
    """`todo.complete` and its fields → Operation."""
    name = key.rpartition(".")[2]
    subject = words.label(entity).lower() if entity else ""
    label = str(what.get("label") or words.label(name))
    given = {"name": name, "label": label, "description": f"{label} ({subject}).", "sources": sources, **what}
    identifier = f"{words.snake(entity)}.{name}" if entity else name
    return Operation.model_validate({"id": identifier, "entity": entity, **given})


def make_job(what: dict[str, JsonValue], sources: tuple[str, ...]) -> Job:
    return Job.model_validate({"label": words.label(str(what["name"])), "sources": sources, **what})


def make_integration(what: dict[str, JsonValue], sources: tuple[str, ...]) -> Integration:
    return Integration.model_validate({"sources": sources, **what})


def make_quality(what: dict[str, str], number: int, sources: tuple[str, ...]) -> Quality:
    return Quality.model_validate({"id": f"Q{number}", "sources": sources, **what})


def _importable(domain: Domain) -> tuple[str, ...]:
    """What a request may borrow of a domain that it does not ask for: its main entity; of mere things each."""
    if domain.template:
        return ()
    return (domain.main,) if domain.main else tuple(domain.entities)


@cache
def _entity_words() -> dict[str, tuple[str, str]]:
    """Singular name → (domain id, entity name); the first domain that has it wins."""
    found: dict[str, tuple[str, str]] = {}
    for identifier, domain in domains().items():
        for name in _importable(domain):
            found.setdefault(words.label(name).lower(), (identifier, name))
    return found


def feature_named(noun: str, domain: Domain | None) -> Feature | None:
    """The feature of a domain, or of any, that a noun in singular or plural names as a whole."""
    wanted = words.singular_phrase(noun)
    for feature in (*(domain.features if domain else ()), *features()):
        if wanted in feature.words or noun in feature.words:
            return feature
    return None


def entity_named(noun: str) -> tuple[Domain, str] | None:
    """The domain and name of the lexicon's entity for a noun in singular or plural."""
    *modifiers, last = noun.lower().split()
    found = _entity_words().get(" ".join([*modifiers, words.singular(last)]))
    return None if found is None else (domains()[found[0]], found[1])
