"""JUnit XML for CI servers: one suite a tier, one case a check. https://github.com/testmoapp/junitxml"""

from __future__ import annotations

import re
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from omni.verify.report import CheckResult, Finding, Report, Status

NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 can't hold."""


def write(report: Report) -> str:
    root = Element("testsuites", name=f"omni verify {_clean(report.target)}", time=f"{report.seconds:.3f}")
    for tier, results in groupby(report.results, lambda result: result.tier):
        _suite(root, tier, list(results))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(root: Element, tier: int, results: list[CheckResult]) -> None:
    def count(*statuses: Status) -> str:
        return str(sum(result.status in statuses for result in results))

    suite = SubElement(
        root,
        "testsuite",
        name=f"tier {tier}",
        tests=str(len(results)),
        failures=count(Status.FAIL),
        errors=count(Status.ERROR, Status.INCOMPLETE),
        skipped=count(Status.SKIPPED),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        _case(suite, result)


def _case(suite: Element, result: CheckResult) -> None:
    case = SubElement(
        suite, "testcase", name=_clean(result.title), classname=result.check, time=f"{result.seconds:.3f}"
    )
    if result.status is Status.FAIL:
        failure = SubElement(case, "failure", message=f"{len(result.findings)} findings", type=result.check)
        failure.text = _clean("\n".join(map(_line, result.findings)))
    elif result.status in {Status.ERROR, Status.INCOMPLETE}:
        SubElement(case, "error", message=_clean(result.reason), type=result.status.value)
    elif result.status is Status.SKIPPED:
        SubElement(case, "skipped", message=_clean(result.reason))
    if result.findings and result.status is not Status.FAIL:
        SubElement(case, "system-out").text = _clean("\n".join(map(_line, result.findings)))


def _line(finding: Finding) -> str:
    where = ":".join(str(part) for part in (finding.path, finding.line, finding.column) if part)
    return f"{where}: {finding.severity}: {finding.rule}: {finding.message}"


def _clean(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)
