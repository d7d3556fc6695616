"""A migration: planned, then file by file, the whole suite after each; a step that breaks it is taken back.

Each step is a stage of its own with a commit of its own, so that a run that is killed goes on at the step it was at,
and so that the series reads as what was done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from omni.code.analysis import Analysis
from omni.models.typed import quoted
from omni.pipeline.change import checkout, preserved, prompts, proof
from omni.pipeline.change.asked import manifests, message, newest, overview_of, start, tester_of, texts_of
from omni.pipeline.change.dependencies import add, against, declared, declaring, drop
from omni.pipeline.change.handoffs import BaselineHandoff, ComprehensionHandoff, PlanHandoff, StepHandoff
from omni.pipeline.change.migration import Migration, Step, left, migration_of, steps
from omni.pipeline.change.suite import Suite, run_safely
from omni.pipeline.change.worker import Assignment, Worker
from omni.pipeline.stage import Work
from omni.verify import repository

NO_STEPS = "Nothing that it names is used in this repository, so there is nothing to migrate."
SHOWN = 12_000
"""Characters of a diff that was taken back, that its author is shown again."""


def plan(work: Work) -> PlanHandoff:
    """Which files, in which order; and the new packages declared, so that there is an environment that has them."""
    base = work.handoff(ComprehensionHandoff, "comprehension").base
    work.workspace.restore(base)
    migration = migration_of(work.run.request)
    if migration is None:
        return PlanHandoff(commit=base, migration="", steps=())
    analysis = work.read(Analysis, work.handoff(ComprehensionHandoff, "comprehension").analysis)
    planned = steps(migration, _texts(work), analysis.imports)
    if not planned:
        return PlanHandoff(passed=False, reasons=(NO_STEPS,), commit=base, migration=migration.id, steps=())
    for number, step in enumerate(planned, 1):
        work.emit("progress", text=f"{number}. {step.title}")
    texts = manifests(work.workspace.path)
    added = add(texts, migration.adds)
    if reasons := _undeclared(migration.adds, texts, added):
        return PlanHandoff(passed=False, reasons=reasons, commit=base, migration=migration.id, steps=())
    _write(work, added)
    why = f"The next {len(planned)} commits need {', '.join(migration.adds)}."
    commit = work.workspace.commit(f"build: what {migration.id} needs\n\n{why}", work.trailers("plan"))
    return PlanHandoff(commit=commit, migration=migration.id, steps=planned, adds=migration.adds)


def do_step(work: Work, number: int, worker: Worker) -> StepHandoff:
    """One file; what breaks a test, or leaves the file as it was, is taken back and told."""
    planned = work.handoff(PlanHandoff, "plan")
    step, begin, tried = planned.steps[number], start(work), newest(work, StepHandoff, work.stage)
    work.workspace.restore(begin)
    tester = tester_of(work)
    assignment = Assignment(
        role="developer",
        instructions=prompts.step(work.run.request, step, tester.by_hand, tried.reasons if tried else ()),
        context=(overview_of(work), *_before(work, tried)),
        protected=_protected(work),
        # In the files as it left them: not if another step stands since.
        goes_on=tried.unfinished if tried and tried.commit == begin else "",
    )
    done = worker(work, assignment)
    trailers = work.trailers("developer") | {"Omni-Model": done.model, "Omni-Prompt": done.prompt}
    commit = work.workspace.commit(message("refactor", step.title, done.summary), trailers)
    now = run_safely(tester_of(work)) if commit != begin else Suite(problem=f"nothing was changed: {done.summary}")
    reasons = _against(work, step, now)
    work.emit("progress", text=f"{step.title}: {now.told}{'; taken back' if reasons else ''}")
    diff = checkout.diff(work.workspace, begin, commit) if reasons and commit != begin else ""
    return StepHandoff(
        passed=not reasons,
        reasons=reasons,
        commit=begin if reasons else commit,
        path=step.path,
        told=now.told,
        tried=work.store.put(diff.encode()) if diff else "",
        model=done.model,
        summary=done.summary,
        unfinished=done.unfinished,
    )


def release(work: Work) -> StepHandoff:
    """Where no file is on the old side any more, what served it is declared no more."""
    planned, begin = work.handoff(PlanHandoff, "plan"), start(work)
    work.workspace.restore(begin)
    migration = _migration(work)
    still = left(migration, _texts(work))
    if still:
        reasons = tuple(f"{path} is not migrated{_why(work, planned, path)}" for path in still)
        return StepHandoff(passed=False, reasons=reasons, commit=begin, path="")
    texts = manifests(work.workspace.path)
    kept = {each: declaring(texts | drop(texts, [each]), each) for each in migration.drops}
    gone = [each for each in migration.drops if not kept[each]]
    told = tuple(
        f"{name} is still declared in {', '.join(paths)}: take it out there, of a list with hashes by what made it"
        for name, paths in kept.items()
        if paths
    )
    _write(work, drop(texts, gone))
    why = "No file uses it any more, and the whole suite says what it said before without it."
    subject = f"build: {' and '.join(gone)} {'is' if len(gone) == 1 else 'are'} needed no more"
    commit = work.workspace.commit(f"{subject}\n\n{why}", work.trailers("plan"))
    now = run_safely(tester_of(work)) if commit != begin else None
    before = work.read(Suite, work.handoff(BaselineHandoff, "baseline").suite)
    against = ((now.problem,) if now.problem else tuple(proof.broken(before, now))) if now else ()
    return StepHandoff(
        passed=not (against or told),
        reasons=(*against, *told),
        commit=begin if against else commit,
        path="",
        told=now.told if now else "",
    )


def _undeclared(packages: Sequence[str], texts: Mapping[str, str], added: Mapping[str, str]) -> tuple[str, ...]:
    """What a person has to declare, since Omni does not; a project that declares nothing gets no manifest."""
    first = "yourself first, and commit that"
    older = {each: ", ".join(against(texts, each)) for each in packages}
    told = [f"declare {each} {first}: {paths} asks for another version of it" for each, paths in older.items() if paths]
    missing = ", ".join(each for each in packages if not declaring({**texts, **added}, each))
    places = ", ".join(path for path, text in texts.items() if declared({path: text}))
    if missing and places:
        why = "Omni writes into no list with hashes and no table of Poetry's"
        told.append(f"declare {missing} {first}: {why}, as in {places}")
    return tuple(told)


def _write(work: Work, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        (work.workspace.path / path).write_text(text, "utf-8", newline="")


def _why(work: Work, planned: PlanHandoff, path: str) -> str:
    """What the last try of a file's step said."""
    said = [
        newest(work, StepHandoff, f"step-{number}") for number, step in enumerate(planned.steps) if step.path == path
    ]
    reasons = next((each.reasons for each in reversed(said) if each and each.reasons), ())
    return f": {reasons[0]}" if reasons else ""


def _against(work: Work, step: Step, now: Suite) -> tuple[str, ...]:
    """Why a step is taken back."""
    before = work.read(Suite, work.handoff(BaselineHandoff, "baseline").suite)
    base = work.handoff(ComprehensionHandoff, "comprehension").base
    reasons = [now.problem] if now.problem else proof.broken(before, now)
    reasons += preserved.weakened(*texts_of(work, base, work.workspace.head()))
    place = work.workspace.path / step.path
    text = place.read_text("utf-8", "replace") if place.is_file() else ""
    if not reasons and step.kind != "join" and _migration(work).on_old_side(step.path, text):
        reasons.append(f"{step.path} still uses what it is to be moved from")
    return tuple(reasons)


def _before(work: Work, tried: StepHandoff | None) -> tuple[str, ...]:
    if tried is None or not tried.tried:
        return ()
    return (
        quoted("your last try, which was taken back", work.store.get(tried.tried).decode("utf-8", "replace")[:SHOWN]),
    )


def _protected(work: Work) -> tuple[str, ...]:
    """Tests that know nothing of the old side stay as they are: they say what the program does."""
    migration = _migration(work)
    return tuple(
        path
        for path, text in _texts(work).items()
        if proof.is_test_file(path) and not path.endswith("conftest.py") and not migration.on_old_side(path, text)
    )


def _migration(work: Work) -> Migration:
    found = migration_of(work.run.request)
    if found is None:
        raise ValueError("a step without a migration")
    return found


def _texts(work: Work) -> dict[str, str]:
    root = work.workspace.path
    return {name: _text(root / name) for name in repository.listed_files(root) or () if (root / name).is_file()}


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace")
