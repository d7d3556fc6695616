"""The report as one JSON object: its own fields, with the verdict."""

from __future__ import annotations

import json

from omni.verify.report import Report


def write(report: Report) -> str:
    return (
        json.dumps({"verdict": report.verdict, **report.model_dump(mode="json")}, indent=2, ensure_ascii=False) + "\n"
    )
