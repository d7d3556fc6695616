"""One self-contained page: findings that can be filtered without a script, checks, and what was not looked at."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, StrictUndefined

from omni.verify.outputs.summary import MARKS, VERDICTS, counts, how_it_ran, not_looked_at, number
from omni.verify.report import Report, Severity

PAGE = Path(__file__).with_name("page.html.jinja")


def write(report: Report) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(PAGE.read_text("utf-8"))
    gravest = {severity: rank for rank, severity in enumerate(Severity)}
    findings = sorted(
        report.findings, key=lambda each: (gravest[each.severity], each.path, each.line or 0, each.check, each.rule)
    )
    return template.render(
        report=report,
        findings=findings,
        suppressed=[finding for result in report.results for finding in result.suppressed],
        severities=("error", "warning", "note"),
        marks=MARKS,
        verdict=VERDICTS[report.verdict],
        counts=counts(report),
        how=how_it_ran(report),
        missing=not_looked_at(report.files),
        number=number,
    )
