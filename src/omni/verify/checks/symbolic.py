"""Symbolic execution by CrossHair: functions with a contract are run on all inputs at once, for a bounded time.

A contract is `pre:` and `post:` in a docstring (PEP 316), or a function that begins with `assert`: what it asserts
first is taken for granted, and what it asserts later has to hold. Also those of icontract and deal. Each condition gets
`SECONDS`; what was not refuted in them is not proved. The code runs in the sandbox, and CrossHair stops side effects.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.places import TEST_FILE
from omni.verify.analysis.python import Function, body_without_docstring, functions
from omni.verify.analysis.rule import Rule, line_of
from omni.verify.check import Check, Context, Gap, Item, Metric, Unseen
from omni.verify.files import File
from omni.verify.interpreter import guest_environment
from omni.verify.report import Severity, Status

REFUTED = Rule(
    "symbolic",
    "refuted",
    Severity.ERROR,
    why="The function promises something that does not hold for this input.",
    fix="Mend the function, or promise less; then add the input to its tests.",
    cwe="CWE-617",
)
SECONDS = 5
CONTRACT = re.compile(r"^[ \t]*(post|pre|inv)(\[[^]]*\])?:", re.MULTILINE)
DECORATED = re.compile(r"^\s*@(icontract|deal)\.", re.MULTILINE)
LINE = re.compile(r"^(?P<path>[^\n:]+):(?P<line>\d+): error: (?P<said>.+)$", re.MULTILINE)
KINDS = "PEP316,icontract,deal,asserts"


def run(context: Context) -> Iterator[Item]:
    chosen: list[str] = []
    count = 0
    for file, tree in context.parsed_python():
        if isinstance(tree, Unseen):
            yield tree
        elif contracts := _contracts(context, file, tree):
            chosen.append(file.path)
            count += contracts
    if not chosen:
        yield Gap("no function has a contract (pre:, post:, or a first assert)", Status.SKIPPED)
        return
    tools, env = guest_environment(context, "symbolic")
    limits = (f"--per_condition_timeout={SECONDS}", f"--analysis_kind={KINDS}")
    job = context.execution.job(context, ("python", "-m", "crosshair", "check", *limits, *chosen), env, tools=tools)
    result = context.execution.run_job(job)
    if result.exit_code not in {0, 1}:
        said = " / ".join(line for line in (result.stdout + result.stderr).splitlines()[-3:] if line.strip())
        yield Gap(f"CrossHair could not look at it: {said[:400] or result.ended}")
        return
    for found in LINE.finditer(result.stdout):
        path, line = found["path"].removeprefix("/work/"), int(found["line"])
        file_there = context.inventory.by_path.get(path)
        snippet = line_of(context.text(file_there), line) if file_there and not file_there.problem else ""
        yield REFUTED.at(path if file_there else "", line, found["said"], snippet=snippet)
    yield Metric("symbolic.functions", count)


def _contracts(context: Context, file: File, tree: ast.Module) -> int:
    """How many functions of the program have one."""
    if TEST_FILE.search(file.path):
        return 0
    text = context.text(file)
    decorated = len(DECORATED.findall(text))
    return decorated + sum(_has_contract(function) for function, _ in functions(tree))


def _has_contract(function: Function) -> bool:
    body = body_without_docstring(function)
    annotated = all(each.annotation is not None for each in function.args.args if each.arg not in {"self", "cls"})
    promised = CONTRACT.search(ast.get_docstring(function, clean=False) or "")
    return annotated and bool(promised or (body and isinstance(body[0], ast.Assert)))


CHECK = Check(
    id="symbolic",
    title="No input refutes a contract",
    tier=4,
    languages=("python",),
    toolset="symbolic",
    run=run,
    timeout=900,
)
