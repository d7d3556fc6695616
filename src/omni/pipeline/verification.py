"""Verification inside a run: one tier over the workspace, its gate, and the fixes that are safe to apply."""

from __future__ import annotations

from omni.pipeline.handoffs import VerificationHandoff
from omni.pipeline.stage import Work
from omni.pipeline.steps import check_steps, project_environment
from omni.templates.catalog import Template
from omni.verify.check import Tier
from omni.verify.engine import CheckEvent, verify
from omni.verify.gate import Decision, Gate, decide
from omni.verify.plan import Options
from omni.verify.report import Report, Status

STAGES: dict[Tier, str] = {1: "instant", 2: "fast", 3: "deep"}
"""Tier → the stage that runs it."""

WITHIN: tuple[Tier, ...] = (1, 2)
GATES: dict[Tier, Gate] = {
    1: Gate(title="Instant verification", tiers=(1,)),
    2: Gate(title="Fast verification", tiers=(2,), required=("tests",), at_least={"coverage.branch": 90}),
    # What tier 3 has to ask of the network may be missing: an offline build says so in its report, and goes on.
    3: Gate(title="Deep verification", statuses=frozenset(Status)),
}
"""What a build has to pass."""


def verify_tier(work: Work, tier: Tier) -> VerificationHandoff:
    """Run one tier; passed when the declared gate of a build lets it through."""

    def told(event: CheckEvent) -> None:
        if event.kind == "setup":
            work.emit("progress", text=event.message)
        else:
            status = event.result.status.value if event.result else "started"
            work.emit("check", check=event.check, status=status)

    report = verify(work.workspace.path, _options(work, tier), work.settings, told)
    if tier == 2:
        report = report.model_copy(update={"results": (*report.results, *check_steps(work))})
    decision = decide(report, GATES[tier])
    return VerificationHandoff(
        passed=decision.passed,
        reasons=_said(decision),
        tier=tier,
        verdict=decision.verdict,
        report=work.put(report),
        seconds=report.seconds,
    )


def faults(work: Work) -> tuple[str, ...]:
    """Why the workspace, as it is, does not pass the first two tiers; none: it does.

    A template's own steps are left to the stage.
    """
    path, settings = work.workspace.path, work.settings
    for tier in WITHIN:
        if reasons := _said(decide(verify(path, _options(work, tier), settings), GATES[tier])):
            return reasons
    return ()


def _said(decision: Decision) -> tuple[str, ...]:
    """Why a gate did not let something through."""
    if decision.passed:
        return ()
    return tuple(f"{reason.what} {reason.where} {reason.fix}".strip() for reason in decision.reasons)


def apply_fixes(work: Work) -> None:
    """Let every check of tier 1 that knows a safe fix apply it to the workspace."""
    verify(work.workspace.path, _options(work, 1, fix=True), work.settings)


def reports(work: Work) -> tuple[Report, ...]:
    """The newest report of each tier that ran, in order."""
    found = []
    for stage in STAGES.values():
        try:
            found.append(work.read(Report, work.handoff(VerificationHandoff, stage).report))
        except KeyError:
            continue
    return tuple(found)


def criteria_shown(found: tuple[Report, ...]) -> dict[str, bool]:
    """Acceptance criterion → whether every test that carries it passed; from the metrics `criterion.<id>`."""
    shown: dict[str, bool] = {}
    for result in (result for report in found for result in report.results):
        for name, value in result.metrics.items():
            if name.startswith("criterion."):
                criterion = name.removeprefix("criterion.")
                shown[criterion] = shown.get(criterion, True) and value == 1.0
    return shown


def done_by_steps(template: Template) -> dict[str, str]:
    """Check that a step of the template does → how: `check_steps` runs it with the packages, which no workspace has."""
    return {
        step.instead_of: f"the step “{step.title}” of the template does it, with its packages"
        for step in template.checks
        if step.instead_of
    }


def _options(work: Work, tier: Tier, *, fix: bool = False) -> Options:
    return Options(
        tiers=(tier,),
        fix=fix,
        environment=project_environment(work),
        trusted=work.trusted,
        elsewhere=done_by_steps(work.template()),
    )
