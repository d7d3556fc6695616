"""Whether consent, or another legal basis, is checked before data about people is stored for the first time.

Seen are: a condition or an assertion about it that stands before the write, a function that is called to demand it, a
dependency or decorator that does, and a request model that only accepts `True` for it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.express import Change
from omni.verify.analysis.handlers import WRITING, Endpoint
from omni.verify.analysis.program import Class, Routine
from omni.verify.analysis.python import dotted
from omni.verify.compliance.facts import Facts, Place
from omni.verify.parsing import walk

BASIS = re.compile(
    r"consent|lawful_?basis|legal_?basis|terms_?accepted|accepted?_?terms|accepts?_?privacy|privacy_?accepted|opt(ed)?_?in\b",
    re.IGNORECASE,
)
ONLY_TRUE = re.compile(
    r"(consent|terms|privacy)\w*\s*:\s*(Annotated\[)?Literal\[True\]|validator\([^)]{0,300}(consent|terms|privacy)|"
    r"(consent|terms|privacy)\w*\s*=\s*(forms\.)?BooleanField\((?!.*required=False)|"
    r"(consent|terms|privacy)\w*\s*:\s*z\.literal\(true\)",
    re.IGNORECASE,
)


def without_consent(facts: Facts) -> Iterator[Place]:
    """GDPR-002"""
    personal = facts.models_with("personal")
    told: set[tuple[str, int]] = set()
    for endpoint in facts.endpoints:
        if endpoint.method not in WRITING - {"DELETE"}:
            continue
        for change in facts.changes(endpoint):
            place = (change.path, change.line)
            if change.kind == "create" and change.model.name in personal and place not in told:
                told.add(place)
                if not _asked_before(facts, endpoint, change):
                    message = f"{endpoint.shown} stores {change.model.name} without a check of consent before"
                    yield Place(change.path, change.line, message)


def _asked_before(facts: Facts, endpoint: Endpoint, change: Change) -> bool:
    if endpoint.text:
        return bool(
            re.search(
                rf"if\s*\([^)]*({BASIS.pattern})|\w*({BASIS.pattern})\w*\(|{ONLY_TRUE.pattern}",
                endpoint.text,
                re.IGNORECASE,
            )
        )
    if any(BASIS.search(ast.unparse(guard.node)) and not _is_annotation(guard.node) for guard in endpoint.guards):
        return True
    if any(ONLY_TRUE.search(ast.unparse(kind.node)) for kind in _taken(facts, endpoint)):
        return True
    checks = [(routine, line) for routine in facts.code(endpoint) for line in _checks(routine)]
    return any(
        routine.path != change.path or not _holds(routine, change) or line < change.line for routine, line in checks
    )


def _is_annotation(node: ast.AST) -> bool:
    return isinstance(node, ast.Name)


def _holds(routine: Routine, change: Change) -> bool:
    """Whether the write stands in the same function as the check."""
    end = routine.node.end_lineno or routine.node.lineno
    return routine.node.lineno <= change.line <= end


def _checks(routine: Routine) -> Iterator[int]:
    """Lines with a condition about consent, or a call that is named after it."""
    for node in walk(routine.node):
        if isinstance(node, ast.If | ast.Assert | ast.IfExp | ast.While):
            if BASIS.search(ast.unparse(node.test)):
                yield node.lineno
        elif isinstance(node, ast.Call) and BASIS.search(dotted(node.func)) and not dotted(node.func)[:1].isupper():
            yield node.lineno


def _taken(facts: Facts, endpoint: Endpoint) -> Iterator[Class]:
    """Classes of what the handler is given, and forms that it makes."""
    if endpoint.handler is None:
        return
    for node in walk(endpoint.handler.node):
        if isinstance(node, ast.Name | ast.Attribute):
            found = facts.program.classes.get(facts.program.resolve(endpoint.handler.module, dotted(node)))
            if found is not None:
                yield found
                yield from (
                    facts.program.classes[base] for base in facts.program.bases(found) if base in facts.program.classes
                )
