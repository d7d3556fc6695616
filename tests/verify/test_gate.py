from __future__ import annotations

import pytest

from omni.kernel.errors import OmniError
from omni.verify.config import OwnGate, ProjectConfig
from omni.verify.gate import Decision, Gate, concessions, decide, gate_of, gates
from omni.verify.report import CheckResult, Coverage, Finding, Report, Severity, Status


def finding(severity: Severity = Severity.ERROR) -> Finding:
    return Finding(check="own", rule="bad", severity=severity, path="a.py", line=3, message="it is bad", fix="Mend it.")


def result(
    name: str = "own", status: Status = Status.PASS, *findings: Finding, reason: str = "", **metrics: float
) -> CheckResult:
    return CheckResult(
        check=name, title=name, tier=1, status=status, reason=reason, findings=findings,
        coverage=Coverage(seen=1), metrics={key.replace("_", "."): value for key, value in metrics.items()},
    )  # fmt: skip


def decided(gate: Gate, *results: CheckResult, **numbers: float) -> list[tuple[str, str, str]]:
    report = Report(target="app", tiers=(1,), results=results, seconds=1, isolation="none")
    decision = decide(report, gate, numbers)
    assert decision.passed is (not decision.reasons)
    return [(reason.what, reason.where, reason.fix) for reason in decision.reasons]


def test_the_declared_gates_are_valid() -> None:
    assert set(gates()) == {"default", "instant", "fast", "release", "exhaustive"}


def test_a_clean_report_passes() -> None:
    report = Report(target="app", tiers=(1,), results=(result(),), seconds=1, isolation="none")
    assert decide(report, gates()["instant"]) == Decision(gate="Tier 1: instant verification", passed=True)


def test_a_finding_refuses_with_place_and_what_to_do() -> None:
    reason = ("own/bad: it is bad", "a.py:3", "Mend it.")
    assert decided(Gate(title="g"), result("own", Status.FAIL, finding())) == [reason]


def test_the_severity_is_the_gates() -> None:
    warned = result("own", Status.PASS, finding(Severity.WARNING))
    assert decided(Gate(title="g"), warned) == []
    assert len(decided(Gate(title="g", refuse=Severity.WARNING), warned)) == 1


def test_what_was_not_seen_refuses() -> None:
    for status in (Status.INCOMPLETE, Status.ERROR):
        (reason,) = decided(Gate(title="g"), result("own", status, reason="the tool crashed"))
        assert reason[0] == f"own is {status}: the tool crashed"


def test_nothing_at_all_refuses() -> None:
    assert decided(Gate(title="g"), result("own", Status.SKIPPED))[0][0] == "nothing was looked at"
    assert decided(Gate(title="g"))[0][0] == "nothing was looked at"


def test_a_tier_that_did_not_run_refuses() -> None:
    (reason,) = decided(Gate(title="g", tiers=(1, 2)), result())
    assert reason == ("tier 2 did not run", "", "Type: omni verify --tier 2")


def test_a_required_check_must_have_run() -> None:
    gate = Gate(title="g", required=("tests",))
    assert decided(gate, result("tests")) == []
    (skipped,) = decided(gate, result(), result("tests", Status.SKIPPED, reason="there are no such files"))
    assert skipped[0] == "tests must run, and did not: there are no such files"
    (absent,) = decided(gate, result())
    assert absent[0] == "tests must run, and did not: it was not asked for"


def test_of_checks_that_stand_in_for_each_other_one_must_have_run() -> None:
    gate = Gate(title="g", required=("tests|javascript-tests",))
    absent = result("tests", Status.SKIPPED, reason="there is no Python")
    assert decided(gate, absent, result("javascript-tests")) == []
    neither, _ = decided(gate, absent, result("javascript-tests", Status.SKIPPED, reason="there is no package.json"))
    assert neither[0] == "tests must run, and did not: there is no Python"


def test_numbers_are_held_against_their_least_value() -> None:
    gate = Gate(title="g", at_least={"coverage.branch": 90, "score": 8.5})
    assert decided(gate, result(coverage_branch=90), score=8.5) == []
    assert [reason[0] for reason in decided(gate, result(coverage_branch=89.5))] == [
        "coverage.branch is 89.5, below 90",
        "score was not measured; at least 8.5 is asked for",
    ]


def own_gate(name: str = "fast", **asked: object) -> ProjectConfig:
    return ProjectConfig(gates={name: OwnGate.model_validate(asked)})


def test_a_project_may_ask_for_more() -> None:
    project = own_gate(required=["typos"], refuse="warning", at_least={"coverage.branch": 95, "mutation.score": 80})
    gate = gate_of("fast", project)
    assert gate.required == ("tests|javascript-tests|language-tests", "typos")
    assert (gate.refuse, dict(gate.at_least)) == (Severity.WARNING, {"coverage.branch": 95, "mutation.score": 80})
    assert list(concessions(project)) == []


def test_less_needs_a_reason_that_is_shown() -> None:
    because = "a third of it is generated, and tested by its generator"
    project = own_gate(at_least={"coverage.branch": 80}, because=because)
    assert gate_of("fast", project).at_least["coverage.branch"] == 80
    assert list(concessions(project)) == [f"gate fast: coverage.branch of 80 instead of 90, because: {because}"]
    for project in (own_gate(at_least={"coverage.branch": 80}), own_gate("release", refuse="error", because="no")):
        with pytest.raises(OmniError, match="asks for less than Omni"):
            list(concessions(project))


def test_an_unknown_gate_is_an_error() -> None:
    with pytest.raises(OmniError, match="there is no gate"):
        list(concessions(own_gate("quick")))


@pytest.mark.parametrize(
    ("status", "covered", "verdict"),
    [
        (Status.INCOMPLETE, 95, "incomplete"),
        (Status.ERROR, 95, "incomplete"),
        (Status.INCOMPLETE, 50, "fail"),
        (Status.PASS, 95, "pass"),
    ],
)
def test_what_is_not_known_to_be_right_is_not_wrong(status: Status, covered: float, verdict: str) -> None:
    results = (result(status=status, coverage_branch=covered),)
    report = Report(target="app", tiers=(1,), results=results, seconds=1, isolation="none")
    assert decide(report, Gate(title="g", at_least={"coverage.branch": 90})).verdict == verdict
