"""Phrases about time: what happens by itself, and when."""

from __future__ import annotations

import re

from omni.spec import words
from omni.spec.actions import named_entity
from omni.spec.draft import Draft
from omni.spec.grammar import is_thing
from omni.spec.model import Entity, FieldType, Job, Trigger
from omni.spec.patterns import pattern
from omni.spec.reading import Reading

SCHEDULES = (
    (r"\bevery (\d+) minutes?\b", "*/{} * * * *"),
    (r"\bevery (\d+) hours?\b", "0 */{} * * *"),
    (r"\b(?:every|each) minute\b", "* * * * *"),
    (r"\b(?:every|each|once an) hour\b|\bhourly\b", "0 * * * *"),
    (r"\b(?:every|each) (?:day )?at (\d{1,2})(?::00)?\b", "0 {} * * *"),
    (r"\b(?:every|each) night\b|\bnightly\b|\bat (?:midnight|night)\b", "0 2 * * *"),
    (r"\b(?:every|each) (?:morning|day)\b|\bdaily\b|\bonce a day\b", "0 7 * * *"),
    (r"\b(?:every|each) evening\b", "0 18 * * *"),
    (r"\b(?:every|each) (?:week|monday)(?: morning)?\b|\bweekly\b|\bonce a week\b", "0 7 * * 1"),
    (r"\b(?:every|each) (?:tuesday)\b", "0 7 * * 2"),
    (r"\b(?:every|each) (?:wednesday)\b", "0 7 * * 3"),
    (r"\b(?:every|each) (?:thursday)\b", "0 7 * * 4"),
    (r"\b(?:every|each) (?:friday)\b", "0 7 * * 5"),
    (r"\b(?:every|each) (?:saturday)\b", "0 7 * * 6"),
    (r"\b(?:every|each) (?:sunday)\b", "0 7 * * 0"),
    (r"\b(?:every|each) month\b|\bmonthly\b|\bonce a month\b", "0 7 1 * *"),
)
DAYS = {"hour": 1, "day": 1, "week": 7, "month": 30, "year": 365}


PRONOUNS = ("them", "it", "those", "these", "ones", "that")


def read_job(draft: Draft, reading: Reading) -> None:
    """A job, if the phrase says what is to happen by itself."""
    schedule, when = _schedule(reading)
    span, before = reading.match(pattern("span")), reading.match(pattern("before"))
    entity = _acted_on(draft, reading) if when or span else _subject(draft, reading)
    usual = next((job for job in draft.jobs.values() if job.trigger is Trigger.SCHEDULE and not job.sources), None)
    if when and usual and not any(reading.match(pattern(name)) for name in ("purge", "remind", "mark", "report")):
        draft.jobs[usual.name] = usual.model_copy(update={"schedule": schedule, "sources": reading.sources})
        reading.claim(when)
        reading.refer(f"job:{usual.name}")
        return
    if entity is None:
        return
    if (found := reading.match(pattern("purge"))) and (span or when):
        state = _stated(reading, entity)
        _add(draft, reading, "purge", entity, schedule, _days(span) if span else 30, *state)
        if not span:
            draft.assume(
                f"{entity.label_plural} are deleted by the job when they are older than 30 days.", part=reading.part
            )
        reading.claim_words(frozenset({"expired", "stale", "outdated"}))
    elif (found := reading.match(pattern("remind"))) and (date := _date(entity)):
        _add(draft, reading, "remind", entity, schedule, -_days(before), date)
        draft.add_role("user", reading.sources) if draft.accounts is not False else None
    elif (found := reading.match(pattern("report"))) and when and not reading.match(r"\b(?:e-?mail|mail|sms)"):
        _add(draft, reading, "report", entity, schedule, None)
        many = entity.label_plural.lower()
        draft.assume(f"The report counts the {many}; the job keeps it, and sends it to nobody.", part=reading.part)
    elif (found := reading.match(pattern("mark"))) and (when or span) and _choice(entity, found[1]):
        name, value = _choice(entity, found[1])
        _add(draft, reading, "mark", entity, schedule, _days(span) if span else 0, name, value)
    else:
        return
    for match in (found, when, span, before, reading.match(pattern("automatic"))):
        if match:
            reading.claim(match)
    reading.claim_words(
        frozenset({"old", "automatically", "email", "e-mail", entity.label.lower(), entity.plural, "all"})
    )


def _schedule(reading: Reading) -> tuple[str, re.Match[str] | None]:
    for words_, cron in SCHEDULES:
        if match := reading.match(words_):
            return cron.format(*(match.groups() or ("",))), match
    return "0 7 * * *", None


def _subject(draft: Draft, reading: Reading) -> Entity | None:
    for token in reading.phrase.tokens:
        if name := draft.find_entity(token.noun):
            return draft.entities[name]
    return draft.entities.get(reading.context.entity or draft.main)


def _acted_on(draft: Draft, reading: Reading) -> Entity | None:
    """What is deleted or reported: never something else than the phrase names; without any other thing, a new one."""
    found = reading.match(pattern("purged")) or reading.match(pattern("reported"))
    if found is None or found["what"] in PRONOUNS or named_entity(draft, found["what"]):
        return _subject(draft, reading)
    if draft.main or not is_thing(found["what"]):
        return None
    reading.claim(found)
    return draft.entities[draft.new_entity(words.singular_phrase(found["what"]), reading.sources)]


def _days(match: re.Match[str] | None) -> int:
    if match is None or match[2] is None:
        return 1
    return (int(match[1]) if match[1].isdigit() else 1) * DAYS[match[2]]


def _date(entity: Entity) -> str:
    names = [f.name for f in entity.fields if f.type in (FieldType.DATE, FieldType.DATETIME)]
    return next((n for n in names if re.search(r"due|start|deadline|expir|renew|next", n)), names[0] if names else "")


def _choice(entity: Entity, text: str) -> tuple[str, str]:
    for field in entity.fields:
        if words.snake(text) in field.choices:
            return field.name, words.snake(text)
        if field.type is FieldType.BOOLEAN and words.snake(text) == field.name:
            return field.name, "true"
    return ("", "")


def _stated(reading: Reading, entity: Entity) -> tuple[str, str]:
    """The value that rows must have to be deleted ("done todos", "cancelled bookings")."""
    for token in reading.phrase.tokens:
        name, value = _choice(entity, token.text)
        if name:
            reading.claim_words(frozenset({token.text}))
            reading.refer(f"field:{entity.name}.{name}")
            return name, value
    return "", ""


def _add(
    draft: Draft,
    reading: Reading,
    effect: str,
    entity: Entity,
    schedule: str,
    days: int | None,
    field: str = "",
    value: str = "",
) -> None:
    many, called = entity.label_plural.lower(), words.label(field).lower()
    name = words.snake(f"{effect}_{entity.plural}")
    which = f" and whose {called} is {value}" if field else ""
    text = {
        "purge": f"Delete {many} that are more than {days} days old{which}.",
        "remind": f"Remind of {many} {abs(days or 0)} days before their {called}.",
        "report": f"Report the number of {many}.",
        "mark": f"Set {called} of {many} to {value} after {days} days.",
    }[effect]
    draft.jobs[name] = Job.model_validate(
        {
            "name": name,
            "label": words.label(name),
            "trigger": Trigger.SCHEDULE,
            "schedule": schedule,
            "description": text,
            "effect": effect,
            "entity": entity.name,
            "field": field,
            "value": value,
            "after_days": days,
            "sources": reading.sources,
        }
    )
    reading.refer(f"job:{name}", f"entity:{entity.name}")
