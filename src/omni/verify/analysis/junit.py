"""What a test run left: a JUnit report (https://github.com/testmoapp/junitxml) and coverage.py's JSON.

Both were written by code that may be hostile, so neither is believed further than its form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

LARGEST = 64 << 20
"""Bytes of a report that are read."""

DETAILS = 4000
"""Characters of a failure's trace that are kept."""

Outcome = Literal["passed", "failed", "skipped"]


class BadReportError(ValueError):
    """The report can't be read; the message says why."""


@dataclass(frozen=True)
class Case:
    name: str
    path: str
    line: int | None
    """From 1."""
    outcome: Outcome
    message: str
    seconds: float
    criteria: tuple[str, ...]
    """Acceptance criteria that the test is evidence for: its properties `criterion`."""
    classname: str = ""
    """The module and classes, dotted."""
    broke: Literal["", "failure", "error"] = ""
    """Of a failed one: in the test itself, or around it (collection, a fixture)."""
    details: str = ""
    """Of a failed one: the end of what its runner says, with the trace."""


def read_junit(data: bytes) -> list[Case]:
    """Raises BadReportError."""
    return [_case(element) for element in read_xml(data).iter("testcase")]


def read_xml(data: bytes) -> ElementTree.Element:
    """Raises BadReportError. A document type is refused, so that no entity is ever expanded (CWE-776, CWE-611)."""
    if len(data) > LARGEST:
        raise BadReportError(f"it is larger than {LARGEST >> 20} MiB")
    if re.search(rb"<!\s*(DOCTYPE|ENTITY)", data, re.IGNORECASE) or b"\0" in data:
        raise BadReportError("it has a document type or is not UTF-8, which no test runner writes")
    try:
        return ElementTree.fromstring(data)  # noqa: S314 - without a document type there is nothing to expand
    except (ElementTree.ParseError, LookupError, ValueError) as problem:  # the latter two: of an encoding it names
        raise BadReportError(f"it is not XML: {problem}") from problem


def _case(element: ElementTree.Element) -> Case:
    broken = [child for child in element if child.tag in {"failure", "error"}]
    outcome: Outcome = "failed" if broken else "skipped" if element.find("skipped") is not None else "passed"
    said = next(iter(broken), None)
    line = element.get("line", "")
    return Case(
        name=element.get("name", ""),
        path=element.get("file") or "",
        line=int(line) + 1 if line.isdecimal() else None,
        outcome=outcome,
        message=_message(said) if said is not None else "",
        seconds=_number(element.get("time")),
        criteria=tuple(_criteria(element)),
        classname=element.get("classname", ""),
        broke="" if said is None else "error" if said.tag == "error" else "failure",
        details=((said.text or "")[-DETAILS:]) if said is not None else "",
    )


def _message(element: ElementTree.Element) -> str:
    """The first line of what went wrong; pytest's own lines start with `E`."""
    text = element.get("message") or ""
    own = re.search(r"^E\s+(.+)$", element.text or "", re.MULTILINE)
    return (text.splitlines() or [own[1] if own else "failed"])[0][:300]


def _criteria(element: ElementTree.Element) -> Iterator[str]:
    for each in element.iter("property"):
        if each.get("name") == "criterion" and re.fullmatch(r"[A-Za-z]+[\w.-]*", each.get("value", "")):
            yield each.get("value", "")


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


@dataclass(frozen=True)
class Covered:
    """Percent, 0 to 100."""

    lines: float
    branches: float


def read_coverage(data: bytes) -> Covered:
    """Totals of `coverage json`. Raises BadReportError."""
    try:
        totals = json.loads(data)["totals"]
        statements, branches = int(totals["num_statements"]), int(totals.get("num_branches", 0))
        lines = 100.0 * int(totals["covered_lines"]) / statements if statements else 100.0
        taken = 100.0 * int(totals.get("covered_branches", 0)) / branches if branches else lines
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise BadReportError(f"it is not coverage.py's JSON: {problem!r}") from problem
    return Covered(lines, taken)
