"""A gate: a declared predicate over a report, which says what to do to pass. The gates are in gates.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from omni.kernel.errors import OmniError
from omni.verify.check import Tier
from omni.verify.config import BAD_CONFIG, ProjectConfig
from omni.verify.report import CheckResult, Finding, Model, Report, Severity, Status

FILE = Path(__file__).with_name("gates.toml")

SHORTEST_REASON = 8
"""Signs."""
ORDER = (Severity.NOTE, Severity.WARNING, Severity.ERROR)


class Gate(Model):
    title: str
    tiers: tuple[Tier, ...] = ()
    """Those it looks at, each of which must have run; empty: all that ran."""
    refuse: Severity = Severity.ERROR
    """Findings this severe or worse."""
    statuses: frozenset[Status] = frozenset({Status.PASS, Status.FAIL, Status.SKIPPED})
    """Allowed for a check. `fail` needs no place here: its findings decide."""
    required: tuple[str, ...] = ()
    """Checks that must have run, not been skipped."""
    at_least: Mapping[str, float] = Field(default_factory=dict)
    """Number → its least value. A number that was not measured refuses."""


class Reason(Model):
    what: str
    where: str
    fix: str
    unknown: bool = False
    """Nothing is known to be wrong; something is not known to be right."""


class Decision(Model):
    gate: str
    passed: bool
    reasons: tuple[Reason, ...] = ()
    """Why it did not pass; empty when it did."""

    @property
    def verdict(self) -> Literal["pass", "fail", "incomplete"]:
        """`incomplete` when all that speaks against it is what could not be looked at."""
        if self.passed:
            return "pass"
        return "incomplete" if all(reason.unknown for reason in self.reasons) else "fail"


@cache
def gates() -> Mapping[str, Gate]:
    """All declared gates by name."""
    declared = tomllib.loads(FILE.read_text("utf-8"))
    return MappingProxyType({name: Gate.model_validate(each) for name, each in declared.items()})


def gate_of(name: str, project: ProjectConfig) -> Gate:
    """Omni's gate with what the project asks for instead. Raises `V005` when that is less, without a reason."""
    gate, own = gates()[name], project.gates.get(name)
    if own is None:
        return gate
    asked = gate.model_copy(
        update={
            "refuse": own.refuse or gate.refuse,
            "required": tuple(dict.fromkeys((*gate.required, *own.required))),
            "at_least": {**gate.at_least, **own.at_least},
        }
    )
    if (less := "; ".join(_weaker(gate, asked))) and len(own.because) < SHORTEST_REASON:
        raise OmniError(BAD_CONFIG, f"verify.gates.{name} asks for less than Omni ({less}) and does not say because")
    return asked


def concessions(project: ProjectConfig) -> Iterator[str]:
    """What the project's gates ask for less than Omni's, each with why. Raises `V005` as `gate_of` does."""
    for name, own in project.gates.items():
        if name not in gates():
            raise OmniError(BAD_CONFIG, f"verify.gates: there is no gate “{name}”; known: {', '.join(gates())}")
        if less := "; ".join(_weaker(gates()[name], gate_of(name, project))):
            yield f"gate {name}: {less}, because: {own.because}"


def _weaker(gate: Gate, asked: Gate) -> Iterator[str]:
    if ORDER.index(asked.refuse) > ORDER.index(gate.refuse):
        yield f"refuses from {asked.refuse} instead of {gate.refuse}"
    for name, least in gate.at_least.items():
        if asked.at_least[name] < least:
            yield f"{name} of {asked.at_least[name]:g} instead of {least:g}"


def decide(report: Report, gate: Gate, numbers: Mapping[str, float] | None = None) -> Decision:
    """Whether the report passes. `numbers`, such as a scorecard's scores, are added to the checks' metrics."""
    results = [result for result in report.results if not gate.tiers or result.tier in gate.tiers]
    measured = {name: value for result in results for name, value in result.metrics.items()} | dict(numbers or {})
    reasons = (
        *_unanswered(gate, report, results),
        *(_finding(finding) for result in results for finding in _refused(result, gate)),
        *(_status(result) for result in results if result.status not in gate.statuses),
        *_numbers(gate, measured),
    )
    return Decision(gate=gate.title, passed=not reasons, reasons=reasons)


def _unanswered(gate: Gate, report: Report, results: list[CheckResult]) -> Iterator[Reason]:
    """What should have been looked at and was not."""
    for tier in gate.tiers:
        if tier not in report.tiers:
            yield Reason(
                what=f"tier {tier} did not run", where="", fix=f"Type: omni verify --tier {tier}", unknown=True
            )
    ran = {result.check: result for result in results}
    for names in gate.required:
        named = [(name, ran.get(name)) for name in names.split("|")]
        if not any(result and result.status is not Status.SKIPPED for _, result in named):
            name, result = named[0]
            why = result.reason if result else "it was not asked for"
            what = f"{name} must run, and did not: {why}"
            yield Reason(what=what, where="", fix=f"Make {name} run.", unknown=True)
    if all(result.status is Status.SKIPPED for result in results):
        fix = "Name a folder with code in it."
        yield Reason(what="nothing was looked at", where=report.target, fix=fix, unknown=True)


def _refused(result: CheckResult, gate: Gate) -> Iterator[Finding]:
    least = ORDER.index(gate.refuse)
    return (finding for finding in result.findings if ORDER.index(finding.severity) >= least)


def _finding(finding: Finding) -> Reason:
    where = ":".join(str(part) for part in (finding.path, finding.line) if part)
    what = f"{finding.check}/{finding.rule}: {finding.message}"
    return Reason(what=what, where=where, fix=finding.fix or "Mend it, or waive it in omni.toml with a reason.")


def _status(result: CheckResult) -> Reason:
    what = f"{result.check} is {result.status}: {result.reason}"
    fix = "Let it see all it should; what was not looked at is not known to be right."
    return Reason(what=what, where="", fix=fix, unknown=result.status is not Status.FAIL)


def _numbers(gate: Gate, measured: Mapping[str, float]) -> Iterator[Reason]:
    for name, least in gate.at_least.items():
        value = measured.get(name)
        if value is None:
            what = f"{name} was not measured; at least {least:g} is asked for"
            yield Reason(what=what, where="", fix="Measure it.", unknown=True)
        elif value < least:
            yield Reason(what=f"{name} is {value:g}, below {least:g}", where="", fix=f"Raise {name} to {least:g}.")
