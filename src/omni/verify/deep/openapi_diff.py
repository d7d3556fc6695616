"""What of an OpenAPI document breaks clients that were written for an earlier state of it."""

from __future__ import annotations

from collections.abc import Iterator, Set

from omni.verify.deep.openapi_model import Document, Needs, Node, Operation, Pointer
from omni.verify.deep.schema_diff import Change, SchemaDiff

__all__ = ["Change", "breaking_changes", "is_new_version"]


def breaking_changes(old: Document, new: Document) -> Iterator[Change]:
    """Each change, with its place in `new`."""
    for key, before in old.operations.items():
        after = new.operations.get(key)
        if after is None:
            rule = "deprecated-operation-removed" if before.deprecated else "operation-removed"
            place = before.at if rule.startswith("dep") else ("paths", before.path)
            yield Change(rule, place, f"{before.name} is gone")
            continue
        for change in _operation(old, new, before, after):
            yield change._replace(message=f"{after.name}: {change.message}")


def is_new_version(old: Document, new: Document) -> bool:
    """Its author says that it is incompatible (https://semver.org): 1.x → 2.0, or 0.1 → 0.2."""
    then, now = old.version, new.version
    return bool(then and now) and (now[0] > then[0] or (now[0] == then[0] == 0 and now[1] > then[1]))


def _operation(old: Document, new: Document, before: Operation, after: Operation) -> Iterator[Change]:
    yield from _parameters(old, new, before, after)
    yield from _body(old, new, before, after)
    yield from _responses(old, new, before, after)
    yield from _security(before, after)


def _parameters(old: Document, new: Document, before: Operation, after: Operation) -> Iterator[Change]:
    moved = set()
    for key, then in before.parameters.items():
        now = after.parameters.get(key)
        if now is None:
            elsewhere = next(
                (each for each in after.parameters.values() if _moved(then.name, each.name, key, each.place)), None
            )
            if elsewhere is None:
                yield Change("parameter-removed", after.at, f"the parameter {then.name} ({then.place}) is gone")
            elif (elsewhere.place, elsewhere.name) not in {(p.place, p.name) for p in before.parameters.values()}:
                moved.add((elsewhere.place, elsewhere.name))
                message = f"the parameter {then.name} moved from {then.place} to {elsewhere.place}"
                yield Change("parameter-moved", elsewhere.at, message)
            continue
        if now.required and not then.required and then.place != "path":
            yield Change("parameter-required", now.at, f"the parameter {now.name} ({now.place}) is required now")
        diff = SchemaDiff.between(old, new, "request")
        yield from diff.compare(then.schema, now.schema, f"the parameter {now.name}")
    for key, now in after.parameters.items():
        if key not in before.parameters and now.required and (now.place, now.name) not in moved and now.place != "path":
            yield Change("parameter-required", now.at, f"the new parameter {now.name} ({now.place}) is required")


def _moved(then: str, now: str, key: tuple[str, str], place: str) -> bool:
    return then.lower() == now.lower() and place != key[0]


def _body(old: Document, new: Document, before: Operation, after: Operation) -> Iterator[Change]:
    place = (*after.at, "requestBody")
    if after.body_required and not before.body_required:
        yield Change("body-required", place, "a body is required now")
    yield from _media(before.body.keys(), after.body.keys(), place, "a body of {} is not taken any more")
    for media in before.body.keys() & after.body.keys():
        yield from SchemaDiff.between(old, new, "request").compare(before.body[media], after.body[media], "the body")


def _responses(old: Document, new: Document, before: Operation, after: Operation) -> Iterator[Change]:
    for status, then in before.responses.items():
        place = (*after.at, "responses", status)
        now = after.responses.get(status)
        if now is None:
            success = status[:1] in {"2", "3"}
            yield Change(
                "status-removed" if success else "error-status-removed", place, f"the response {status} is gone"
            )
            continue
        yield from _media(then.keys(), now.keys(), place, "the response " + status + " comes as {} no more")
        for media in sorted(then.keys() & now.keys()):
            diff = SchemaDiff.between(old, new, "response")
            yield from diff.compare(then[media], _present(now[media]), f"the response {status}")


def _present(node: Node) -> Node:
    return node if isinstance(node.value, dict) else Node({}, node.at)


def _media(then: Set[str], now: Set[str], place: Pointer, said: str) -> Iterator[Change]:
    if "*/*" not in now:
        for media in sorted(then - now):
            yield Change("media-type-removed", place, said.format(media))


def _security(before: Operation, after: Operation) -> Iterator[Change]:
    """Each way in that there was has to lead in still."""
    place = (*after.at, "security")
    open_to_all: tuple[Needs, ...] = ({},)
    now = after.security or open_to_all
    for way in before.security or open_to_all:
        if any(_leads_in(way, each) for each in now):
            continue
        message = f"it needs {' or '.join(' and '.join(sorted(each)) for each in now)} now"
        if way:
            yield Change("auth-changed", place, f"{message}, and {' and '.join(sorted(way))} is not enough")
        else:
            yield Change("auth-added", place, message)


def _leads_in(way: Needs, needed: Needs) -> bool:
    return all(name in way and scopes <= way[name] for name, scopes in needed.items())
