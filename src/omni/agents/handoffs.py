"""What agents hand to each other: typed documents with a schema version. No agent reads another's chat.

A document travels in an `Envelope`, which says who wrote it, by which prompt and model, and from which documents.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, JsonValue, StringConstraints

from omni.kernel import canonical
from omni.kernel.errors import Exit, OmniError, declare
from omni.models.typed import Document, schema
from omni.models.wire import Model
from omni.spec.model import Stride

BAD_HANDOFF = declare(
    "A041", "A handoff can't be read", Exit.FAILED, "It was made by another version; run the stage again."
)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]


def _within(path: str) -> str:
    if ".." in path.split("/"):
        raise ValueError("the path leads out of the project")
    return path


Place = Annotated[str, StringConstraints(pattern=r"^[^/\x00\n][^\x00\n]*$", max_length=300), AfterValidator(_within)]
"""A path within the project, with forward slashes."""
Severity = Literal["error", "warning", "note"]


class Decision(Model):
    """Something settled that later work must keep."""

    what: Line
    why: Line


class Handed(Document):
    """What every handoff carries. `open` is what the next one has to know is not done, or not known."""

    decisions: tuple[Decision, ...] = ()
    open: tuple[Line, ...] = ()


# ── before code ──────────────────────────────────────────────────────────────────────────────────


class Criterion(Model):
    id: Line
    given: Line
    when: Line
    then: Line


class ProductSpec(Handed):
    """What is to be built, in sentences that a test can decide."""

    summary: Text
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    questions: tuple[Line, ...] = ()
    """What only a person can answer."""
    assumptions: tuple[Line, ...] = ()
    """What was taken for granted meanwhile; one for each question at least."""


class Route(Model):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9/_{}.-]*$")]
    summary: Line
    authenticated: bool
    request: dict[str, JsonValue] = Field(default_factory=dict)
    """JSON Schema of the body; empty: none."""
    answers: Annotated[dict[Annotated[str, StringConstraints(pattern=r"^[1-5][0-9]{2}$")], Line], Field(min_length=1)]
    """Status → when it is given."""


class ApiContract(Handed):
    title: Line
    routes: Annotated[tuple[Route, ...], Field(min_length=1)]


class Column(Model):
    name: Line
    type: Line
    nullable: bool = False
    unique: bool = False
    references: str = ""
    """`table.column`."""


class Table(Model):
    name: Line
    primary_key: Annotated[tuple[Line, ...], Field(min_length=1)]
    columns: Annotated[tuple[Column, ...], Field(min_length=1)]
    indexes: tuple[Line, ...] = ()


class MigrationStep(Model):
    do: Line
    undo: Line
    locks: Line
    """What it locks, and for how long on a large table; “nothing” where that is so."""


class DataModel(Handed):
    tables: Annotated[tuple[Table, ...], Field(min_length=1)]
    migration: tuple[MigrationStep, ...]


class Threat(Model):
    boundary: Line
    category: Stride
    threat: Line
    mitigation: Line
    severity: Severity


class ThreatModel(Handed):
    threats: Annotated[tuple[Threat, ...], Field(min_length=1)]


class Step(Model):
    id: Line
    do: Line
    files: tuple[Place, ...]
    criteria: Annotated[tuple[Line, ...], Field(min_length=1)]
    """Ids of the acceptance criteria that it serves."""
    after: tuple[Line, ...] = ()
    """Ids of steps that come first."""


class Plan(Handed):
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]


# ── code ─────────────────────────────────────────────────────────────────────────────────────────


class SelfScore(Model):
    """What the author thinks of its own work before anybody else does; it stands beside the reviewer's score."""

    score: Annotated[float, Field(ge=0, le=10)]
    why: Line


class ChangedFile(Model):
    path: Place
    why: Line


class Change(Handed):
    """Work in the workspace that is done. What it is, is in the commit; this says what it is for."""

    summary: Text
    files: tuple[ChangedFile, ...]
    trace: dict[str, tuple[Place, ...]] = Field(default_factory=dict)
    """Criterion id → tests that show it."""
    checked: tuple[Line, ...] = ()
    """Commands that were run, with what they said."""
    self_score: SelfScore


class Design(Handed):
    """The Architect's: parts, what each may use, and the decisions that the rest keeps."""

    summary: Text
    parts: Annotated[tuple[ChangedFile, ...], Field(min_length=1)]
    rules: tuple[Line, ...]
    """Which part may import which, and what is forbidden."""


class Status(Handed):
    """The Project Manager's: where the work stands, from what others handed over."""

    summary: Text
    delivered: tuple[Line, ...] = ()
    missing: tuple[Line, ...] = ()
    risks: tuple[Line, ...] = ()
    next: tuple[Line, ...] = ()


class Argument(Model):
    claim: Line
    evidence: Line
    """Words of the material, quoted exactly."""


class Position(Handed):
    """One side of a debate."""

    stance: Literal["approve", "reject"]
    arguments: Annotated[tuple[Argument, ...], Field(min_length=1)]
    answers: tuple[Line, ...] = ()
    """To the other side's arguments."""


# ── how they travel ──────────────────────────────────────────────────────────────────────────────

H = TypeVar("H", bound=Document)


class Envelope(Model):
    """A document and where it comes from."""

    schema_version: Literal["1"] = "1"
    kind: str
    """As `role.toml` names it: `Plan`, or `omni.review.citation:Findings`."""
    document: dict[str, JsonValue]
    role: str
    prompt: str
    """Version of the prompt, as `P1.2@3`."""
    model: str
    made_from: tuple[str, ...] = ()
    """Digests of the envelopes that its author was given."""

    @property
    def digest(self) -> str:
        return canonical.digest(self.model_dump(mode="json"))


def kind_of(name: str) -> type[Document]:
    """The type that a role hands over. Raises `A041` for a name that is none.

    `Name` is declared here; `module:Name` elsewhere, since a document is declared in the room that judges it, and
    rooms of one floor don't import each other.
    """
    module, _, type_name = name.rpartition(":")
    try:
        found = getattr(importlib.import_module(module or __name__), type_name)
    except (ImportError, AttributeError) as problem:
        raise OmniError(BAD_HANDOFF, f"there is no document {name}") from problem
    if not (isinstance(found, type) and issubclass(found, Document)):
        raise OmniError(BAD_HANDOFF, f"{name} is not a document")
    return found


def unpack(envelope: Envelope, kind: type[H]) -> H:
    """The document of an envelope. Raises `A041` when it is another one, or of another version."""
    if kind_of(envelope.kind) is not kind:
        raise OmniError(BAD_HANDOFF, f"{envelope.kind} was handed over where {kind.__name__} is read")
    try:
        return kind.model_validate_json(canonical.dumps(envelope.document))
    except ValueError as problem:
        raise OmniError(BAD_HANDOFF, str(problem), where=envelope.kind) from problem


def decisions(envelopes: Iterable[Envelope]) -> tuple[Decision, ...]:
    """Everything settled so far, in order, each once: what the last agent has to know of the first."""
    found = (each for envelope in envelopes for each in _decisions(envelope.document))
    return tuple(dict.fromkeys(found))


def _decisions(document: Mapping[str, JsonValue]) -> tuple[Decision, ...]:
    given = document.get("decisions", [])
    return tuple(Decision.model_validate(each) for each in given) if isinstance(given, list) else ()


# ── what a schema can't say ──────────────────────────────────────────────────────────────────────


def uncovered(plan: Plan, criteria: Iterable[str]) -> str:
    """What is wrong with a plan: criteria that no step serves, unknown ones, an order that can't be kept."""
    wanted, served, seen = set(criteria), {c for step in plan.steps for c in step.criteria}, set[str]()
    problems = [f"no step serves {', '.join(sorted(wanted - served))}"] if wanted - served else []
    problems += [f"there is no criterion {', '.join(sorted(served - wanted))}"] if wanted and served - wanted else []
    for step in plan.steps:
        early = sorted(set(step.after) - seen)
        problems += [f"step {step.id} comes after {', '.join(early)}, which is not before it"] if early else []
        seen.add(step.id)
    return "; ".join(problems)


def wrong(document: Document, given: Iterable[Envelope]) -> str:
    """What is wrong with a document beside what its author was given; empty when nothing is."""
    specs = [unpack(each, ProductSpec) for each in given if each.kind == ProductSpec.__name__]
    known = [criterion.id for spec in specs for criterion in spec.criteria]
    match document:
        case ProductSpec():
            lost = sorted(set(known) - {criterion.id for criterion in document.criteria})
            return f"criteria that were given are gone: {', '.join(lost)}" if lost else ""
        case Plan():
            return uncovered(document, known) if specs else ""
        case ApiContract():
            return _twice(f"{route.method} {route.path}" for route in document.routes)
        case DataModel():
            return _twice(table.name for table in document.tables) or _keyless(document)
        case _:
            return ""


def _twice(names: Iterable[str]) -> str:
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    return f"there twice: {', '.join(twice)}" if twice else ""


def _keyless(model: DataModel) -> str:
    wanting = [
        f"{table.name}.{key}"
        for table in model.tables
        for key in table.primary_key
        if key not in {column.name for column in table.columns}
    ]
    return f"a key is no column: {', '.join(wanting)}" if wanting else ""


def openapi(contract: ApiContract) -> dict[str, JsonValue]:
    """The contract as an OpenAPI document (https://spec.openapis.org/oas/v3.1.0): these routes and no others."""
    paths: dict[str, dict[str, JsonValue]] = {}
    for route in contract.routes:
        names = [part[1:-1] for part in route.path.split("/") if part.startswith("{") and part.endswith("}")]
        operation: dict[str, JsonValue] = {
            "summary": route.summary,
            "responses": {status: {"description": when} for status, when in route.answers.items()},
        }
        if names:
            operation["parameters"] = [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
            ]
        if route.request:
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": route.request}}}
        if route.authenticated:
            operation["security"] = [{"account": []}]
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": contract.title, "version": contract.schema_version},
        "paths": {path: dict(operations) for path, operations in paths.items()},
        "components": {"securitySchemes": {"account": {"type": "http", "scheme": "bearer"}}},
    }


def schema_of(name: str) -> dict[str, JsonValue]:
    """JSON Schema of a handoff, by the name that `role.toml` has for it."""
    return schema(kind_of(name))
