"""Adversarial review: who claims a bug or a weakness brings what shows it, and it is really run.

A claim counts as *shown* when its test fails on the code after reaching the cited line, and as *confirmed* when the
same test passes once the claimed mend is applied. A claim of growth counts when the time of the project's own code
grows clearly faster than the input. Everything else is dropped, and counted with why.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import Field, model_validator

from omni.models.typed import Asker, Document, quoted
from omni.review.citation import Dropped, Line, Material, Model, Remark, checked, mended
from omni.review.ground import Ground, TestResult, Watched, watched
from omni.review.independence import independent
from omni.sandbox.job import Isolation, JobResult

STEEP = 1.5
"""Exponent from which growth is called faster than the input: 1 is linear, 2 quadratic."""
LEAST_SECONDS = 0.02
"""At the greater size: below it a clock says nothing."""
MOST = 12
"""Claims that are tried; each costs up to two runs in the sandbox."""


class Attack(Remark):
    """A remark with something to run."""

    kind: Literal["test", "growth"]
    script: Annotated[str, Field(min_length=1, max_length=20_000)]
    """A file of pytest, or one that defines `run(n)`."""
    sizes: tuple[Annotated[int, Field(ge=2, le=10_000_000)], ...] = ()
    """Of `growth`: the smaller and the greater input."""

    @model_validator(mode="after")
    def _two_sizes(self) -> Attack:
        if self.kind == "growth" and (len(self.sizes) != 2 or self.sizes[1] < 2 * self.sizes[0]):
            raise ValueError("growth needs two sizes, the greater at least twice the smaller")
        return self


class Attacks(Document):
    """What an attacker of the project brings."""

    attacks: Annotated[tuple[Attack, ...], Field(max_length=MOST)] = ()
    unproved: tuple[Line, ...] = ()
    """Suspicions that can't be shown here."""
    looked_at: tuple[str, ...] = ()


class Proof(Model):
    """An attack that did what it claims."""

    attack: Attack
    verdict: Literal["confirmed", "shown"]
    said: str
    """What the failing assertion said, or the timings."""
    isolation: Isolation


class Assault(Model):
    """What became of one attacker's claims."""

    role: str
    model: str
    independent: bool
    proofs: tuple[Proof, ...]
    dropped: tuple[Dropped, ...] = ()
    unproved: tuple[str, ...] = ()


def assault(
    who: Asker, shown: Material, specification: str, ground: Ground, authors: Collection[str] = (), extra: str = ""
) -> Assault:
    """Ask an attacker for claims and try each. Raises like `Asker.ask`, and OmniError when there is no sandbox."""
    parts = (
        quoted("specification", specification),
        extra,
        shown.shown(),
        "Your task: attack this code as your role says. Line numbers stand before each line.",
    )
    answer = who.ask(Attacks, "\n\n".join(part for part in parts if part))
    kept, dropped = checked(answer.document.attacks, shown.files)
    tried = [(attack, attempt(attack, shown, ground)) for attack in kept]
    refused = (Dropped(claim=attack.message[:300], why=end) for attack, end in tried if isinstance(end, str))
    return Assault(
        role=who.attribution.role,
        model=answer.model,
        independent=independent(answer.model, authors),
        proofs=tuple(end for _, end in tried if isinstance(end, Proof)),
        dropped=(*dropped, *refused),
        unproved=answer.document.unproved,
    )


def attempt(attack: Attack, shown: Material, ground: Ground) -> Proof | str:
    """Run what an attack brings: the proof, or why it is none."""
    return _test(attack, shown, ground) if attack.kind == "test" else _growth(attack, shown, ground)


def _test(attack: Attack, shown: Material, ground: Ground) -> Proof | str:
    if why := hollow(attack.script):
        return why
    place = _place(ground)
    result, seen = ground.test(place, attack.script, attack.path, {})
    failed = _failed(seen, place)
    if why := _no_failure(result, seen, failed):
        return why
    reached = set(seen.lines) & statement(shown.files[attack.path], attack.line)
    fixed = mended(attack, shown.files[attack.path])
    confirmed = False
    if fixed is not None:
        again, after = ground.test(place, attack.script, attack.path, {attack.path: fixed})
        confirmed = again.exit_code == 0 and bool(after.results)
    if not (reached or confirmed):
        return f"the test fails, but never reaches {attack.path}:{attack.line}"
    return Proof(
        attack=attack,
        verdict="confirmed" if confirmed else "shown",
        said=f"{failed[0].error}: {failed[0].said}"[:1200],
        isolation=result.isolation,
    )


def _no_failure(result: JobResult, seen: Watched, failed: list[TestResult]) -> str:
    """Why a run shows nothing; empty when a test ran and failed by itself."""
    if result.ended == "refused":
        return f"the sandbox refused to run it: {result.stderr.strip()[-300:]}"
    if result.exit_code is None:
        return f"it ended by {result.ended}, which shows nothing"
    broken = [each for each in seen.results if each.error and each.when != "call"]
    if broken:
        return f"the test itself is broken: {broken[0].said[-300:]}"
    if result.exit_code == 0:
        return "the test passes on the code as it is"
    if result.exit_code != 1 or not seen.results:
        return f"pytest could not run it: {(result.stdout or result.stderr).strip()[-300:]}"
    return "" if failed else "the test fails by a mistake of its own, not by what the code does"


def _failed(seen: Watched, place: str) -> list[TestResult]:
    """Failures by an assertion, or by an error that the project's own code raised."""
    return [
        each
        for each in seen.results
        if each.when == "call"
        and each.error not in {"", "Skipped"}
        and (each.error in {"AssertionError", "Failed"} or each.raised_in not in {"", place})
    ]


def _growth(attack: Attack, shown: Material, ground: Ground) -> Proof | str:
    with ground.copy({"omni_growth.py": attack.script}) as copy:
        argv = ("python", "omni_inside.py", "growth", json.dumps(attack.sizes))
        result, report = ground.run(copy, argv, {"OMNI_CITED": attack.path})
    seen = watched(report)
    if result.exit_code != 0 or len(seen.seconds) != 2:
        return f"the script did not run: {result.ended}, {result.stderr.strip()[-300:]}"
    if not set(seen.lines) & statement(shown.files[attack.path], attack.line):
        return f"the script never reaches {attack.path}:{attack.line}"
    (small, great), (before, after) = attack.sizes, seen.seconds
    said = f"{small:,}: {before:.3f} s; {great:,}: {after:.3f} s"
    if after < LEAST_SECONDS:
        return f"too fast to tell ({said})"
    exponent = math.log(after / max(before, 1e-6)) / math.log(great / small)
    if exponent < STEEP:
        return f"time grows with the input, not faster ({said})"
    said += f"; grows as the input to the power of {exponent:.1f}"
    return Proof(attack=attack, verdict="confirmed", said=said, isolation=result.isolation)


def hollow(script: str) -> str:
    """Why a file of tests can show nothing; empty when its assertions ask something."""
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError, RecursionError) as problem:
        return f"the test is no Python: {problem}"
    if not any(
        isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n.name.startswith("test") for n in ast.walk(tree)
    ):
        return "there is no test in it"
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and not any(isinstance(n, ast.Name | ast.Call) for n in ast.walk(node.test)):
            return "it asserts a constant"
        if isinstance(node, ast.Raise) or (
            isinstance(node, ast.Call) and _name(node.func) in {"fail", "exit", "_exit"}
        ):
            return "it fails by itself, whatever the code does"
    return ""


def statement(text: str, line: int) -> set[int]:
    """The lines of the statement that stands on a line: Python counts a long statement at its first line."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return set()
    around = [
        node for node in ast.walk(tree) if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    if not around:
        return {line}
    least = min(around, key=lambda node: (node.end_lineno or 0) - node.lineno)
    body = getattr(least, "body", None)
    last = body[0].lineno - 1 if isinstance(body, list) and body else least.end_lineno or least.lineno
    return set(range(least.lineno, max(last, line, least.lineno) + 1))


def _name(function: ast.expr) -> str:
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _place(ground: Ground) -> str:
    return "tests/test_omni_attack.py" if (ground.project / "tests").is_dir() else "test_omni_attack.py"
