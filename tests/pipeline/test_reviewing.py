"""Review by models inside a run: over the real router, ledger, sandbox and a project that a model wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from omni.kernel.artifacts import ArtifactStore
from omni.kernel.database import open_database
from omni.kernel.settings import Settings, load_settings
from omni.models.script import Match, Record, Reply, Rule, Script, serve
from omni.pipeline.handoffs import (
    DesignHandoff,
    Handoff,
    ImplementationHandoff,
    SpecificationHandoff,
    VerificationHandoff,
)
from omni.pipeline.reviewing import DesignRecord, ReviewRecord, review_code, review_design
from omni.pipeline.run import RunOptions, create, end_stage, start_stage
from omni.pipeline.stage import Stage, Work
from omni.pipeline.stages import s00_specification, s02_implementation, s03_instant
from omni.pipeline.workspace import Workspace
from omni.review.design import DesignReview
from omni.review.scorecard import Score, Scorecard
from omni.sandbox import choose
from omni.spec.compiler import compile_request
from omni.spec.document import to_markdown
from omni.spec.request import parse_request

REQUEST = "a command line tool that joins names"
PROGRAM = '''"""Greets."""

import sys


def greeting(names: list[str]) -> str:
    """All names but none twice."""
    return "Hello " + ", ".join(names[:-1])


if __name__ == "__main__":
    print(greeting(sys.argv[1:]))
'''
BUG = {"path": "src/app/__main__.py", "line": 8, "quote": "names[:-1]"}
REMARK = {
    **BUG,
    "rule": "correctness",
    "severity": "error",
    "message": "The last name is left out.",
    "why": "The specification wants every name greeted.",
    "fix": "Take them all.",
    "replacement": "names",
}
HUNT = (
    "from app.__main__ import greeting\n\n\ndef test_all():\n    assert greeting(['Ada', 'Bob']) == 'Hello Ada, Bob'\n"
)
KNOCK = "def test_all(app):\n    out = app.run('Ada', 'Bob').out\n    assert 'Bob' in out, 'every name is greeted'\n"
OWN = {"summary": "It greets.", "files": [], "self_score": {"score": 9.5, "why": "it is short"}}
JUDGED = {
    "feedback": "The last name is lost.",
    "scores": [{"dimension": "correctness", "score": 2, "because": "it loses a name", "cites": [BUG]}],
    "remarks": [REMARK, {**REMARK, "line": 1}],
}


def role(name: str, said: Mapping[str, object]) -> Rule:
    """Whatever this role is asked, it says that."""
    return Rule(match=Match(system=f"({name})"), reply=Reply(text=json.dumps(said)), times=0)


def judging(**said: Mapping[str, object]) -> Script:
    rules = [role(name.replace("_", "."), reply) for name, reply in said.items()]
    return Script(rules=(*rules, Rule(match=Match(system="Hand over Findings"), reply=Reply(text="{}"), times=0),
                         Rule(match=Match(system="Hand over Attacks"), reply=Reply(text="{}"), times=0)))  # fmt: skip


@contextmanager
def working(
    folder: Path,
    record: Record,
    judge: Script | None,
    model: str = "writer-place/writer",
    budget: str = "1000000",
) -> Iterator[Work]:
    """A run whose specification is there and whose code a model wrote."""
    scripts = {"writer": Script(rules=(role("developer", OWN),)), **({"judge": judge} if judge else {})}
    home = folder / "home"
    home.mkdir()
    shared = load_settings().home / "envs"
    shared.mkdir(parents=True, exist_ok=True)
    (home / "envs").symlink_to(shared)
    with ExitStack() as stack:
        lines = []
        for name, script in scripts.items():
            url = stack.enter_context(serve(script, record))
            lines.append(
                f'[[endpoint]]\nname = "{name}-place"\nbase_url = "{url}"\n'
                f'models = [{{ wire_name = "{name}", capability = "heavy", context = 65536 }}]\n'
            )
        (home / "models.toml").write_text("".join(lines))
        settings = Settings(home=home, database_url=f"sqlite:///{home / 'omni.db'}")
        engine = open_database(settings)
        stack.callback(engine.dispose)
        run = create(engine, REQUEST, RunOptions(model=model, budget=budget))
        store = ArtifactStore(home / "artifacts")
        workspace = Workspace(home / "workspace", datetime(2026, 1, 1, tzinfo=UTC))
        yield filled(Work(run, "review", 0, settings, engine, store, workspace, lambda: choose(settings)))


def filled(work: Work) -> Work:
    spec = compile_request(parse_request(work.run.request))
    work.workspace.create()
    document = to_markdown(spec).encode()
    work.workspace.write({"docs/spec.md": (document, False), "src/app/__init__.py": (b"", False)})
    first = work.workspace.commit("docs: specify", work.trailers("specification"))
    work.workspace.write({"src/app/__main__.py": (PROGRAM.encode(), False)})
    by = work.trailers("developer") | {"Omni-Model": "writer-place/writer"}
    second = work.workspace.commit("feat: greet", by)
    left(work, s00_specification.STAGE, SpecificationHandoff(
        spec=work.put(spec), document=work.store.put(document), completeness=9, commit=first))  # fmt: skip
    left(work, s02_implementation.STAGE, ImplementationHandoff(
        spec="", commit=second, changed=True, files=2, lines=9, package="app", trace={}, undelivered={},
        models=("writer-place/writer",)))  # fmt: skip
    why = ("types: a name may be None",)
    instant = VerificationHandoff(passed=False, reasons=why, tier=1, verdict="fail", report="", seconds=1)
    left(work, s03_instant.STAGE, instant)
    return work


def left(work: Work, stage: Stage[Handoff], handoff: Handoff) -> None:
    start_stage(work.engine, work.run.id, stage, 0)
    end_stage(work.engine, work.run.id, stage, 0, work.put(handoff), handoff)


def reviewed(work: Work) -> ReviewRecord:
    return review_code(work, work.handoff(ImplementationHandoff, "implementation"))


@pytest.mark.slow
@pytest.mark.host
def test_what_a_model_wrote_is_judged_attacked_and_tested_from_outside(tmp_path: Path) -> None:
    record = Record()
    attack = {**REMARK, "kind": "test", "script": HUNT}
    stranger = {"tests": [{"criterion": "AC1", "name": "test_all", "code": KNOCK}]}
    script = judging(reviewer=JUDGED, P4_1={"attacks": [attack]}, P1_3=stranger)
    with working(tmp_path, record, script) as work:
        found = reviewed(work)
        asked = len(record.asked)
        assert reviewed(work) == found  # the same calls: what was answered is not asked again
    assert (found.missing, found.files) == ({}, ("src/app/__main__.py",))
    assert [(review.title, review.model, review.independent) for review in found.reviews] == [
        ("code", "judge-place/judge", True),
        ("security", "judge-place/judge", True),
    ]
    assert [len(review.dropped) for review in found.reviews] == [1, 1]
    assert found.unjudged() == ""
    proofs = {assault.role: [proof.verdict for proof in assault.proofs] for assault in found.assaults}
    assert proofs == {"P4.1": ["confirmed"], "P4.2": [], "P4.3": []}
    assert [each.role for each in found.found] == ["P2.4", "P4.4"]
    assert [(each.criterion, each.outcome) for each in found.intent[0].tried] == [("AC1", "broken")]
    shown, broken = found.blocking()
    assert shown == (
        "shown to be wrong: The last name is left out. (src/app/__main__.py:8): AssertionError: assert 'Hello Ada' == "
        "'Hello Ada, Bob'"
    )
    assert broken == (
        "criterion AC1 is not kept, by a test of judge-place/judge from the specification alone: every name is greeted"
    )
    assert len(found.blocking(waived=("AC1",))) == 1
    card = found.joined(Scorecard(scores=(Score(dimension="correctness", title="C", score=10.0, evidence=()),)))
    assert (card.scores[0].score, card.scores[0].disagreement, card.author, card.overrated) == (2.0, 8.0, 9.5, 7.5)
    assert record.unexpected == []
    assert asked == len(record.asked) == 9
    told = [json.dumps(each.request) for each in record.asked]
    assert sum("instant, attempt 0: types: a name may be None" in each for each in told) == 4
    assert not any("a name may be None" in each or "names[:-1]" in each for each in told if "black-box" in each.lower())


@pytest.mark.host
def test_a_model_alone_does_not_approve_its_own_work(tmp_path: Path) -> None:
    record = Record()
    with working(tmp_path, record, None, model="auto") as work:
        found = reviewed(work)
        design = review_design(work, DesignReview(10.0, ()))
    assert record.asked == []
    assert found.missing == {
        "models": "no other model than writer-place/writer is enabled, and a model does not approve its own work"
    }
    assert found.unjudged() == (
        "what a model wrote is shown by its own tests alone: no other model than writer-place/writer is enabled, and a "
        "model does not approve its own work. To accept that: --waive independence"
    )
    assert found.unjudged(waived=("independence",)) == ""
    card = found.joined(Scorecard(scores=()))
    assert (card.judge, card.independent) == ("evidence", False)
    assert (design.score, design.findings) == (10.0, ())


@pytest.mark.host
def test_a_reviewer_that_talks_nonsense_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    script = judging(reviewer={"nonsense": 1}, P1_3={"tests": []})
    with working(tmp_path, Record(), script) as work:
        found = reviewed(work)
    assert list(found.missing) == ["reviewer", "reviewer of security"]
    assert "feedback: Field required" in found.missing["reviewer"]
    assert (found.reviews, found.blocking(), len(found.own)) == ((), (), 1)
    assert found.unjudged().startswith("what a model wrote is shown by its own tests alone: ")
    card = Scorecard(scores=())
    assert found.joined(card) == card.model_copy(update={"author": 9.5})


def designed(folder: Path, reviewer: Mapping[str, object], *rules: Rule) -> tuple[DesignHandoff, DesignRecord]:
    fine = {"feedback": "Good.", "scores": []}
    script = judging(reviewer=reviewer, architect=fine)
    with working(folder, Record(), Script(rules=(*rules, *script.rules))) as work:
        found = review_design(replace(work, stage="design-review"), DesignReview(10.0, ()))
        return found, work.read(DesignRecord, found.reviews)


@pytest.mark.host
def test_a_design_with_an_error_that_holds_goes_to_a_person(tmp_path: Path) -> None:
    """The two disagree, argue in bounded rounds, and a rule decides."""
    first = to_markdown(compile_request(parse_request(REQUEST))).splitlines()[0]
    place = {"path": "docs/spec.md", "line": 1, "quote": first}
    against = {
        "feedback": "Nobody said who may greet.",
        "scores": [{"dimension": "security", "score": 3, "because": "open to all", "cites": [place]}],
        "remarks": [{**REMARK, **place, "message": "Nobody said who may greet."}],
    }
    stand = {"arguments": [{"claim": "it is so", "evidence": first}]}
    rules = [
        Rule(
            match=Match(system=f"({who})", contains="Take a position"),
            reply=Reply(text=json.dumps({**stand, "stance": stance})),
            times=0,
        )
        for who, stance in (("reviewer", "reject"), ("architect", "approve"))
    ]
    found, kept = designed(tmp_path, against, *rules)
    assert found.score == 3.0
    assert found.findings[-1] == "debate: reviewer rejects with an argument that holds; a person decides"
    assert found.findings[0] == "docs/spec.md:1 Nobody said who may greet."
    assert [len(debate.rounds) for debate in kept.debates] == [3]


@pytest.mark.host
def test_a_design_that_both_accept_keeps_its_score(tmp_path: Path) -> None:
    found, kept = designed(tmp_path, {"feedback": "Good.", "scores": []})
    assert (found.score, kept.debates, kept.missing) == (10.0, (), {})
    assert [review.independent for review in kept.reviews] == [True, True]
