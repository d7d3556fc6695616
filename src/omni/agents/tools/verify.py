"""`verify`: Omni's own checks on what has changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from omni.agents.tools.tool import ToolResult, tool
from omni.kernel.errors import OmniError
from omni.models.wire import Model
from omni.verify.engine import Options
from omni.verify.engine import verify as examine
from omni.verify.report import CheckResult, Finding, Report, Status
from omni.verify.repository import NO_REVISION

if TYPE_CHECKING:
    from omni.agents.tools.toolbox import Toolbox

FINDINGS = 40
_ORDER = {"error": 0, "warning": 1, "note": 2}


class Arguments(Model):
    tier: Annotated[
        Literal[1, 2] | None,
        Field(description="1: only the instant checks (syntax, style, types, secrets); 2: only tests and security."),
    ] = None


def run(arguments: Arguments, toolbox: Toolbox) -> ToolResult:
    tiers: tuple[Literal[1, 2], ...] = (arguments.tier,) if arguments.tier else (1, 2)
    options = Options(tiers=tiers, changed=True, environment=toolbox.environment)
    root, settings = toolbox.workspace.root, toolbox.settings
    try:
        try:
            report = examine(root, options, settings)
        except OmniError as problem:
            if problem.kind is not NO_REVISION:
                raise
            report = examine(root, replace(options, changed=False), settings)  # nothing was committed yet
    except OmniError as problem:
        return ToolResult(text=f"{problem.kind.title}: {problem.why}. {problem.fix}", ok=False)
    return ToolResult(text=told(report), ok=report.verdict != "fail")


def told(report: Report) -> str:
    """The verdict, what failed or could not be looked at, and the findings, the worst first."""
    ran = [result for result in report.results if result.status is not Status.SKIPPED]
    passed = sum(result.status is Status.PASS for result in ran)
    lines = [f"{report.verdict}: {passed} of {len(ran)} checks pass, {report.seconds:.1f} s."]
    lines += [_result(result) for result in ran if result.status is not Status.PASS]
    findings = sorted(report.findings, key=lambda each: (_ORDER[each.severity], each.path, each.line or 0))
    lines += [_finding(each) for each in findings[:FINDINGS]]
    lines += [f"… {len(findings) - FINDINGS} findings more"] if len(findings) > FINDINGS else []
    return "\n".join(lines)


def _result(result: CheckResult) -> str:
    why = f": {result.reason}" if result.reason else f", {len(result.findings)} findings"
    return f"- {result.check} {result.status}{why}"


def _finding(finding: Finding) -> str:
    where = finding.path + (f":{finding.line}" if finding.line else "") or "project"
    fix = f" Fix: {finding.fix}" if finding.fix else ""
    return f"{where} {finding.severity} {finding.check}/{finding.rule}: {finding.message}{fix}"


TOOL = tool(
    "verify",
    "Run Omni's checks (syntax, types, style, secrets, security, tests) on what has changed since the last commit.",
    Arguments,
    run,
)
