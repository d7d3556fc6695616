"""One JSON object a line: each finding, each check, and last the result."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from omni.verify.report import Report


def write(report: Report) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _rows(report))


def _rows(report: Report) -> Iterator[Mapping[str, object]]:
    for result in report.results:
        for finding in (*result.findings, *result.suppressed):
            yield {"type": "finding", **finding.model_dump(mode="json")}
        yield {"type": "check", **result.model_dump(mode="json", exclude={"findings", "suppressed"})}
    summary = report.model_dump(mode="json", exclude={"results"})
    yield {"type": "result", "verdict": report.verdict, "findings": len(report.findings), **summary}
