"""The flow: its order, its loops, its ends. Stages are scripted here; they run for real in test_build.py."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from omni.pipeline.flow import MAX_REVISIONS, STAGES, flow
from omni.pipeline.gates import Answer, GateName
from omni.pipeline.handoffs import Handoff
from omni.pipeline.stage import H, Stage

DEFAULTS: dict[str, dict[str, object]] = {
    "specification": {"spec": "s", "document": "d", "completeness": 9.0, "commit": "c"},
    "context": {"template": "t", "sections": (), "window": 1, "history": ()},
    "design-review": {"score": 9.0},
    "implementation": {
        "spec": "s",
        "commit": "c",
        "changed": True,
        "files": 1,
        "lines": 1,
        "package": "p",
        "trace": {},
        "undelivered": {},
    },
    "instant": {"tier": 1, "verdict": "pass", "report": "r", "seconds": 0.1},
    "fast": {"tier": 2, "verdict": "pass", "report": "r", "seconds": 0.1},
    "deep": {"tier": 3, "verdict": "pass", "report": "r", "seconds": 0.1},
    "review": {"scorecard": "s", "score": 9.0, "account": "a"},
    "human-gate": {"approvals": ()},
    "deployment": {},
    "post-deploy": {"scorecard": "s"},
    "learning": {"retrospective": "r"},
    "package": {"out": "o", "manifest": "m", "verdict": "pass"},
}


@dataclass
class Script:
    """Answers of stages and people, in order; when they run out, all is well."""

    fails: dict[str, list[bool]] = field(default_factory=dict)
    unchanged: bool = False
    answers: list[Answer] = field(default_factory=list)
    values: dict[str, dict[str, object]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def do(self, stage: Stage[H]) -> H:
        self.done.append(stage.name)
        queue = self.fails.get(stage.name, [])
        values = DEFAULTS[stage.name] | self.values.get(stage.name, {}) | {"passed": not (queue and queue.pop(0))}
        if stage.name == "implementation" and self.unchanged and self.done.count("implementation") > 1:
            values["changed"] = False
        return stage.handoff.model_validate(values)

    def ask(self, gate: GateName, score: float) -> Answer | None:
        self.done.append(f"? {gate}")
        return self.answers.pop(0) if self.answers else None


def test_the_order_when_all_is_well() -> None:
    script = Script()
    assert flow(script.do, script.ask, retries=2) == "pass"
    assert script.done == snapshot(
        [
            "specification",
            "? spec_approval",
            "context",
            "design-review",
            "? design_review",
            "implementation",
            "instant",
            "fast",
            "deep",
            "review",
            "? code_review",
            "? deployment",
            "human-gate",
            "deployment",
            "post-deploy",
            "learning",
            "package",
        ]
    )


def test_a_run_whose_budget_was_raised_goes_on_from_implementation() -> None:
    script = Script(fails={"review": [True, False]}, unchanged=True)
    assert flow(script.do, script.ask, retries=2, reopened=1) == "pass"
    before, after = script.done[:18], script.done[17:]
    assert before[-2:] == ["package", "implementation"]
    assert after == before[5:17], "nothing before it is done again, and what is there is verified all the same"


def test_a_thin_specification_stops_before_any_code() -> None:
    script = Script(fails={"specification": [True]})
    assert flow(script.do, script.ask, retries=2) == "incomplete"
    assert script.done == ["specification"]


def test_failed_verification_goes_back_to_implementation() -> None:
    script = Script(fails={"fast": [True]})
    assert flow(script.do, script.ask, retries=2) == "pass"
    assert [name for name in script.done if name in {"implementation", "instant", "fast", "deep"}] == [
        *("implementation", "instant", "fast"),
        *("implementation", "instant", "fast", "deep"),
    ]


def test_it_gives_up_when_trying_again_changes_nothing() -> None:
    script = Script(fails={"instant": [True, True, True]}, unchanged=True)
    assert flow(script.do, script.ask, retries=5) == "fail"
    assert script.done.count("implementation") == 2
    assert "deployment" not in script.done
    assert script.done[-1] == "package", "what was found is handed over all the same"


def test_what_could_not_be_looked_at_is_neither_right_nor_wrong() -> None:
    script = Script(fails={"fast": [True, True]}, values={"fast": {"verdict": "incomplete"}})
    assert flow(script.do, script.ask, retries=1) == "incomplete"
    assert "deployment" not in script.done
    assert script.done[-1] == "package"


def test_not_delivered_fails_but_is_handed_over() -> None:
    script = Script(fails={"review": [True]})
    assert flow(script.do, script.ask, retries=0) == "fail"
    assert script.done[-3:] == ["post-deploy", "learning", "package"]


def test_what_nobody_but_its_author_judged_is_no_pass() -> None:
    script = Script(values={"review": {"unjudged": "there is one model only"}})
    assert flow(script.do, script.ask, retries=2) == "incomplete"
    assert script.done[-3:] == ["post-deploy", "learning", "package"]


def test_a_failing_deployment_is_not_followed_by_post_deploy() -> None:
    script = Script(fails={"deployment": [True]})
    assert flow(script.do, script.ask, retries=0) == "fail"
    assert "post-deploy" not in script.done


def test_a_revision_starts_again_from_the_specification() -> None:
    script = Script(answers=[Answer(decision="revised", by="ada", reason="add tags")])
    assert flow(script.do, script.ask, retries=0) == "pass"
    assert script.done[:3] == ["specification", "? spec_approval", "specification"]


def test_a_rejection_ends_it() -> None:
    script = Script(answers=[Answer(decision="rejected", by="ada", reason="no")])
    assert flow(script.do, script.ask, retries=0) == "rejected"
    assert script.done == ["specification", "? spec_approval"]


@given(
    st.dictionaries(st.sampled_from([stage.name for stage in STAGES]), st.lists(st.booleans(), max_size=8)),
    st.lists(st.sampled_from(["approved", "revised", "rejected"]), max_size=30),
    st.integers(0, 3),
)
def test_it_ends_whatever_stages_and_people_say(fails: dict[str, list[bool]], words: list[str], retries: int) -> None:
    answers = [Answer.model_validate({"decision": word, "by": "x"}) for word in words]
    script = Script(fails={name: list(values) for name, values in fails.items()}, answers=answers)
    assert flow(script.do, script.ask, retries) in {"pass", "fail", "incomplete", "rejected"}
    assert script.done.count("specification") <= MAX_REVISIONS + 1
    assert script.done.count("implementation") <= (MAX_REVISIONS + 1) * (retries + 1)


def test_every_stage_has_a_handoff_of_its_own() -> None:
    names = [stage.name for stage in STAGES]
    assert len(set(names)) == len(names)
    assert all(issubclass(stage.handoff, Handoff) and stage.handoff is not Handoff for stage in STAGES)
