"""SARIF 2.1.0 as tools write it → findings. https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from omni.verify.check import Context, Gap, Item, Output, Unseen
from omni.verify.report import Finding, Severity

Object: TypeAlias = Mapping[str, object]

LEVELS = {"error": Severity.ERROR, "warning": Severity.WARNING, "note": Severity.NOTE, "none": Severity.NOTE}


def parse_sarif(context: Context, output: Output) -> Iterator[Item]:
    """Results that are not suppressed in place, and what the tool could not analyse. Raises ValueError or TypeError."""
    log = _object(output.json())
    if "runs" not in log:
        raise ValueError("it is not SARIF: there is no `runs`")
    for run in _objects(log, "runs"):
        rules = {
            str(rule.get("id")): rule for rule in _objects(_object(_object(run.get("tool")).get("driver")), "rules")
        }
        for result in _objects(run, "results"):
            if not result.get("suppressions") and result.get("kind", "fail") == "fail":
                yield _finding(context, result, rules.get(str(result.get("ruleId")), {}))
        for invocation in _objects(run, "invocations"):
            yield from _failures(context, invocation)


def _finding(context: Context, result: Object, rule: Object) -> Finding:
    place = _object(_first(result, "locations").get("physicalLocation"))
    region = _object(place.get("region"))
    rule_id = str(result.get("ruleId") or "")
    default = _object(rule.get("defaultConfiguration")).get("level")
    level = LEVELS.get(str(result.get("level") or default or "warning"), Severity.WARNING)
    check = context.check
    stated = "severity" in check.model_fields_set or any(map(rule_id.startswith, check.severities))
    return context.finding(
        rule_id,
        _text(result.get("message")),
        str(_object(place.get("artifactLocation")).get("uri") or ""),
        _number(region.get("startLine")),
        column=_number(region.get("startColumn")),
        end_line=_number(region.get("endLine")),
        severity=check.severity_of(rule_id) if stated else level,
        why=check.why or _text(rule.get("fullDescription")) or _text(rule.get("shortDescription")),
        cwe=check.cwe or _cwe(rule),
    )


def _failures(context: Context, invocation: Object) -> Iterator[Item]:
    """Notifications of level error: a file that could not be analysed, or the whole run."""
    for notification in _objects(invocation, "toolExecutionNotifications"):
        if notification.get("level") == "error":
            place = _object(_first(notification, "locations").get("physicalLocation"))
            path = context.relative(str(_object(place.get("artifactLocation")).get("uri") or ""))
            why = _text(notification.get("message"))
            yield Unseen(path, why) if path else Gap(why)
    if invocation.get("executionSuccessful") is False:
        yield Gap("the tool says that it did not finish its work")


def _cwe(rule: Object) -> str:
    tags = _object(rule.get("properties")).get("tags")
    found = re.search(r"cwe[-/]0*(\d+)", " ".join(map(str, tags)) if isinstance(tags, list) else "", re.IGNORECASE)
    return f"CWE-{found[1]}" if found else ""


def _object(value: object) -> Object:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"it is not SARIF: an object was expected, not {type(value).__name__}")
    return value


def _objects(parent: Object, name: str) -> Sequence[Object]:
    value = parent.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise TypeError(f"it is not SARIF: `{name}` is no list")
    return [_object(each) for each in value]


def _first(parent: Object, name: str) -> Object:
    return next(iter(_objects(parent, name)), {})


def _text(message: object) -> str:
    return str(_object(message).get("text") or "").strip()


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
