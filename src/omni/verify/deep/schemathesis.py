"""What schemathesis found, out of its JUnit report (https://schemathesis.readthedocs.io, 4.x)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from omni.verify.analysis.junit import BadReportError, read_xml

__all__ = ["BadReportError", "Failure", "Report", "read_report"]

CASE = re.compile(r"^\d+\. Test Case ID: .*$", re.MULTILINE)
SAID = re.compile(r"^- (ST\d+) (.+)$", re.MULTILINE)
ANSWER = re.compile(r"^\[(\d{3})\]", re.MULTILINE)
REQUEST = re.compile(r"^\s*(curl -X ([A-Z]+) .+)$", re.MULTILINE)
OPERATION = re.compile(r"[A-Z]+ /\S*")


@dataclass(frozen=True)
class Failure:
    operation: str
    """`GET /orders/{id}`, or what schemathesis calls it."""
    code: str
    """`ST101`: what schemathesis says was broken."""
    message: str
    request: str
    """A curl command that shows it."""


@dataclass(frozen=True)
class Report:
    operations: int
    failures: tuple[Failure, ...]
    """One for each operation and code."""
    errors: tuple[tuple[str, str], ...]
    """(operation, why it could not be tested)"""
    foreign: int
    """Failures of methods that the document does not name, such as TRACE; what a server says to them is its own."""


def read_report(data: bytes) -> Report:
    """Raises BadReportError."""
    cases = [each for each in read_xml(data).iter("testcase") if each.find("skipped") is None]
    parts = [(case.get("name", ""), part) for case in cases for part in _parts(case)]
    own = [(name, part) for name, part in parts if not _is_foreign(name, part)]
    failures = {(each.operation, each.code): each for name, part in own for each in _broken(part, name)}
    errors = [(case.get("name", ""), _short(each.text or "")) for case in cases for each in case.iter("error")]
    return Report(len(cases), tuple(failures.values()), tuple(errors), len(parts) - len(own))


def _parts(case: ElementTree.Element) -> Iterator[str]:
    """What each request that failed led to."""
    for element in case.iter("failure"):
        yield from CASE.split(element.text or "")[1:]


def _is_foreign(name: str, part: str) -> bool:
    request = REQUEST.search(part)
    return bool(request and OPERATION.fullmatch(name) and request[2] != name.partition(" ")[0])


def _broken(part: str, operation: str) -> Iterator[Failure]:
    asked = REQUEST.search(part)
    request = asked[1] if asked else ""
    answer = ANSWER.search(part)
    body = part[: answer.start()] if answer else part
    said = list(SAID.finditer(body))
    status = f" (it answered {answer[1]})" if answer else ""
    for each, following in zip(said, [*said[1:], None], strict=True):
        if each[1] == "ST103" and len(said) > 1:
            continue  # a server error is no documented answer either; it is one thing to mend
        details = _short(body[each.end() : following.start() if following else None])
        yield Failure(operation, each[1], f"{each[2]}{': ' + details if details else ''}{status}", request[:500])


def _short(text: str) -> str:
    return " ".join(text.split())[:200]
