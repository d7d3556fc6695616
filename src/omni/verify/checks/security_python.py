"""Weaknesses in Python, by the rules of Bandit as ruff implements them.

Ruff and not Bandit itself: Bandit passes over files in syntax newer than the Python it runs on, without a word, and
takes 1.6 s of CPU where ruff takes 0.05. The severities are ours: `error` is for what is wrong wherever it stands.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from omni.verify.analysis.places import TESTS
from omni.verify.analysis.python import dotted, imports, last_name
from omni.verify.analysis.rule import line_of
from omni.verify.check import Check, Context, Item, Output, Scope, Unseen
from omni.verify.parsing import walk
from omni.verify.report import Model, Severity

DATA = Path(__file__).parent.parent / "data" / "security-python.toml"


class Weakness(Model):
    rules: tuple[str, ...]
    severity: Severity
    cwe: str
    why: str
    fix: str


def weaknesses() -> dict[str, Weakness]:
    """Start of a rule's name → what it means."""
    entries = [Weakness.model_validate(each) for each in tomllib.loads(DATA.read_text("utf-8"))["weakness"]]
    return {rule: entry for entry in entries for rule in entry.rules}


WEAKNESSES = weaknesses()
RUNS_CODE = ("S102", "S307")
IN_A_SHELL = ("S602", "S605")
HARMLESS = re.compile(r"seems safe")
"""Ruff's words for a shell whose command line is written out."""


def runs_code_object(tree: ast.Module | Unseen, row: int) -> bool:
    """Whether each `exec` and `eval` of a line is given what `compile` made: a program, and no text taken for one."""
    if isinstance(tree, Unseen):
        return False
    scopes = [scope for scope in walk(tree) if isinstance(scope, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef)]
    around = [
        scope for scope in scopes if isinstance(scope, ast.Module) or scope.lineno <= row <= (scope.end_lineno or 0)
    ]
    calls = [node for node in walk(around[-1]) if isinstance(node, ast.Call) and node.lineno == row]
    sources = [call.args[0] for call in calls if dotted(call.func) in {"exec", "eval"} and call.args]
    return bool(sources) and all(_is_compiled(source, around[-1]) for source in sources)


def given_by_its_user(tree: ast.Module | Unseen, row: int) -> bool:
    """Whether a line is of a command of Click or Typer: who types its arguments may run any command anyway."""
    if isinstance(tree, Unseen) or not {each.module for each in imports(tree)} & {"click", "typer"}:
        return False  # a chat's commands are decorated so, too
    functions = [each for each in walk(tree) if isinstance(each, ast.FunctionDef)]
    around = [each for each in functions if each.lineno <= row <= (each.end_lineno or 0)]
    return any(last_name(mark) in {"command", "group"} for each in around for mark in each.decorator_list)


def _is_compiled(source: ast.expr, scope: ast.AST) -> bool:
    if isinstance(source, ast.Call):
        return dotted(source.func) == "compile"
    if not isinstance(source, ast.Name):
        return False
    taken = [each for each in walk(scope) if isinstance(each, ast.arg) and each.arg == source.id]
    given = [
        node.value
        for node in walk(scope)
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == source.id for t in node.targets)
    ]
    made = {"compile", f"{source.id}.replace"}
    return (
        bool(taken or given)
        and all(each.annotation is not None and last_name(each.annotation) == "CodeType" for each in taken)
        and all(isinstance(value, ast.Call) and dotted(value.func) in made for value in given)
    )


def parse(context: Context, output: Output) -> Iterator[Item]:
    """Ruff's JSON. Raises ValueError or KeyError when it is something else."""
    for each in json.loads(output.stdout or "[]"):
        rule, path = each["code"] or "", context.relative(each["filename"])
        fitting = [start for start in WEAKNESSES if rule.startswith(start)]
        if not fitting:
            continue  # a syntax error, which `syntax` reports
        weakness = WEAKNESSES[max(fitting, key=len)]
        row = each["location"]["row"]
        file = context.inventory.by_path.get(path)
        severity = weakness.severity
        if TESTS.search(path) or HARMLESS.search(each["message"]):
            severity = Severity.NOTE
        elif rule in RUNS_CODE and file and runs_code_object(context.parse_python(file), row):
            severity = Severity.WARNING  # what reaches `compile` is followed by `dataflow`
        elif rule in IN_A_SHELL and file and given_by_its_user(context.parse_python(file), row):
            severity = Severity.WARNING
        yield context.finding(
            rule,
            each["message"],
            path,
            row,
            column=each["location"]["column"],
            severity=severity,
            why=weakness.why,
            fix=weakness.fix,
            cwe=weakness.cwe,
            snippet=line_of(context.text(file), row) if file else "",
        )


CHECK = Check(
    id="security-python",
    title="Python holds no known weakness",
    tier=2,
    scope=Scope.FILE,
    languages=("python",),
    tool="ruff",
    argv=(
        "check", "--isolated", "--no-cache", "--exit-zero", "--select", ",".join(WEAKNESSES), "--output-format", "json",
        "--", "{files}",
    ),
    parse=parse,
)  # fmt: skip
