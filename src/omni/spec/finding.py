"""Phrases about finding things again: search, filter, sort, and reports."""

from __future__ import annotations

import re

from omni.spec import words
from omni.spec.actions import named_entity
from omni.spec.asked import PartStatus, Question
from omni.spec.draft import Draft
from omni.spec.grammar import grammar
from omni.spec.model import Entity, FieldType, Operation, OperationKind, RelationKind, SpecField
from omni.spec.patterns import pattern
from omni.spec.reading import Reading

KINDS = {
    "search": OperationKind.SEARCH,
    "find": OperationKind.SEARCH,
    "look": OperationKind.SEARCH,
    "filter": OperationKind.FILTER,
    "sort": OperationKind.SORT,
    "order": OperationKind.SORT,
}
FILTERED = frozenset(FieldType) - {FieldType.TEXT, FieldType.FILE}
SEARCHED = (FieldType.STRING, FieldType.TEXT, FieldType.EMAIL, FieldType.URL, FieldType.PHONE, FieldType.SLUG)


def read_finding(draft: Draft, reading: Reading) -> None:
    """ "search by title", "filter tasks by status": the fields must be there, and become searchable or filterable."""
    match = reading.match(pattern("by"))
    if match is None:
        return
    name = named_entity(draft, match["what"]) or reading.context.entity or draft.main
    if not name:
        return
    kind = next((kind for verb, kind in KINDS.items() if match["verb"].startswith(verb)), None)
    if kind is None:
        return
    fields = [
        _field(draft.entities[name], word.strip())
        for word in re.split(r",|/|\band\b|\bor\b", match["by"])
        if word.strip()
    ]
    fits = SEARCHED if kind is OperationKind.SEARCH else FILTERED
    if not all(field and field.type in fits for field in fields) or not fields:
        reading.refuse(
            f"{draft.entities[name].label_plural} can't be found by “{match['by'].strip()}”: no such field of theirs."
        )
        return
    for field in fields:
        if field and kind is not OperationKind.SORT:
            mark = "searchable" if kind is OperationKind.SEARCH else "filterable"
            draft.replace_field(name, field.model_copy(update={mark: True}))
        reading.refer(f"field:{name}.{field.name}" if field else "")
    if kind is OperationKind.SORT:
        label, text = f"Sort {draft.entities[name].label_plural.lower()}", "Put the list in the order of a field."
        identifier = f"{words.snake(name)}.sort"
        sort = Operation(
            id=identifier, kind=kind, name="sort", label=label, description=text, entity=name, sources=reading.sources
        )
        draft.add_operation(sort)
    reading.refer(f"operation:{words.snake(name)}.{kind}")
    reading.claim(match)


def read_export(draft: Draft, reading: Reading) -> None:
    """ "export the orders as CSV": of what, and in which formats."""
    match = reading.match(pattern("export"))
    if match is None:
        return
    name = named_entity(draft, match["what"] or "") or ("" if _telling(match["what"] or "") else draft.main)
    if not name:
        return
    kind = OperationKind.IMPORT if match["verb"].startswith("import") else OperationKind.EXPORT
    formats = tuple(f for f in ("csv", "json") if f in match[0]) or ("csv",)
    label = words.label(kind.value)
    operation = Operation.model_validate(
        {
            "id": f"{words.snake(name)}.{kind}",
            "kind": kind,
            "name": kind.value,
            "label": label,
            "description": f"{label} the {draft.entities[name].label_plural.lower()}.",
            "entity": name,
            "formats": formats,
            "sources": reading.sources,
        }
    )
    held = draft.operations.get(operation.id)
    draft.operations[operation.id] = held.model_copy(update={"formats": formats}) if held else operation
    draft.version += 1
    reading.claim(match)
    reading.refer(f"operation:{operation.id}")


def _telling(text: str) -> bool:
    return any(word not in grammar().stop for word in text.split())


def _field(entity: Entity, noun: str) -> SpecField | None:
    name = words.snake(re.sub(r"^(?:the|its|their|a|an) ", "", noun))
    same = {name, words.singular(name), words.plural(name)}
    found = next((field for field in entity.fields if field.name in same), None)
    if found is None and name in ("name", "title"):
        return next((field for field in entity.fields if field.name == entity.display_field), entity.fields[0])
    if found is None and name in ("date", "day"):
        return next((field for field in entity.fields if field.type in (FieldType.DATE, FieldType.DATETIME)), None)
    return found


def read_reports(draft: Draft, reading: Reading) -> None:
    """ "simple reports": by what? A question with the fields that rows can be grouped by."""
    match = reading.match(pattern("reports"))
    main = reading.context.entity or draft.main
    if match is None or not main or reading.match(r"\b(?:every|each|send|e-?mail)\b") or draft.find_entity(match[0]):
        return
    special = draft.domain.operations.values() if draft.domain else ()
    if any(
        words.singular(match[0].split()[-1]) in map(words.singular, op.words)
        for op in special
        if op.what["kind"] != "summary"
    ):
        return
    entity = draft.entities[main]
    options = _groups(entity)
    if not options:
        return
    asked = _field(entity, match["by"] or "") or next(
        (r for r in entity.relations if match["by"] and r.name == words.snake(match["by"])), None
    )
    if asked and asked.name in options:
        by = asked.name
    else:
        plain = tuple(option.replace("_", "-") for option in options)
        question = Question(
            id=f"report-{entity.plural}".replace("_", "-"),
            text=f"By what are the {entity.label_plural.lower()} summed up in the report?",
            why=f"“{reading.phrase.text.strip(' .,;')}” does not say what is to be seen.",
            options=plain,
            default=plain[0],
            weight=50,
            part=reading.part,
        )
        answer = draft.ask(question, f"The report shows the {entity.label_plural.lower()} by {plain[0]}.")
        by = answer.replace("-", "_")
        reading.status, reading.note = PartStatus.QUESTION, f"Shown by {answer}; see the question `{question.id}`."
    value = next((c.name for c in entity.computed if c.type is FieldType.MONEY), "")
    value = next((f.name for f in entity.fields if f.type in (FieldType.MONEY, FieldType.DURATION)), value)
    held = next((op for op in draft.operations.values() if (op.entity, op.kind) == (main, OperationKind.SUMMARY)), None)
    if held and held.field == by:
        reading.refer(f"operation:{held.id}")
    else:
        label = f"{entity.label_plural} by {words.label(by).lower()}"
        text = f"Number of {label[:1].lower()}{label[1:]}"
        text += f", and their {words.label(value).lower()}" if value else ""
        summary = Operation(
            id=f"{words.snake(main)}.by_{by}",
            kind=OperationKind.SUMMARY,
            name=f"by_{by}",
            label=label,
            description=f"{text}.",
            entity=main,
            field=by,
            value_field=value,
            sources=reading.sources,
        )
        reading.refer(draft.add_operation(summary))
    reading.claim(match)


def _groups(entity: Entity) -> tuple[str, ...]:
    """What rows can be grouped by: relations, choices, yes/no and short filterable texts."""
    names = [r.name for r in entity.relations if r.kind is RelationKind.BELONGS_TO]
    names += [f.name for f in entity.fields if f.type in (FieldType.ENUM, FieldType.BOOLEAN)]
    names += [f.name for f in entity.fields if f.type is FieldType.STRING and f.filterable]
    return tuple(names)
