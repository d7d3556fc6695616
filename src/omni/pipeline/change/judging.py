"""The review of a change that its tests have proved: by other models than its author, each claim looked up or run.

A claim counts against the change where it speaks of what the change touched; a fault beside it is told, and mended by
another change. Where nobody can judge, the tests that others wrote may speak for the change; if neither does, nobody
but its author says that it is right, and that is said.
"""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field

from omni.agents.handoffs import kind_of as document_of
from omni.agents.roles import asker, load_role, of_stage
from omni.kernel.errors import OmniError
from omni.models.gateway import open_gateway
from omni.models.typed import Asker, quoted
from omni.models.wire import Attribution, Chat
from omni.pipeline.budget import open_budget, patient
from omni.pipeline.change import checkout
from omni.pipeline.change.asked import environment_of, every, kind_of, proved, steps_of, tester_of, texts_of
from omni.pipeline.change.handoffs import (
    BaselineHandoff,
    ComprehensionHandoff,
    EditHandoff,
    JudgedHandoff,
    ProofHandoff,
    RedHandoff,
)
from omni.pipeline.change.intended import Intended, test_intent
from omni.pipeline.change.kinds import TEST_FIRST, Kind
from omni.pipeline.change.preserved import beyond_functions, is_fixture, run_by_others
from omni.pipeline.change.suite import Suite
from omni.pipeline.code_review import STAGE, Asked, Change, change_of, review_change
from omni.pipeline.gates import gates
from omni.pipeline.independence import INDEPENDENCE, alone
from omni.pipeline.stage import Work
from omni.review.adversarial import Assault, Attacks, Proof, assault
from omni.review.citation import Cited, Model, material
from omni.review.ground import Ground
from omni.review.independence import barred, independent
from omni.verify import repository
from omni.verify.report import Finding, Report, Severity

CORRECT = "correctness"
"""The dimension in which a judge says that a change is right."""
AROUND = 3
"""Lines around a changed one that belong to the change, as a diff shows them."""


class ChangeReview(Model):
    """Everything that was said of a change, and what came of it."""

    authors: tuple[str, ...]
    report: Report | None = None
    assaults: tuple[Assault, ...] = ()
    intent: tuple[Intended, ...] = ()
    """One, where somebody could be asked."""
    beside: tuple[str, ...] = ()
    """Faults of code that the change did not touch."""
    missing: dict[str, str] = Field(default_factory=dict)
    """Who could not do its part → why."""
    speaks: tuple[str, ...] = ()
    """Who or what, other than the author, says that the change is right."""


@dataclass(frozen=True)
class _Said:
    record: ChangeReview
    reasons: tuple[str, ...] = ()
    """What of it leads back."""
    shown: tuple[str, ...] = ()
    """What of that was really shown."""


def judge(work: Work) -> JudgedHandoff:
    """The review of the newest change that was proved."""
    proof = proved(work)
    if proof is None:
        raise ValueError("there is nothing to judge: no change was proved")
    work.workspace.restore(proof.commit)
    authors = authors_of(work)
    speaks = _tests_of_others(work, proof, authors)
    if why := alone(work.settings, authors):
        said = _Said(ChangeReview(authors=authors, missing={"models": why}))
    else:
        said = _reviewed(work, authors)
    record = said.record.model_copy(update={"speaks": (*speaks, *approving(said.record, kind_of(work)))})
    return JudgedHandoff(
        passed=not said.reasons,
        reasons=said.reasons,
        commit=proof.commit,
        record=work.put(record),
        shown=said.shown,
        unheard=_unheard(record),
        unjudged="" if record.speaks or INDEPENDENCE in work.run.options.waive else _unjudged(record),
    )


def authors_of(work: Work) -> tuple[str, ...]:
    """The models that made the change itself, its steps too: each try goes on with what the one before left."""
    said = [edited.model for edited in every(work, EditHandoff, "change")]
    return _all_named([*said, *(step.model for _, step in steps_of(work))])


def testers_of(work: Work) -> tuple[str, ...]:
    """The models that wrote the test that comes first, in whichever try."""
    return _all_named([tested.model for tested in every(work, RedHandoff, "test-first")])


def _all_named(said: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for each in said for name in named(each)}))


def named(models: str) -> tuple[str, ...]:
    """The models of a trailer, each as `provider/model`."""
    return tuple(each for each in models.split(", ") if each not in {"", "none"})


def _tests_of_others(work: Work, proof: ProofHandoff, authors: tuple[str, ...]) -> tuple[str, ...]:
    """Tests that speak for the change, and that its author did not write."""
    before = work.read(Suite, work.handoff(BaselineHandoff, "baseline").suite)
    base = work.handoff(ComprehensionHandoff, "comprehension").base
    touched = [each.path for each in checkout.changed(work.workspace, base, proof.commit)]
    mended = sorted(before.named("failed") & work.read(Suite, proof.suite).named("passed"))
    said = [
        f"{name} was there and failed, and passes"
        for name in mended
        if before.tests[name].path not in touched and not any(map(is_fixture, touched))
    ]
    writers = testers_of(work)
    if writers and all(independent(each, authors) for each in writers):
        said += [f"{name}, by {', '.join(writers)}, failed and passes" for name in proof.green]
    if kind_of(work) not in TEST_FIRST:
        said += _kept(work, proof, before, touched)
    return tuple(said)


def _kept(work: Work, proof: ProofHandoff, before: Suite, touched: list[str]) -> tuple[str, ...]:
    """What is to stay as it is, is shown by tests that were there, if they run all of what changed."""
    base = work.handoff(ComprehensionHandoff, "comprehension").base
    then, now = texts_of(work, base, proof.commit)
    if beyond := beyond_functions(touched, then, now):
        work.emit("note", text=f"the tests that were there don't speak for it: {'; '.join(beyond[:5])}")
        return ()
    count, missed = run_by_others(tester_of(work), before, then, now)
    if missed or not count:
        work.emit("note", text=f"no test that was there runs {', '.join(missed[:10]) or 'what changed'}")
        return ()
    return (f"the tests that were there, unchanged, run each function that changed ({count}), and end as before",)


def approving(record: ChangeReview, kind: Kind) -> tuple[str, ...]:
    """Other models that say that it is right: by a score above the gate's, or by a test that tells old from new.

    Who gave it a lower score does not say so by a test. Where nothing is to change, one that ends as before tells as
    much.
    """
    least = _least_scores(record)
    judged = {model for model, score in least.items() if score > _least_asked()}
    telling = "shown" if kind in TEST_FIRST else "kept"
    tested = {each.model for each in record.intent if each.independent and each.named(telling)}
    return tuple(f"judged by {name}" for name in sorted(judged | (tested - least.keys())))


def _least_scores(record: ChangeReview) -> dict[str, float]:
    """Other model → the lowest score that it gave for being correct, with lines that show it; 0 to 10."""
    least: dict[str, float] = {}
    for each in record.report.results if record.report else ():
        if each.tool and independent(each.tool, record.authors):
            scores = [points for name, points in each.metrics.items() if name.endswith(f".{CORRECT}")]
            least |= {each.tool: min((*scores, least.get(each.tool, 10.0)))} if scores else {}
    return least


def _least_asked() -> float:
    """The score at or below which a person decides, where no person is asked otherwise."""
    return gates("autonomous")["code_review"].threshold


def _unheard(record: ChangeReview) -> str:
    """Why no other model said anything of it; empty: one did."""
    said = {each.tool for each in (record.report.results if record.report else ())}
    said |= {each.model for each in record.assaults} | {each.model for each in record.intent}
    if any(name and independent(name, record.authors) for name in said):
        return ""
    return "; ".join(dict.fromkeys(record.missing.values())) or "nobody answered"


def _unjudged(record: ChangeReview) -> str:
    low = [
        f"{model} gives {score:g} of 10 for {CORRECT}, where a person decides up to {_least_asked():g}"
        for model, score in _least_scores(record).items()
        if score <= _least_asked()
    ]
    why = "; ".join((*record.missing.values(), *low)) or "nobody answered with anything that shows it"
    return f"nobody but its author says that it is right: {why}. To accept that: --waive {INDEPENDENCE}"


def _reviewed(work: Work, authors: tuple[str, ...]) -> _Said:
    base = work.handoff(ComprehensionHandoff, "comprehension").base
    change = change_of(work.workspace.path, base)
    open_budget(work)
    with open_gateway(work.settings, work.engine) as gateway:
        chat = patient(work, gateway.chat)
        asked = Asked(base=base, spec=work.run.request, authors=authors, account=_account(work))
        report = review_change(work.workspace.path, asked, chat).report
        assaults, intent, missing = _tried(work, change, asked, chat)
    missing |= {each.title: each.reason for each in report.results if each.status in {"incomplete", "error"}}
    for name, why in missing.items():
        work.emit("note", text=f"no review by {name}: {why}")
    theirs = _in_change(change)
    errors = [each for each in report.findings if each.severity is Severity.ERROR]
    proofs = [proof for each in assaults for proof in each.proofs if proof.attack.severity == "error"]
    shown = tuple(_shown(each) for each in proofs if _touches(each.attack, theirs))
    beside = [_said(each) for each in errors if each.line not in theirs.get(each.path, ())]
    beside += [_shown(each) for each in proofs if not _touches(each.attack, theirs)]
    reasons = (
        *shown,
        *(_said(each) for each in errors if each.line in theirs.get(each.path, ())),
        *(
            f"a test of {one.model} from the request alone fails: {each.name}: {each.said.partition(chr(10))[0]}"
            for one in intent
            for each in one.named("broken")
            if one.independent
        ),
    )
    record = ChangeReview(
        authors=authors,
        report=report,
        assaults=assaults,
        intent=intent,
        beside=tuple(dict.fromkeys(beside)),
        missing=missing,
    )
    return _Said(record, tuple(dict.fromkeys(reasons)), shown)


def _tried(
    work: Work, change: Change, asked: Asked, chat: Chat
) -> tuple[tuple[Assault, ...], tuple[Intended, ...], dict[str, str]]:
    """The claims that come with something to run: attacks on the change, and tests of what was asked."""
    environment, missing = environment_of(work), dict[str, str]()
    if environment is None or not change.shown.files:
        return (), (), missing
    ground = Ground(work.workspace.path, environment, work.driver())
    extra, assaults, intent = quoted("what changed", change.touched), list[Assault](), list[Intended]()
    for role in of_stage(STAGE):
        if document_of(role.output) is Attacks and role.concerned(change.shown.files.values()):
            try:
                who = _member(work, role.id, chat, asked.authors)
                assaults.append(assault(who, change.shown, asked.spec, ground, asked.authors, extra))
            except OmniError as problem:
                missing[role.title] = str(problem)
    with tempfile.TemporaryDirectory(prefix="omni-before-") as folder:
        repository.export(work.workspace.path, asked.base, Path(folder))
        earlier = replace(ground, project=Path(folder))
        try:
            who = _member(work, "tester", chat, asked.authors)
            intent.append(test_intent(who, asked.spec, material(change.before), earlier, ground, asked.authors))
        except OmniError as problem:
            missing["intent"] = str(problem)
    return tuple(assaults), tuple(intent), missing


def _member(work: Work, role: str, chat: Chat, authors: tuple[str, ...]) -> Asker:
    return asker(load_role(role), chat, _account(work, role), not_models=barred(authors))


def _account(work: Work, role: str = "") -> Attribution:
    """Of whom the budget pays for; a review of several names each of them itself."""
    call = "/".join(filter(None, (f"{work.stage}#{work.attempt}", role)))
    return Attribution(run=work.run.id, stage=work.stage, call=call)


def _in_change(change: Change) -> dict[str, frozenset[int]]:
    """Path → the lines of it that the change shows: what it added or changed, and a little around."""
    return {path: _lines(change.before.get(path, ""), text) for path, text in change.shown.files.items()}


def _lines(old: str, new: str) -> frozenset[int]:
    matcher = difflib.SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
    return frozenset(
        line
        for tag, _, _, start, end in matcher.get_opcodes()
        if tag != "equal"
        for line in range(start + 1 - AROUND, end + 1 + AROUND)
    )


def _touches(cited: Cited, theirs: Mapping[str, frozenset[int]]) -> bool:
    return cited.line in theirs.get(cited.path, ())


def _said(each: Finding) -> str:
    return f"{each.path}:{each.line} {each.message} {each.why} {each.fix}".strip()


def _shown(proof: Proof) -> str:
    attack = proof.attack
    return f"shown to be wrong: {attack.message} ({attack.path}:{attack.line}): {proof.said.partition(chr(10))[0]}"
