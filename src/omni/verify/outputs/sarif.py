"""SARIF 2.1.0 for code hosts and editors: one run a check.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import quote

from omni.verify.registry import checks
from omni.verify.report import CheckResult, Coverage, Finding, Report, Status

Object: TypeAlias = dict[str, object]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def write(report: Report) -> str:
    log: Object = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(result) for result in report.results]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _run(result: CheckResult) -> Object:
    findings = (*result.findings, *result.suppressed)
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    rules = [_rule(name, result.check, of_it) for name, of_it in by_rule.items()]
    order = {rule: number for number, rule in enumerate(by_rule)}
    driver: Object = {"name": result.tool or "omni", "rules": rules}
    if result.tool_version:
        driver["version"] = result.tool_version
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"omni/{result.check}/", "description": {"text": result.title}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(result)],
        "results": [_result(finding, order[finding.rule], rules[order[finding.rule]]) for finding in findings],
        "properties": {
            "tier": result.tier,
            "status": result.status,
            "seconds": round(result.seconds, 3),
            "filesSeen": result.coverage.seen,
            "metrics": result.metrics,
        },
    }


def _rule(name: str, check: str, findings: Sequence[Finding]) -> Object:
    """What holds for the rule, whichever of its findings there are, and in which order."""
    declared = next((each for each in checks() if each.id == check), None)
    rule: Object = {"id": name}
    if why := _own({finding.why for finding in findings}, declared.why if declared else ""):
        rule["fullDescription"] = {"text": why}
    if fix := _own({finding.fix for finding in findings}, declared.advice if declared else ""):
        rule["help"] = {"text": fix}
    if cwe := _own({finding.cwe for finding in findings}, declared.cwe if declared else ""):
        rule["properties"] = {"tags": [f"external/cwe/{cwe.lower()}", "security"]}
    return rule


def _own(said: set[str], declared: str) -> str:
    """What its findings say, where it is the same of all; where they differ, what their check says of all."""
    texts = said - {""}
    return texts.pop() if len(texts) == 1 else declared


def _result(finding: Finding, rule_index: int, rule: Object) -> Object:
    result: Object = {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": finding.severity,
        "message": {"text": finding.message},
        "partialFingerprints": {"omni/v1": finding.fingerprint},
    }
    own: Object = {"breaks": list(finding.breaks)} if finding.breaks else {}
    if finding.fix and rule.get("help") != {"text": finding.fix}:
        own["fix"] = finding.fix
    if own:
        result["properties"] = own
    if finding.path:
        result["locations"] = [{"physicalLocation": _place(finding)}]
    if finding.suppressed:
        kind = "inSource" if finding.suppressed.startswith("allowed in place") else "external"
        result["suppressions"] = [{"kind": kind, "justification": finding.suppressed}]
    return result


def _place(finding: Finding) -> Object:
    place: Object = {"artifactLocation": _artifact(finding.path)}
    if finding.line:
        region: Object = {"startLine": finding.line, "snippet": {"text": finding.snippet}}
        if finding.column:
            region["startColumn"] = finding.column
        if finding.end_line and finding.end_line >= finding.line:
            region["endLine"] = finding.end_line
        place["region"] = region
    return place


def _artifact(path: str) -> Object:
    return {"uri": quote(path), "uriBaseId": "%SRCROOT%"}


def _invocation(result: CheckResult) -> Object:
    """Whether it saw all it should; if not, one notification for the whole and one for each file."""
    done = result.status in {Status.PASS, Status.FAIL, Status.SKIPPED} and not result.coverage.failed
    invocation: Object = {"executionSuccessful": done}
    if result.argv:
        invocation["commandLine"] = " ".join(result.argv)
    notifications = _notifications(result.coverage)
    if result.reason:
        level = "error" if result.status in {Status.ERROR, Status.INCOMPLETE} else "note"
        notifications.insert(0, {"level": level, "message": {"text": result.reason}})
    if notifications:
        invocation["toolExecutionNotifications"] = notifications
    return invocation


def _notifications(coverage: Coverage) -> list[Object]:
    return [
        {
            "level": level,
            "message": {"text": why},
            "locations": [{"physicalLocation": {"artifactLocation": _artifact(path)}}],
        }
        for level, files in (("error", coverage.failed), ("note", coverage.skipped))
        for path, why in sorted(_limited(files).items())
    ]


def _limited(files: Mapping[str, str]) -> Mapping[str, str]:
    """Code hosts refuse logs of many megabytes; the counts are complete elsewhere."""
    return dict(sorted(files.items())[:1000])
