"""A program for the project's Python: pytest, and a record of which file of tests ran which lines.

What a fixture of the session or of a package does, it does for whichever test comes first, and what is torn down at
the end of a file may be anybody's: that is told of no test. The record is JSON: the files of tests that ran, those of
them with a test that did not get to its end, and file → file of tests, or `shared` → lines. Coverage by
`sys.monitoring` tells each line once, of whichever test came first, so it is measured with a tracer; where that is not
to be had, nothing is recorded.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

SHARED = "shared"


class Recorder:
    """A plug-in of pytest, on the coverage that pytest-cov measures."""

    def __init__(self, report: Path) -> None:
        self.report = report
        self.test = SHARED
        self.told = ""
        self.ran: set[str] = set()
        self.cut: set[str] = set()

    def pytest_runtest_setup(self, item: Any) -> None:
        self.test = _file(item.nodeid)
        self.ran.add(self.test)
        self._now(item.config, self.test)

    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> None:
        self._now(request.config, SHARED if fixturedef.scope in ("session", "package") else self.test)

    def pytest_runtest_call(self, item: Any) -> None:
        self._now(item.config, self.test)

    def pytest_runtest_teardown(self, item: Any, nextitem: Any) -> None:
        if nextitem is None or _file(nextitem.nodeid) != self.test:  # what other files of tests share may end, too
            self._now(item.config, SHARED)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.outcome != "passed":  # it failed or was skipped, maybe halfway
            self.cut.add(_file(report.nodeid))

    def pytest_unconfigure(self, config: Any) -> None:
        coverage = _coverage(config)
        if coverage is None or not _tells_apart(coverage):
            return
        data = coverage.get_data()
        lines = {os.path.relpath(path): _by_test(data.contexts_by_lineno(path)) for path in data.measured_files()}
        self.report.parent.mkdir(parents=True, exist_ok=True)
        record = {"tests": sorted(self.ran), "cut": sorted(self.cut), "lines": lines}
        self.report.write_text(json.dumps(record), encoding="utf-8")

    def _now(self, config: Any, test: str) -> None:
        coverage = _coverage(config)
        if coverage is not None and test != self.told:  # each time costs as much as a small test
            coverage.switch_context(test)
            self.told = test


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _coverage(config: Any) -> Any:
    plugin = config.pluginmanager.getplugin("_cov")
    return getattr(getattr(plugin, "cov_controller", None), "cov", None)


def _tells_apart(coverage: Any) -> bool:
    core = getattr(coverage, "_core", None)  # older ones have none, and trace always
    return bool(getattr(core, "supports_dynamic_contexts", True))


def _tracer() -> str:
    """For `COVERAGE_CORE`: coverage ends the program that asks for what it was built without."""
    try:
        importlib.import_module("coverage.tracer")
    except ImportError:
        return "pytrace"
    return "ctrace"


def _by_test(contexts: dict[int, list[str]]) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for line, tests in contexts.items():
        for test in tests:
            found[test or SHARED].append(line)
    return found


if __name__ == "__main__":
    os.environ["COVERAGE_CORE"] = _tracer()
    sys.exit(importlib.import_module("pytest").main(sys.argv[2:], plugins=[Recorder(Path(sys.argv[1]))]))
