"""Whether people can have their data deleted and handed out.

A model with data about people is covered when an endpoint (or, in a program without any, a function) deletes or exports
it, or when it belongs by a foreign key to a model that is covered: the owner's deletion has to take it along.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from omni.verify.analysis.handlers import Endpoint
from omni.verify.analysis.stored import Model
from omni.verify.compliance.facts import Facts, Place

ERASES = re.compile(r"delete|erase|erasure|anonymi[sz]e|forget|purge|remove|deactivate_and", re.IGNORECASE)
EXPORTS = re.compile(
    r"export|download|takeout|portab|my[-_]?data|data[-_]?request|subject[-_]?access|\bdump\b|archive", re.IGNORECASE
)
READABLE = re.compile(r"json|csv|dict\(|model_dump|asdict|serializ|return", re.IGNORECASE)


def without_deletion(facts: Facts) -> Iterator[Place]:
    """GDPR-003"""
    yield from _uncovered(facts, _deletes, "nothing deletes `{}`: there is no DELETE route for it")


def without_export(facts: Facts) -> Iterator[Place]:
    """GDPR-004"""
    yield from _uncovered(facts, _exports, "nothing exports `{}`: there is no route that hands out a person's data")


def _uncovered(facts: Facts, covers: Callable[[Facts, Model], bool], message: str) -> Iterator[Place]:
    personal = facts.models_with("personal")
    covered = {name for name, model in personal.items() if covers(facts, model)}
    tables = {model.table: model.name for model in facts.models} | {model.name: model.name for model in facts.models}
    for _ in personal:  # a chain of owners is no longer than there are models
        for name, model in personal.items():
            if any(tables.get(target) in covered for target in _owners(facts, model)):
                covered.add(name)
    for name, model in personal.items():
        if name not in covered:
            yield Place(model.path, model.line, message.format(name))


def _owners(facts: Facts, model: Model) -> Iterator[str]:
    """Tables and models that its foreign keys lead to."""
    for each in model.fields:
        for found in re.finditer(r"ForeignKey\(\s*[\"']?([\w.]+)", each.type):
            yield found[1].split(".")[-2] if found[1].count(".") else found[1]
        if found_relation := re.search(r"foreign_key=[\"'](\w+)\.", each.type):
            yield found_relation[1]
    if model.language == "sql":
        text = "\n".join(facts.sql)
        made = re.search(
            rf"create\s+table[^;]{{0,300}}?\b{re.escape(model.table)}\b(?P<body>[^;]*)", text, re.IGNORECASE
        )
        yield from re.findall(r"references\s+[\"`]?(\w+)", made["body"], re.IGNORECASE) if made else ()
    if model.language == "prisma":
        yield from (
            each.name for each in facts.models if re.search(rf"\b{each.name}\b.*@relation", _block(facts, model))
        )


def _block(facts: Facts, model: Model) -> str:
    file = facts.context.inventory.by_path[model.path]
    text = facts.context.text(file)
    found = re.search(rf"model\s+{model.name}\s*\{{([^}}]*)", text)
    return found[1] if found else ""


def _deletes(facts: Facts, model: Model) -> bool:
    for endpoint in facts.endpoints:
        asks = endpoint.method in {"DELETE", "ANY"} or (endpoint.method == "POST" and ERASES.search(_named(endpoint)))
        if not asks:
            continue
        if any(change.model is model and change.kind in {"delete", "update"} for change in facts.changes(endpoint)):
            return True
        if _about(endpoint, model) and _names(facts, endpoint, model):
            return True
    return not facts.endpoints and _function_named(facts, ERASES, model)


def _exports(facts: Facts, model: Model) -> bool:
    for endpoint in facts.endpoints:
        if not EXPORTS.search(_named(endpoint)) or not READABLE.search(facts.text(endpoint)):
            continue
        reads = any(change.model is model and change.kind == "read" for change in facts.changes(endpoint))
        if reads or _names(facts, endpoint, model):
            return True
    return not facts.endpoints and _function_named(facts, EXPORTS, model)


def _named(endpoint: Endpoint) -> str:
    return f"{endpoint.path} {endpoint.handler.node.name if endpoint.handler else ''}"


def _about(endpoint: Endpoint, model: Model) -> bool:
    """Whether the last word of the path means the model or the person: `/users/{id}`, `/me`, not `/me/avatar`."""
    words = [part for part in endpoint.path.split("/") if part and not re.match(r"[{<:(]", part)]
    own = {
        model.table.lower(),
        model.name.lower(),
        model.name.lower() + "s",
        "me",
        "account",
        "erase",
        "erasure",
        "delete",
    }
    return bool(words) and words[-1].lower().replace("-", "_") in own


def _names(facts: Facts, endpoint: Endpoint, model: Model) -> bool:
    text = facts.text(endpoint)
    return any(re.search(rf"\b{re.escape(name)}\b", text) for name in model.names)


def _function_named(facts: Facts, words: re.Pattern[str], model: Model) -> bool:
    """In a program without endpoints: a function for it, which a command or a job may call."""
    return any(
        words.search(routine.node.name)
        and any(re.search(rf"\b{re.escape(name)}\b", routine.text) for name in model.names)
        for routine in facts.program.routines.values()
    )
