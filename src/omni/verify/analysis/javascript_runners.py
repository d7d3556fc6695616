"""The runners of JavaScript's tests, and how a script that calls one is made to leave reports."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from omni.verify.analysis.javascript_reports import read_jest, read_mocha, read_node
from omni.verify.analysis.junit import Case

REPORTS = "omni-reports"
"""A folder at the target's root: scripts go to others before they call a runner."""
OTHER_SCRIPT = re.compile(
    r"\b(?:npm|pnpm|yarn|bun)\s+run\s+(?:-s\s+|--silent\s+)?(?P<name>[\w:.-]+)(?=\s*(?:$|&|;|\|))"
)


@dataclass(frozen=True)
class Runner:
    called: re.Pattern[str]
    """How a script calls it …"""
    instead: str
    """… and what takes the place of that. `{to}` is the folder of reports."""
    report: str
    read: Callable[[bytes], list[Case]]
    covers: str = ""
    """The package that measures coverage, where the runner can't by itself."""
    coverage: str = ""
    """Further arguments where coverage can be measured."""


def _word(name: str) -> str:
    return rf"(?<![\w./@:-]){name}(?![\w./:-])"


RUNNERS = (
    Runner(
        re.compile(_word(r"(?P<program>node|tsx)") + r"(?=\s(?:[^&|;]*\s)?--test(?:\s|$))"),
        r"\g<program> --test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit"
        " --test-reporter-destination={to}/junit.xml{coverage}",
        "junit.xml",
        read_node,
        coverage=" --experimental-test-coverage --test-reporter=lcov --test-reporter-destination={to}/lcov.info",
    ),
    Runner(
        re.compile(_word("vitest") + r"(?:\s+run\b)?"),
        "vitest run --reporter=default --reporter=json --outputFile.json={to}/tests.json"
        " --includeTaskLocation{coverage}",
        "tests.json",
        read_jest,
        covers="@vitest/coverage-*",
        coverage=" --coverage.enabled --coverage.reportOnFailure --coverage.reporter=lcovonly"
        " --coverage.reportsDirectory={to}",
    ),
    Runner(
        re.compile(_word(r"(?P<program>jest|(?:react-scripts|craco)\s+test)")),
        r"\g<program> --json --outputFile={to}/tests.json --testLocationInResults{coverage}",
        "tests.json",
        read_jest,
        coverage=" --coverage --coverageDirectory={to} --coverageReporters=lcovonly --coverageThreshold='{}'",
    ),
    Runner(
        re.compile(_word("mocha")),
        "mocha --reporter json --reporter-option output={to}/tests.json",
        "tests.json",
        read_mocha,
    ),
)
OWN_REPORTER = re.compile(r"\s--(?:test-)?reporter(?:-destination)?(?:=|\s+)[^\s&|;]+")


def command(scripts: Mapping[str, str], has: Callable[[str], bool]) -> tuple[str, Runner | None]:
    """The script “test” with what makes its runner write a report; the runner, where one is known."""
    script = _spelled_out(scripts, scripts["test"])
    if before := scripts.get("pretest"):
        script = f"({_spelled_out(scripts, before)}) && {script}"
    for runner in RUNNERS:
        if found := runner.called.search(script):
            measured = runner.coverage if not runner.covers or has(runner.covers) else ""
            instead = runner.instead.replace("{coverage}", measured).replace("{to}", f"/work/{REPORTS}")
            ahead, call = script[: found.start()], OWN_REPORTER.sub("", script[found.start() :])
            return ahead + runner.called.sub(instead, call, count=1), runner
    return script, None


def _spelled_out(scripts: Mapping[str, str], script: str, deep: int = 3) -> str:
    """With other scripts of the project in place of their names."""

    def other(found: re.Match[str]) -> str:
        named = scripts.get(found["name"])
        return f"({_spelled_out(scripts, named, deep - 1)})" if named and deep else found[0]

    return OTHER_SCRIPT.sub(other, script)
