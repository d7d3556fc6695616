"""Scanners of code that only some have: Semgrep, CodeQL, Infer, Bandit.

Each is used where it is installed; what it prints is read as its documentation says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from omni.verify.check import Check, Context, Failed, Gap, Item, Output
from omni.verify.report import Severity, Status
from omni.verify.sarif import parse_sarif
from omni.verify.tools import MACHINE

RULES = (".semgrep.yml", ".semgrep.yaml", "semgrep.yml", "semgrep.yaml", ".semgrep")
SEMGREP = ("scan", "--metrics", "off", "--disable-version-check", "--quiet", "--sarif", "--output", "{report}")


def run_semgrep(context: Context) -> Iterator[Item]:
    """With the project's own rules: those of its registry may not be brought along, and need the network."""
    rules = [name for name in RULES if (context.root / name).exists()]
    if not rules:
        yield Gap("the project declares no rules for it in .semgrep.yml or .semgrep/", Status.SKIPPED)
        return
    output = context.execute("semgrep", *SEMGREP, *(each for name in rules for each in ("--config", name)), ".")
    if output.exit_code not in {0, 1}:
        raise Failed(f"semgrep failed with exit code {output.exit_code}: {output.stderr.strip()[-300:]}")
    yield from parse_sarif(context, output)


CODEQL = {
    "python": "python",
    "javascript": "javascript-typescript",
    "typescript": "javascript-typescript",
    "ruby": "ruby",
}
"""Languages that it reads without a build; a build would run the project's code."""


def run_codeql(context: Context) -> Iterator[Item]:
    """One database a language, then the queries that came with it (its bundle, not the bare program)."""
    for language in sorted({CODEQL[file.language] for file in context.files if file.language in CODEQL}):
        database = str(context.cache / language)
        create = ("database", "create", database, "--overwrite", f"--language={language}", "--source-root=.")
        made = context.execute("codeql", *create, "--build-mode=none")
        if made.exit_code != 0:
            raise Failed(f"codeql could not read {language}: {' '.join(made.stderr.split())[-300:]}", Status.INCOMPLETE)
        output = context.execute(
            "codeql", "database", "analyze", database, "--format=sarif-latest", "--output={report}", "--no-rerun"
        )
        if output.exit_code != 0:
            said = " ".join(output.stderr.split())[-300:]
            raise Failed(f"codeql could not ask its queries about {language}: {said}", Status.INCOMPLETE)
        yield from parse_sarif(context, output)


INFER = {"ERROR": Severity.ERROR, "WARNING": Severity.WARNING}


def run_infer(context: Context) -> Iterator[Item]:
    """It watches a compiler at work, which runs in the sandbox; no processor of annotations does."""
    java = [file.path for file in context.files if file.language == "java"]
    c = [file.path for file in context.files if file.language == "c" and file.path.endswith(".c")]
    for compiler in ([("javac", "-proc:none", "-d", "classes", *java)] if java else []) + (
        [("clang", "-c", *c)] if c else []
    ):
        done = context.run_in_sandbox(
            ("infer", "run", "--no-progress-bar", "--keep-going", "--", *compiler),
            toolset=MACHINE,
            collect=("infer-out/report.json",),
            into=context.cache,
        )
        if "infer-out/report.json" not in done.collected:
            raise Failed(f"infer made no report: {' '.join(done.stderr.split())[-300:]}", Status.INCOMPLETE)
        report = (context.cache / "infer-out" / "report.json").read_text("utf-8")
        yield from parse_infer(context, Output(0, report, ""))


def parse_infer(context: Context, output: Output) -> Iterator[Item]:
    """`report.json`: https://fbinfer.com/docs/man-infer-report (atd/jsonbug.atd)"""
    for each in json.loads(output.stdout):
        yield context.finding(
            each["bug_type"],
            each["qualifier"],
            each["file"],
            each["line"],
            column=each["column"] if each.get("column", -1) > 0 else None,
            severity=INFER.get(each["severity"], Severity.NOTE),
        )


BANDIT = {"HIGH": Severity.ERROR, "MEDIUM": Severity.WARNING, "LOW": Severity.NOTE}


def parse_bandit(context: Context, output: Output) -> Iterator[Item]:
    """Its JSON names what it could not read under `errors`."""
    report = output.json()
    if not isinstance(report, dict):
        raise TypeError("bandit did not print an object")
    for each in report["errors"]:
        yield Gap(f"bandit could not read {Path(each['filename']).name}: {each['reason']}")
    for each in report["results"]:
        yield context.finding(
            each["test_id"],
            each["issue_text"],
            each["filename"],
            each["line_number"],
            severity=BANDIT[each["issue_severity"]],
            cwe=f"CWE-{each['issue_cwe']['id']}" if each.get("issue_cwe") else "",
        )


CHECKS = (
    Check(
        id="semgrep",
        title="Semgrep's rules of the project are kept",
        tier=3,
        globs=("*",),
        tool="semgrep",
        toolset="semgrep",
        optional=True,
        run=run_semgrep,
        timeout=300,
        why="The project has chosen these rules.",
    ),
    Check(
        id="codeql",
        title="CodeQL's queries find no weakness",
        tier=3,
        languages=tuple(CODEQL),
        tool="codeql",
        toolset=MACHINE,
        run=run_codeql,
        weight=2,
        timeout=600,
        why="Data that a stranger sends reaches a place where it can do harm.",
    ),
    Check(
        id="infer",
        title="Infer finds no null pointer, leak or race",
        tier=3,
        languages=("java", "c"),
        tool="infer",
        toolset=MACHINE,
        run=run_infer,
        weight=2,
        timeout=600,
        why="It follows values across functions, where a reader loses sight of them.",
        advice="See the bug type of that name in Infer's documentation.",
    ),
    Check(
        id="bandit",
        title="Bandit finds no weakness",
        tier=3,
        languages=("python",),
        tool="bandit",
        toolset=MACHINE,
        argv=("--quiet", "--format", "json", "--exit-zero", "{files}"),
        parse=parse_bandit,
        timeout=120,
        why="It looks for calls that an attacker can use.",
        advice="See the test of that name in Bandit's documentation.",
    ),
)
