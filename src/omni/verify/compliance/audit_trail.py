"""Whether changes, and reads of health data, leave an entry that says who did what.

An entry is a call whose name says so (`audit(…)`, `audit_log.record(…)`, `AuditEntry(…)`), in the handler, in what it
calls, in what runs before it, or in one place for all: a listener of the session, a trigger, django-auditlog,
django-simple-history, SQLAlchemy-Continuum. A function of the program that is called so and does nothing is none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.express import enclosed
from omni.verify.analysis.handlers import WRITING, Endpoint
from omni.verify.analysis.python import body_without_docstring
from omni.verify.compliance.facts import Facts, Place

ENTRY = re.compile(
    r"\b[\w.]*(audit|activity_?log|log_?activity|record_?activity|access_?log|processing_?log)\w*(\.\w+)*\s*\(",
    re.IGNORECASE,
)
FOR_ALL = re.compile(
    r"auditlog\.register\(|HistoricalRecords\(|__versioned__|make_versioned\(|reversion\.register\(|"
    r"create\s+(or\s+replace\s+)?(constraint\s+)?trigger[^;]{0,2000}audit|AuditMiddleware",
    re.IGNORECASE,
)
WHO = re.compile(r"user|actor|principal|\bwho\b|subject|\bsub\b|current_|staff|clinician|doctor", re.IGNORECASE)


def unrecorded_personal_changes(facts: Facts) -> Iterator[Place]:
    """GDPR-005"""
    yield from _unrecorded(facts, set(facts.models_with("personal")))


def unrecorded_changes(facts: Facts) -> Iterator[Place]:
    """SOC2-002"""
    yield from _unrecorded(facts, None)


def unrecorded_health_reads(facts: Facts) -> Iterator[Place]:
    """HIPAA-003"""
    health = facts.models_with("health")
    told: set[tuple[str, int]] = set()
    for endpoint in facts.endpoints:
        read = next(
            (each for each in facts.changes(endpoint) if each.kind == "read" and each.model.name in health), None
        )
        if read is None or (endpoint.file, endpoint.line) in told:
            continue
        told.add((endpoint.file, endpoint.line))
        entries = [*_entries(facts, endpoint)]
        if not entries and not _listens(facts):
            yield Place(
                endpoint.file, endpoint.line, f"{endpoint.shown} reads {read.model.name} without an audit entry"
            )
        elif entries and not any(WHO.search(each) for each in entries):
            yield Place(endpoint.file, endpoint.line, f"the audit entry of {endpoint.shown} does not say who read")


def _unrecorded(facts: Facts, names: set[str] | None) -> Iterator[Place]:
    """Writes of the named models (None: of all) that leave no entry, where they stand."""
    if FOR_ALL.search(facts.everything) or _listens(facts):
        return
    told: set[tuple[str, int]] = set()
    for endpoint in facts.endpoints:
        changes = [
            each for each in facts.changes(endpoint)
            if each.kind != "read"
            and (names is None or each.model.name in names)
            and not ENTRY.search(f"{each.model.name}(")
        ]  # fmt: skip
        if endpoint.method not in WRITING or not changes or any(_entries(facts, endpoint)):
            continue
        first = changes[0]
        if (first.path, first.line) not in told:
            told.add((first.path, first.line))
            message = f"{endpoint.shown} does a {first.kind} of {first.model.name} that leaves no audit entry"
            yield Place(first.path, first.line, message)


def _entries(facts: Facts, endpoint: Endpoint) -> Iterator[str]:
    """The arguments of each entry that the endpoint writes."""
    code = facts.code(endpoint)
    named = [each for each in code if ENTRY.search(f"{each.node.name}(")]
    if (
        named
        and all(_idle(each.node.body) for each in named if each.owner is None)
        and all(each.owner is None for each in named)
    ):
        return
    text = "\n".join([endpoint.text, *(each.body for each in code)])
    for found in ENTRY.finditer(text):
        if not re.search(r"(def|function|class)\s+$", text[max(0, found.start() - 12) : found.start()]):
            yield enclosed(text, found.end())
    for each in facts.before(endpoint):
        if ENTRY.search(f"{each.node.name}(") and not _idle(each.node.body):
            yield each.body


def _idle(body: list[ast.stmt]) -> bool:
    """`pass`, `...`, `return`"""
    return all(
        isinstance(each, ast.Pass)
        or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
        or (isinstance(each, ast.Return) and each.value is None)
        for each in body
    )


def _listens(facts: Facts) -> bool:
    """A listener of the database session that writes entries."""
    return any(
        ENTRY.search(routine.body) or "audit" in routine.node.name.lower()
        for routine in facts.program.routines.values()
        if body_without_docstring(routine.node)
        and re.search(
            r"listens_for\([^)]{0,300}(flush|insert|update|commit)|receiver\(\s*\[?(post|pre)_(save|delete)",
            routine.text,
        )
    )
