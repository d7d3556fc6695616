"""Pictures of the app for the report: somebody signs up, adds a few rows, and looks around."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from omni.delivery.deployment import Plan, healthy, running
from omni.delivery.screenshots import Session, Visit, shoot
from omni.pipeline.deployment import Picture, Pictures
from omni.pipeline.stage import Work
from omni.spec.model import Entity, FieldType, Page, PageKind, RelationKind, SpecField, Specification

ROWS = 3
WORDS = ("Morning", "Harbour", "Lantern")
PASSWORD = "correct horse battery staple"  # noqa: S105 - of a person who lives for a minute, in a sandbox
LOOKED_AT = (PageKind.LIST, PageKind.BOARD, PageKind.CALENDAR, PageKind.DASHBOARD)
MOST = 4
"""Pages that are shown wide; the first of them also on a phone and in the dark."""


def take(work: Work, plan: Plan) -> tuple[Pictures, tuple[str, ...]]:
    """Start the app once more and photograph it. Returns the pictures, and what went wrong on the way."""
    spec = work.spec()
    if not spec.pages or plan.port is None:
        return Pictures(), ()
    with running(work.workspace.path, plan, work.driver()) as service, TemporaryDirectory() as folder:
        if not healthy(service, plan).ok:
            return Pictures(), ("the app did not start again for its pictures",)
        session = shoot(service.url, tuple(visits(spec)), Path(folder))
        return _stored(work, session), session.problems


def visits(spec: Specification) -> list[Visit]:
    """What a first user of this app does."""
    found = [_sign_up(page) for page in spec.pages if page.kind is PageKind.SIGN_UP][:1]
    forms = {page.entity: page.path for page in spec.pages if page.kind is PageKind.FORM and "{" not in page.path}
    for entity in _in_order(spec):
        if entity.name in forms:
            found += [Visit(path=forms[entity.name], values=_values(entity, row)) for row in range(ROWS)]
    looked_at = [page for page in spec.pages if page.kind in LOOKED_AT and "{" not in page.path]
    looked_at.sort(key=lambda page: LOOKED_AT.index(page.kind) if page.kind is not PageKind.LIST else -1)
    shown = sorted(looked_at[:MOST], key=lambda page: LOOKED_AT.index(page.kind))
    found += [Visit(path=page.path, title=page.title) for page in shown]
    if shown:
        first = shown[0]
        found.append(Visit(path=first.path, title=f"{first.title}, on a phone", narrow=True))
        found.append(Visit(path=first.path, title=f"{first.title}, in the dark", dark=True))
    return found


def _stored(work: Work, session: Session) -> Pictures:
    return Pictures(
        pictures=tuple(
            Picture(
                title=shot.title,
                alt=f"The page {shot.path} with example rows",
                digest=work.store.put_file(shot.file),
                narrow=shot.narrow,
            )
            for shot in session.shots
        )
    )


def _sign_up(page: Page) -> Visit:
    return Visit(
        path=page.path,
        values={
            "email": "ada@example.org",
            "name": "Ada Lovelace",
            "password": PASSWORD,
            "password_again": PASSWORD,
        },
    )


def _in_order(spec: Specification) -> list[Entity]:
    """Entities so that what one needs comes before it."""
    order: list[Entity] = []
    waiting = list(spec.entities)
    while waiting:
        names = {entity.name for entity in waiting}
        ready = [entity for entity in waiting if not (_needs(entity) & names - {entity.name})] or waiting[:1]
        order += ready
        waiting = [entity for entity in waiting if entity not in ready]
    return order


def _needs(entity: Entity) -> set[str]:
    belongs = RelationKind.BELONGS_TO
    return {relation.target for relation in entity.relations if relation.kind is belongs and relation.required}


def _values(entity: Entity, row: int) -> dict[str, str | bool]:
    return {field.name: _value(field, entity, row) for field in entity.fields if field.type is not FieldType.FILE}


def _value(field: SpecField, entity: Entity, row: int) -> str | bool:
    """Something a person might type into the field."""
    day = date(2027, 3, 1) + timedelta(days=7 * row + _later(field, entity))
    low = int(field.min or 0)
    texts = {
        FieldType.STRING: f"{WORDS[row]} {(entity if field.name == entity.display_field else field).label.lower()}",
        FieldType.TEXT: f"A few words about the {WORDS[row].lower()}.",
        FieldType.INTEGER: str(max(low, min(3 + row, int(field.max or 99)))),
        FieldType.DECIMAL: str(max(low, 3 + row)),
        FieldType.MONEY: f"{max(low, 12 + 7 * row)}.50",
        FieldType.DATE: day.isoformat(),
        FieldType.DATETIME: f"{day.isoformat()}T10:00",
        FieldType.TIME: f"{9 + row + _later(field, entity):02}:00",
        FieldType.DURATION: str(30 * (row + 1)),
        FieldType.EMAIL: f"{WORDS[row].lower()}@example.org",
        FieldType.URL: f"https://example.org/{WORDS[row].lower()}",
        FieldType.PHONE: f"+44 20 7946 0{100 + row}",
        FieldType.SLUG: WORDS[row].lower(),
        FieldType.COLOR: ("#2f6f4f", "#8a4b08", "#334e9d")[row],
        FieldType.ENUM: field.choices[row % len(field.choices)] if field.choices else "",
    }
    if field.type is FieldType.BOOLEAN:
        return row == ROWS - 1
    text = texts[field.type]
    return text[: field.max_length] if field.max_length else text


def _later(field: SpecField, entity: Entity) -> int:
    """One more for the end of an interval than for its beginning."""
    return sum(field.name in rule.fields[1:] for rule in entity.rules if len(rule.fields) > 1)
