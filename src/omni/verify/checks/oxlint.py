"""JavaScript and TypeScript, by oxlint: its `correctness` rules, without Node."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from omni.verify.analysis.minified import minified
from omni.verify.check import Check, Context, Item, Output
from omni.verify.report import Severity

SURELY_WRONG = frozenset(
    {
        "for-direction", "getter-return", "no-async-promise-executor", "no-class-assign", "no-const-assign",
        "no-debugger", "no-dupe-class-members", "no-dupe-else-if", "no-dupe-keys", "no-duplicate-case", "no-eval",
        "no-func-assign", "no-import-assign", "no-invalid-regexp", "no-obj-calls", "no-self-assign",
        "no-setter-return", "no-this-before-super", "no-undef", "no-unreachable", "no-unsafe-finally",
        "no-unsafe-negation", "use-isnan", "valid-typeof",
    }
)  # fmt: skip
"""The code throws, or never does what it says."""

NOTHING = "No files found to lint. Please check your paths and ignore patterns.\n"
CODE = re.compile(r"^(?P<plugin>[\w-]+)\((?P<rule>[\w/-]+)\)$")


def parse(context: Context, output: Output) -> Iterator[Item]:
    """oxlint's JSON. Raises ValueError or KeyError when it is something else."""
    yield from minified(context)
    # Where there is nothing but minified files, a line of plain text stands before the JSON.
    report = json.loads(output.stdout.removeprefix(NOTHING))
    if not isinstance(report, dict):
        raise TypeError("oxlint did not print an object")
    for diagnostic in report["diagnostics"]:
        code = CODE.match(diagnostic.get("code") or "")
        span = diagnostic["labels"][0]["span"] if diagnostic["labels"] else {}
        rule = code["rule"] if code else "syntax"
        yield context.finding(
            rule,
            diagnostic["message"],
            diagnostic.get("filename") or "",
            span.get("line"),
            column=span.get("column"),
            severity=Severity.ERROR if rule in SURELY_WRONG or not code else Severity.WARNING,
            fix=diagnostic.get("help") or "",
            cwe="CWE-95" if rule == "no-eval" else "",
        )


CHECK = Check(
    id="oxlint",
    title="JavaScript and TypeScript have no lint errors",
    tier=1,
    languages=("javascript", "typescript"),
    config=(".oxlintrc.json", "package.json", "tsconfig.json"),
    tool="oxlint",
    argv=("--format", "json", "--", "{files}"),
    parse=parse,
    fix=("--fix", "--quiet", "--", "{files}"),
    why="The browser runs such code without complaint until the line is reached.",
    advice="See the page of the rule in oxlint's documentation.",
)
