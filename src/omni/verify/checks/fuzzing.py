"""Fuzz targets of the project, run in the sandbox: they are found by the conventions of their language.

Each runs for `[verify.fuzzing] seconds`, 60 by default, on the inputs of `fuzz/corpus/<name>/` and on what earlier runs
found interesting, so a longer campaign is several runs or a larger number. What breaks a target is made as small as it
gets, kept, and reported with its stack; it is tried first in the next run, and as long as it breaks the target it is
reported at once. Metrics: `fuzzing.targets`, `fuzzing.executions`, `fuzzing.broken`, but for Python followed by
`.<language>`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

from omni.verify import machine
from omni.verify.analysis.rule import Rule, line_of
from omni.verify.check import Check, Context, Failed, Gap, Item, Metric
from omni.verify.files import matches
from omni.verify.fuzzing.campaign import Campaign, Found
from omni.verify.fuzzing.engine import FOREIGN, Engine, Target
from omni.verify.fuzzing.languages import ENGINES, PYTHON
from omni.verify.interpreter import WORK
from omni.verify.outputs.summary import number
from omni.verify.report import Finding, Severity, Status
from omni.verify.tools import MACHINE

BROKEN = Rule(
    "fuzzing",
    "broken",
    Severity.ERROR,
    why="An input that anybody may send makes the program fail in a way that nobody thought of.",
    fix="Refuse such input with an error of its own, and keep the input in fuzz/corpus so that it is tried first.",
    cwe="CWE-20",
)
HANGS = Rule(
    "fuzzing",
    "hang",
    Severity.ERROR,
    why="One input that anybody may send keeps the program busy for longer than anybody waits.",
    fix="Bound the work that one input can cause, and keep the input in fuzz/corpus so that it is tried first.",
    cwe="CWE-834",
)
EATS = Rule(
    "fuzzing",
    "memory",
    Severity.ERROR,
    why="One input that anybody may send takes all the memory, so that the system ends the program.",
    fix="Bound the memory that one input can ask for, and keep the input in fuzz/corpus so that it is tried first.",
    cwe="CWE-789",
)
LEAKS = Rule(
    "fuzzing",
    "leak",
    Severity.ERROR,
    why="Each such input takes memory that is never given back, until the system ends the program.",
    fix="Give back what was taken on each way out, and keep the input in fuzz/corpus so that it is tried first.",
    cwe="CWE-401",
)
RULES = {"crash": BROKEN, "timeout": HANGS, "oom": EATS, "leak": LEAKS}
"""By libFuzzer's word for it."""
CWES = {
    "heap-buffer-overflow": "CWE-122", "stack-buffer-overflow": "CWE-121", "global-buffer-overflow": "CWE-787",
    "heap-use-after-free": "CWE-416", "double-free": "CWE-415", "stack-overflow": "CWE-674", "SEGV": "CWE-476",
    "integer overflow": "CWE-190", "division by zero": "CWE-369",
}  # fmt: skip
"""What an error says in its first words, or in its last ones."""


def run(context: Context, *, engine: Engine = PYTHON, language: str = "Python", metric: str = "") -> Iterator[Item]:
    targets = list(engine.targets(context))
    if not targets:
        yield Gap(f"there is no fuzz target in {language}: see how one looks in Omni's documentation", Status.SKIPPED)
        return
    missing = [name for name in engine.programs if machine.find(name) is None]
    if missing:
        how = machine.how_to_get(missing[0])
        were = f"{number(len(targets), 'fuzz target')} in {language} {'was' if len(targets) == 1 else 'were'}"
        yield Gap(f"{were} not run: {missing[0]} is not on PATH. {how}".strip())
        return
    executions, broken = 0, 0
    for nth, target in enumerate(targets, 1):
        campaign = Campaign(context, engine, target)
        context.execution.resources.say(f"fuzzing: {nth} of {len(targets)}: {target.name}")
        try:
            report, found = campaign.run(context.project.fuzzing.seconds)
        except Failed as problem:
            yield Gap(problem.why, problem.status)
            continue
        executions += report["executions"]
        broken += len(found)
        yield from (finding(context, target, each) for each in found)
    yield Metric(f"fuzzing.targets{metric}", len(targets))
    yield Metric(f"fuzzing.executions{metric}", executions)
    yield Metric(f"fuzzing.broken{metric}", broken)


def finding(context: Context, target: Target, found: Found) -> Finding:
    """At the innermost line of the program itself, or else of the target."""
    broken = found.broken
    places = [(located(context, target, path), line) for path, line in broken["places"]]
    known = context.inventory.by_path
    own = [
        (path, line)
        for path, line in places
        if path in known and not known[path].problem and not matches(path, FOREIGN)
    ]
    of_target = next((each for each in own if each[0] == target.path), (target.path, 1))
    path, line = next((each for each in own if each[0] != target.path), of_target)
    smaller = f", made smaller from {broken['original']}" if broken["original"] != len(found.data) else ""
    size = f"{number(len(found.data), 'byte')}{smaller}"
    stack = " ← ".join(f"{place}:{number}" for place, number in places[:4])
    error = broken["error"] or f"{broken['kind']}, only seen by the fuzzer itself"
    message = f"{error}, by {target.path}, with the input {found.data[:120]!r} ({size}); {stack}".removesuffix("; ")
    rule = RULES.get(broken["kind"], BROKEN)
    said = rule.at(
        path,
        line or None,
        message,
        snippet=line_of(context.text(known[path]), line),
        fix=f"{rule.fix} It is at {found.file} now.",
    )
    cwe = next((cwe for word, cwe in CWES.items() if word in broken["error"]), rule.cwe)
    return said.model_copy(update={"check": context.check.id, "cwe": cwe})


def located(context: Context, target: Target, path: str) -> str:
    """As in the inventory: a stack names files in the sandbox, beside the target, or (Java's) by their package."""
    known = context.inventory.by_path
    inside, beside = path.removeprefix(f"{WORK}/"), str(PurePosixPath(target.path).parent / path)
    if inside in known or path.startswith("/"):
        return inside
    return beside if beside in known else next((each for each in known if each.endswith(f"/{path}")), path)


def _check(metric: str, title: str, languages: tuple[str, ...], tool: str = "", **more: object) -> Check:
    declared = {
        "id": f"fuzzing-{metric}",
        "title": f"No input breaks a fuzz target in {title}",
        "tier": 4,
        "languages": languages,
        "tool": tool,
        "toolset": MACHINE,
        "sandboxed": True,
        "run": partial(run, engine=ENGINES[metric], language=title, metric=f".{metric}"),
        "weight": 2,
        "timeout": 90000,
        "fresh_for": 0,
    }
    return Check.model_validate(declared | more)


CHECKS = (
    Check(
        id="fuzzing",
        title="No input breaks a fuzz target",
        tier=4,
        globs=("fuzz/**/*.py", "**/fuzz_*.py", "**/*_fuzzer.py"),
        toolset="fuzz",
        run=run,
        weight=1,
        timeout=90000,
        fresh_for=0,
    ),
    _check("c", "C or C++", ("c", "cpp")),
    _check("go", "Go", ("go",), globs=("go.mod", "go.sum")),
    _check("rust", "Rust", ("rust",), globs=("Cargo.toml", "Cargo.lock")),
    _check("javascript", "JavaScript or TypeScript", ("javascript", "typescript"), toolset="jazzer", optional=True),
    _check("java", "Java", ("java",), globs=("**/*.jar",)),
)
