"""Plain words for what the types call by short names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain

from omni.spec.model import FieldType, Relation, RelationKind, SpecField
from omni.verify.report import CheckResult, Severity

HEADLINE = {
    "pass": ("Delivered and proved", "Every acceptance criterion was shown by a test, and no check found an error."),
    "fail": ("Not ready", "Something that was asked for is missing, or a check found something that must be mended."),
    "incomplete": ("Not fully checked", "Nothing is known to be wrong, but not everything could be looked at."),
}
OUTCOME = {
    "delivered": "Delivered",
    "assumed": "Delivered on an assumption",
    "not-delivered": "Not delivered",
    "waived": "Given up by name",
    "narrative": "Nothing to build",
}
STATUS = {
    "pass": "passed",
    "fail": "failed",
    "incomplete": "incomplete",
    "error": "could not run",
    "skipped": "not applicable",
}
TIER = {1: "Instant", 2: "Fast", 3: "Deep", 4: "Exhaustive"}
ISOLATION = {
    "full": "All generated code ran fully isolated: without network, without rights, without sight of anything else.",
    "reduced": "Generated code ran with reduced isolation; only code from Omni's own templates was run that way.",
    "none": "No generated code was run.",
}
OWNERSHIP = {
    "owner": "Private: people see and change only their own.",
    "author": "Everybody may read; only the author (or an admin) may change.",
    "shared": "Shared by everybody who is allowed in.",
    "parent": "Belongs to, and follows the rules of, what it is part of.",
}
_KIND = {
    FieldType.STRING: "short text",
    FieldType.TEXT: "long text",
    FieldType.INTEGER: "whole number",
    FieldType.DECIMAL: "number",
    FieldType.BOOLEAN: "yes or no",
    FieldType.DATETIME: "date and time",
    FieldType.DURATION: "duration in minutes",
    FieldType.EMAIL: "e-mail address",
    FieldType.URL: "web address",
    FieldType.PHONE: "phone number",
    FieldType.SLUG: "short name in a web address",
    FieldType.ENUM: "choice",
}


def words(name: str) -> str:
    """`due_date` → `due date`."""
    return name.replace("_", " ").replace("-", " ")


def field_kind(field: SpecField) -> str:
    """What goes into a field."""
    kind = _KIND.get(field.type, field.type.value)
    if field.choices:
        kind += f": {', '.join(words(choice) for choice in field.choices)}"
    return f"{kind} ({field.unit})" if field.unit else kind


def field_limits(field: SpecField) -> str:
    """What a field demands, and what it is good for; empty when nothing."""
    return ", ".join(chain(_demands(field), _uses(field)))


def _demands(field: SpecField) -> Iterator[str]:
    yield "required" if field.required and field.type is not FieldType.BOOLEAN else "optional"
    if field.unique:
        yield "no two alike"
    if field.min is not None:
        yield f"at least {field.min:g}"
    if field.max is not None:
        yield f"at most {field.max:g}"
    if field.max_length is not None:
        yield f"up to {field.max_length:,} characters"


def _uses(field: SpecField) -> Iterator[str]:
    if field.searchable:
        yield "searchable"
    if field.filterable:
        yield "filter"
    if field.personal:
        yield "personal data"


def relation(link: Relation) -> str:
    """How one thing hangs together with another."""
    many = link.kind is RelationKind.MANY_TO_MANY
    return f"{link.label}: {'any number of' if many else 'one' if link.required else 'one or none, of'} {link.target}"


def start_small(text: str) -> str:
    """For the middle of a sentence: `A visitor` → `a visitor`; an abbreviation stays."""
    return text[:1].lower() + text[1:] if not text[1:2].isupper() else text


def findings(result: CheckResult) -> str:
    """How many findings of each weight: `1 error, 3 notes`."""
    counts = Counter(finding.severity.value for finding in result.findings)
    said = (f"{counts[name]} {name}{'s' if counts[name] > 1 else ''}" for name in Severity if counts[name])
    return ", ".join(said) or "none"


def duration(seconds: float) -> str:
    """Seconds as a person would say them: `0.4 s`, `12 s`, `3 min 5 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
