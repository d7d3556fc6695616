"""What the test runners of JavaScript leave: the JSON of Jest, Vitest and Mocha, Node's JUnit, and LCOV.

Formats: https://jestjs.io/docs/configuration#testresultsprocessor-string (Vitest writes the same),
https://mochajs.org/#json, https://nodejs.org/api/test.html#test-reporters, geninfo(1) for LCOV. All were written
by code that may be hostile, so none is believed further than its form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from omni.kernel.canonical import JsonValue
from omni.verify.analysis.junit import LARGEST, BadReportError, Case, Outcome, read_junit

PLACE = re.compile(r"(?:file://)?(?P<path>/work/[^\s():]+):(?P<line>\d+):\d+")
"""A place in the sandbox's copy of the target, as a stack names it."""
FILE = re.compile(r"\.[cm]?[jt]sx?$")
JEST: Mapping[str, Outcome] = MappingProxyType({"passed": "passed", "failed": "failed"})
"""Other states (pending, skipped, todo, disabled) are of tests that did not run."""


def read_jest(data: bytes) -> list[Case]:
    """Raises BadReportError."""
    return _read(data, _of_jest)


def read_mocha(data: bytes) -> list[Case]:
    """Raises BadReportError."""
    return _read(data, _of_mocha)


def read_node(data: bytes) -> list[Case]:
    """Node's JUnit: the place of a failure stands in its stack alone. Raises BadReportError.

    A file without a test in it is no test, though Node counts it as one that passed.
    """
    cases = []
    for case in read_junit(data):
        if case.outcome == "passed" and FILE.search(case.name):
            continue
        path, line = _place(case.details)
        cases.append(replace(case, path=path or case.path.removeprefix("/work/"), line=line or case.line))
    return cases


def _read(data: bytes, cases: Callable[[Mapping[str, JsonValue]], Iterator[Case]]) -> list[Case]:
    if len(data) > LARGEST:
        raise BadReportError(f"it is larger than {LARGEST >> 20} MiB")
    try:
        return list(cases(_object(json.loads(data))))
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        raise BadReportError(f"it is not the JSON that it should be: {problem!r}") from problem


def _of_jest(report: Mapping[str, JsonValue]) -> Iterator[Case]:
    for suite in map(_object, _list(report["testResults"])):
        path = str(suite["name"]).removeprefix("/work/")
        tests = [_object(each) for each in _list(suite["assertionResults"])]
        for test in tests:
            failures = [str(each) for each in _list(test.get("failureMessages") or [])]
            outcome = JEST.get(str(test["status"]), "skipped")
            yield _case(str(test["fullName"]), path, outcome, "\n".join(failures), _line(test.get("location")))
        if not tests and suite.get("status") == "failed":
            yield _case("the file", path, "failed", str(suite.get("message") or ""), 1)


def _of_mocha(report: Mapping[str, JsonValue]) -> Iterator[Case]:
    pending = {str(_object(each)["fullTitle"]) for each in _list(report["pending"])}
    failed = {str(_object(each)["fullTitle"]) for each in _list(report["failures"])}
    for test in map(_object, _list(report["tests"])):
        name = str(test["fullTitle"])
        outcome: Outcome = "failed" if name in failed else "skipped" if name in pending else "passed"
        error = _object(test.get("err") or {})
        said = str(error.get("stack") or error.get("message") or "") if outcome == "failed" else ""
        yield _case(name, str(test.get("file") or "").removeprefix("/work/"), outcome, said, None)


def _case(name: str, path: str, outcome: Outcome, said: str, line: int | None) -> Case:
    """At the line of the test's file that the stack names first; else where the test begins."""
    at = re.search(rf"[/( ]{re.escape(path.rpartition('/')[2])}:(\d+)", said) if path else None
    told = re.split(r"\n\s+at ", plain(said), maxsplit=1)[0]
    return Case(
        name, path, int(at[1]) if at else line, outcome, " ".join(told.split())[:300], 0.0, (), details=said[-4000:]
    )


def plain(text: str) -> str:
    """Without the colours of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _place(stack: str) -> tuple[str, int | None]:
    """The first line of the project itself, of its tests rather than of its packages."""
    for found in PLACE.finditer(stack):
        if "/node_modules/" not in found["path"]:
            return found["path"].removeprefix("/work/"), int(found["line"])
    return "", None


def _line(location: JsonValue) -> int | None:
    line = location.get("line") if isinstance(location, dict) else None
    return line if isinstance(line, int) and line > 0 else None


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


@dataclass
class Measured:
    """The coverage of one file."""

    lines: dict[int, int] = field(default_factory=dict)
    """Line, from 1 → how often it ran."""
    branches: dict[str, int] = field(default_factory=dict)
    """Line, block and number of a branch, as LCOV has them → how often it was taken."""

    def add(self, other: Measured) -> None:
        """What another run measured of the same file."""
        for line, count in other.lines.items():
            self.lines[line] = self.lines.get(line, 0) + count
        for branch, count in other.branches.items():
            self.branches[branch] = self.branches.get(branch, 0) + count


def read_lcov(text: str) -> dict[str, Measured]:
    """Path, as it stands there → coverage. Raises BadReportError."""
    files: dict[str, Measured] = {}
    current = Measured()
    for line in text.splitlines():
        name, _, rest = line.strip().partition(":")
        try:
            if name == "SF":
                current = files.setdefault(rest, Measured())
            elif name == "DA":
                number, count = rest.split(",")[:2]
                current.add(Measured({int(number): int(count)}))
            elif name == "BRDA":
                branch, _, count = rest.rpartition(",")
                current.add(Measured(branches={branch: 0 if count == "-" else int(count)}))
        except ValueError as problem:
            raise BadReportError(f"it is not LCOV: {line[:80]!r}") from problem
    return files
