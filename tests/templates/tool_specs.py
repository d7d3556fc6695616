"""Specifications for the command-line tool and the worker: one that is small, and one with everything they can do."""

from __future__ import annotations

from omni.spec.asked import Request
from omni.spec.model import Computed, Criterion, Entity, Job, Operation, Relation, Rule, SpecField, Specification

CRUD = ("list", "view", "create", "update", "delete", "search", "filter", "sort", "export", "import")
STORED = CRUD[:8]


def specification(name: str, template: str, **parts: object) -> Specification:
    """A specification in which every item has a criterion of its own."""
    spec = Specification.model_validate(
        {
            "name": name,
            "title": name.replace("-", " ").capitalize(),
            "summary": f"Everything about {name.replace('-', ' ')}.",
            "request": Request(text=name),
            "domain": "general",
            "template": template,
            "auth": False,
            "parts": (),
            **parts,
        }
    )
    refs = [f"entity:{entity.name}" for entity in spec.entities]
    refs += [f"computed:{entity.name}.{value.name}" for entity in spec.entities for value in entity.computed]
    refs += [f"rule:{rule.id}" for entity in spec.entities for rule in entity.rules]
    refs += [f"operation:{operation.id}" for operation in spec.operations]
    refs += [f"job:{job.name}" for job in spec.jobs]
    criteria = (
        Criterion(id=f"AC{number}", given="it", when="used", then="it works", verifies=(ref,))
        for number, ref in enumerate(refs, 1)
    )
    return spec.model_copy(update={"criteria": tuple(criteria)})


def field(name: str, kind: str, **rest: object) -> SpecField:
    return SpecField.model_validate({"name": name, "label": name.replace("_", " ").capitalize(), "type": kind, **rest})


def entity(name: str, plural: str, display: str, fields: tuple[SpecField, ...], **rest: object) -> Entity:
    return Entity.model_validate(
        {
            "name": name,
            "plural": plural,
            "label": name,
            "label_plural": plural.capitalize(),
            "description": f"What is kept of a {name.lower()}",
            "fields": fields,
            "display_field": display,
            **rest,
        }
    )


def operations(name: str, kinds: tuple[str, ...]) -> tuple[Operation, ...]:
    return tuple(operation(name, kind, kind) for kind in kinds)


def operation(entity_name: str, kind: str, name: str, **rest: object) -> Operation:
    return Operation.model_validate(
        {
            "id": f"{entity_name.lower() or 'run'}.{name}",
            "kind": kind,
            "name": name,
            "label": name.replace("_", " ").capitalize(),
            "description": f"Does {name.replace('_', ' ')}",
            "entity": entity_name,
            **rest,
        }
    )


def belongs(name: str, target: str, inverse: str, **rest: object) -> Relation:
    return Relation.model_validate(
        {"name": name, "label": name.capitalize(), "kind": "belongs-to", "target": target, "inverse": inverse, **rest}
    )


def job(name: str, entity_name: str, effect: str, **rest: object) -> Job:
    given = {"trigger": "schedule", "schedule": "0 2 * * *", **rest}
    base = {"name": name, "label": name, "description": f"Does {name}", "effect": effect, "entity": entity_name}
    return Job.model_validate(base | given)


# ── command-line tools ───────────────────────────────────────────────────────────────────────────


def todos() -> Specification:
    """One entity: its commands stand at the root."""
    todo = entity(
        "Todo",
        "todos",
        "title",
        (
            field("title", "string", max_length=200, searchable=True),
            field("done", "boolean", default=False),
            field("due", "date", required=False),
        ),
    )
    own = operation("Todo", "toggle", "complete", field="done")
    return specification("todos", "cli-tool", entities=(todo,), operations=(*operations("Todo", CRUD), own))


def front_desk() -> Specification:
    """Every kind of field, relation, rule, computed value and operation."""
    client = entity(
        "Client",
        "clients",
        "name",
        (
            field("name", "string", max_length=100, unique=True, searchable=True),
            field("email", "email"),
            field("phone", "phone", required=False),
            field("site", "url", required=False),
            field("seats", "integer", min=1, max=2, default=2),
            field("slug", "slug", unique=True),
            field("color", "color", required=False),
        ),
        computed=(
            Computed.model_validate(
                {"name": "bookings_count", "label": "Bookings", "kind": "count", "type": "integer", "child": "Booking"}
            ),
            Computed.model_validate(
                {"name": "total", "label": "T", "kind": "sum", "type": "money", "child": "Booking", "field": "cost"}
            ),
            Computed.model_validate(
                {"name": "mean", "label": "M", "kind": "average", "type": "money", "child": "Booking", "field": "price"}
            ),
        ),
    )
    times = ("starts_at", "ends_at")
    booking = entity(
        "Booking",
        "bookings",
        "purpose",
        (
            field("purpose", "string", max_length=80, searchable=True),
            field("notes", "text", required=False),
            field("starts_at", "datetime"),
            field("ends_at", "datetime"),
            field("alarm", "time", required=False),
            field("price", "money", min=0),
            field("hours", "decimal", min=0, max=1000, default=1),
            field("views", "integer", min=0, default=0),
            field("length", "duration", required=False),
            field("status", "enum", choices=("requested", "confirmed", "cancelled"), default="requested"),
            field("order", "integer", required=False),
            field("paid", "boolean"),
        ),
        relations=(
            belongs("client", "Client", "bookings", on_delete="cascade"),
            belongs("parent", "Booking", "parts", on_delete="set-null", required=False),
        ),
        computed=(
            Computed.model_validate(
                {"name": "cost", "label": "Cost", "kind": "product", "type": "money", "fields": ("price", "hours")}
            ),
            Computed.model_validate(
                {"name": "lasting", "label": "L", "kind": "difference", "type": "duration", "fields": times[::-1]}
            ),
        ),
        rules=(
            Rule.model_validate({"id": "R1", "kind": "ordered", "fields": times, "message": "End before start."}),
            Rule.model_validate({"id": "R2", "kind": "not-past", "fields": times[:1], "message": "That is past."}),
            Rule.model_validate(
                {"id": "R3", "kind": "no-overlap", "fields": times, "within": "client", "message": "Taken."}
            ),
            Rule.model_validate(
                {"id": "R4", "kind": "capacity", "fields": ("seats",), "within": "client", "message": "Full."}
            ),
            Rule.model_validate(
                {"id": "R5", "kind": "unique-together", "fields": ("client", "purpose"), "message": "Twice."}
            ),
        ),
        sort=("starts_at",),
    )
    moved = {"field": "status", "value": "confirmed", "from_values": ("requested",)}
    own = (
        operation("Booking", "transition", "confirm", **moved),
        operation("Booking", "increment", "see", field="views"),
        operation("Booking", "toggle", "pay", field="paid"),
        operation("Booking", "summary", "by_status", field="status", value_field="price"),
        operation("Booking", "summary", "by_client", field="client"),
    )
    every = (*operations("Client", CRUD), *operations("Booking", CRUD), *own)
    return specification("front-desk", "cli-tool", entities=(client, booking), operations=every)


def text_kit() -> Specification:
    """Commands on files, and one step that no command can do."""
    steps = {
        "words": ("read:text", "count:words"),
        "frequency": ("read:text", "count:frequency", "write:csv"),
        "dedupe": ("read:csv", "filter:unique", "sort:rows", "write:csv"),
        "to_json": ("read:csv", "write:json"),
        "to_csv": ("read:json", "write:csv"),
        "duplicates": ("read:files", "find:duplicates"),
        "hashes": ("read:files", "hash:sha256", "write:json"),
        "lines": ("read:files", "count:lines"),
        "ping": ("fetch:url",),
        "sort_lines": ("read:text", "sort:rows", "write:text"),
        "scan": ("read:text", "read:queue"),
    }
    runs = tuple(operation("", "run", name, steps=value) for name, value in steps.items())
    return specification("text-kit", "cli-tool", operations=runs)


# ── workers ──────────────────────────────────────────────────────────────────────────────────────


def orders() -> Specification:
    """One entity, processed from the queue."""
    order = entity(
        "Order",
        "orders",
        "reference",
        (
            field("reference", "string", max_length=60, unique=True),
            field("status", "enum", choices=("queued", "processed", "failed"), default="queued"),
        ),
    )
    processed = job(
        "process_orders", "Order", "process", trigger="queue", schedule="", field="status", value="processed"
    )
    return specification(
        "orders", "worker", entities=(order,), operations=operations("Order", STORED), jobs=(processed,)
    )


def fetcher() -> Specification:
    """No entity at all."""
    fetch = operation("", "run", "fetch", steps=("read:queue", "fetch:url", "write:table"))
    return specification("fetcher", "worker", operations=(fetch,))


def post_office() -> Specification:
    """Every step, effect and operation, and some that no worker can do."""
    message = entity(
        "Message",
        "messages",
        "subject",
        (
            field("recipient", "email", personal=True),
            field("subject", "string", max_length=200, searchable=True),
            field("body", "text"),
            field("price", "money", required=False, min=0),
            field("score", "decimal", default=1.5),
            field("status", "enum", choices=("queued", "sent", "failed"), default="queued"),
            field("urgent", "boolean"),
            field("due", "date", required=False),
            field("at", "time", required=False),
            field("opens", "integer", default=0),
        ),
    )
    target = entity(
        "Target",
        "targets",
        "name",
        (
            field("name", "string", max_length=100),
            field("url", "url", unique=True),
            field("active", "boolean", default=True),
        ),
    )
    check = entity(
        "Check",
        "checks",
        "checked_at",
        (
            field("checked_at", "datetime"),
            field("status", "integer", min=0, max=599),
            field("milliseconds", "integer", min=0),
        ),
        relations=(belongs("target", "Target", "checks", on_delete="cascade"),),
    )
    own = (
        operation("Message", "run", "send_message", steps=("read:queue", "send:email", "write:table")),
        operation("Target", "run", "check_target", steps=("fetch:url", "write:table")),
        operation("", "run", "notify", steps=("read:queue", "call:webhook")),
        operation("", "run", "mail_it", steps=("read:queue", "send:email")),
        operation("", "run", "store_it", steps=("read:queue", "write:table")),
        operation("", "run", "scan_it", steps=("read:files",)),
        operation("Message", "toggle", "flag", field="urgent"),
        operation("Message", "transition", "requeue", field="status", value="queued", from_values=("failed",)),
        operation("Message", "increment", "count_open", field="opens"),
    )
    jobs = (
        job("send_messages", "Message", "process", trigger="queue", schedule="", field="status", value="sent"),
        job("check_targets", "Target", "process", schedule="*/5 * * * *", field="active", value="true"),
        job("resend_messages", "Message", "process", field="status", value="sent"),
        job("purge_messages", "Message", "purge", after_days=30, field="status", value="sent"),
        job("purge_checks", "Check", "purge", after_days=7),
        job("mark_messages", "Message", "mark", field="status", value="failed", after_days=3),
        job("report_messages", "Message", "report"),
        job("remind_messages", "Message", "remind", field="due", after_days=-1),
    )
    every = (*operations("Message", STORED), *operations("Target", STORED), *operations("Check", STORED), *own)
    return specification("post-office", "worker", entities=(message, target, check), operations=every, jobs=jobs)
