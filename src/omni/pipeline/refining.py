"""One pass of the specialists that change what was written: structure, boundaries, types, delivery, documents.

It begins once the first two tiers let the author's work through. A change is kept when they still do, and when who made
it can say truly what it is; otherwise it is taken back in whole. Tests may not be changed: they are what a change is
measured by.
"""

from __future__ import annotations

from collections.abc import Iterable

from omni.agents.conversation import arguments
from omni.agents.handoffs import Change, Envelope
from omni.agents.limits import Limits
from omni.agents.log import Called, SessionLog, answered_by
from omni.agents.roles import Role, system
from omni.agents.session import Outcome, Task, run_session
from omni.kernel.errors import Exit, OmniError, declare
from omni.models.typed import WRONG_DOCUMENT, Answer, quoted
from omni.models.wire import Attribution, Want
from omni.pipeline.coding import PROTECTED, findings_of, layout, specification, toolbox, window
from omni.pipeline.handoffs import ImplementationHandoff
from omni.pipeline.specialists import (
    Contribution,
    Contributions,
    Desk,
    called,
    contribution,
    contributions,
    desk,
    documents,
    named,
    shown_to,
)
from omni.pipeline.stage import Work
from omni.pipeline.verification import apply_fixes, faults
from omni.pipeline.workspace import source_lines
from omni.templates.render import shown_by

TAKEN_BACK = declare(
    "P051", "A change was taken back", Exit.FAILED, "Nothing is to be done: the work before it stands."
)
STEPS = 30
"""Turns of one of them at most."""
TESTS = ("tests/**", "**/tests/**", "**/*.test.ts", "**/*.test.tsx")
MOST_SHOWN = 40_000
"""Characters of a change that its author is shown again."""
TOLD = 600
"""Characters of a reason that are kept."""

RULES = """\
This project passes verification: lint and formatting (ruff), types (mypy --strict), tests with a branch coverage of
90 %, security, documentation. What you change has to pass it too, or all of it is taken back.

- Tests can't be changed: they show that the program still does what it did.
- Change as little as your task needs. Add no dependency and no feature.
- Where nothing is to be done, call `finish` at once and say what you looked at."""

HAND_OVER = """\
Your task: hand over this change, which is yours. Name each file that it touches, and no other. Each line of `checked`
is a command that you ran, as you typed it, a colon, and what came of it."""


def refine(work: Work, made: ImplementationHandoff) -> ImplementationHandoff:
    """What models wrote after the pass, each change that stands a commit of its own; one pass in a run."""
    asked = called(work, work.spec(), "change")
    before = contributions(work, made.specialists)
    if not (asked and made.models and made.passed) or any(each.outcome != "not asked" for each in before):
        return made
    if why := faults(work):
        waiting = tuple(contribution(role, "not asked", f"verification comes first: {why[0]}"[:TOLD]) for role in asked)
        return made.model_copy(update={"specialists": work.put(Contributions(each=waiting))})
    with desk(work, work.spec()) as found:
        each = tuple(_refined(found, role, made) for role in asked)
    kept = [one for one in each if one.outcome == "kept"]
    return _as_it_is(work, made).model_copy(
        update={
            "models": tuple(sorted({*made.models, *(name for one in kept for name in one.model.split(", "))})),
            "specialists": work.put(Contributions(each=each)),
            "unrefined": made.commit if kept else "",
        }
    )


def unrefined(work: Work, made: ImplementationHandoff) -> ImplementationHandoff | None:
    """Without the changes of that pass, where verification refused the whole after it; None where they aren't why."""
    findings = findings_of(work)
    if not (made.unrefined and findings):
        return None
    work.workspace.lay(made.unrefined)
    work.workspace.commit("revert: back to before specialists changed it", work.trailers(work.stage))
    why = f"verification refused the whole afterwards: {findings[0]}"[:TOLD]
    each = tuple(
        one.model_copy(update={"outcome": "taken back", "why": why}) if one.outcome == "kept" else one
        for one in contributions(work, made.specialists)
    )
    update = {"specialists": work.put(Contributions(each=each)), "unrefined": "", "changed": True}
    return _as_it_is(work, made).model_copy(update=update)


def _as_it_is(work: Work, made: ImplementationHandoff) -> ImplementationHandoff:
    files = work.workspace.files()
    return made.model_copy(
        update={
            "commit": work.workspace.head(),
            "files": len(files),
            "lines": source_lines(files),
            "trace": shown_by(files),
        }
    )


def _refined(found: Desk, role: Role, made: ImplementationHandoff) -> Contribution:
    """What came of one of them; the workspace is as it was, or holds its change in a commit."""
    work = found.work
    before = work.workspace.head()
    try:
        return _changed(found, role, made)
    except OmniError as problem:
        work.workspace.restore(before)
        if problem.kind not in {TAKEN_BACK, WRONG_DOCUMENT}:
            return found.without(role, problem)
        work.emit("note", text=f"taken back, what the {role.title} ({role.id}) changed: {problem.why}")
        return contribution(role, "taken back", problem.why)


def _changed(found: Desk, role: Role, made: ImplementationHandoff) -> Contribution:
    """Its change, kept. Raises OmniError when it can't be, or when nobody answers."""
    work = found.work
    log = SessionLog(work.engine, f"{work.run.id}/{found.call(role)}")
    with found.at_work(role) as tokens:
        outcome = _worked(found, role, made, log, tokens)
    if outcome.ended != "done":
        raise OmniError(TAKEN_BACK, f"its work ended by {outcome.ended}: {outcome.summary}"[:TOLD])
    if not work.workspace.changed():
        return contribution(role, "nothing to do", outcome.summary[:TOLD])
    apply_fixes(work)
    if why := faults(work):
        raise OmniError(TAKEN_BACK, f"verification did not pass any more: {why[0]}"[:TOLD])
    answer = _handed_over(found, role, log)
    authors = ", ".join(sorted(answered_by(work.engine, log.session)))
    trailers = work.trailers(role.id) | {"Omni-Model": authors, "Omni-Prompt": role.prompt_id}
    commit = work.workspace.commit(f"refactor: {role.title.removesuffix(' agent').lower()}", trailers)
    document = answer.document.model_dump(mode="json")
    envelope = Envelope(kind=role.output, document=document, role=role.id, prompt=role.prompt_id, model=answer.model)
    update = {"model": authors, "commit": commit, "envelope": envelope}
    return contribution(role, "kept", answer.document.summary[:TOLD]).model_copy(update=update)


def _worked(found: Desk, role: Role, made: ImplementationHandoff, log: SessionLog, tokens: int | None) -> Outcome:
    """Its session, of so many tokens. Raises OmniError when nobody answers."""
    work = found.work
    written = quoted("files that a model wrote", work.workspace.git("diff", "--name-only", made.base, "HEAD"))
    task = Task(
        session=log.session,
        system=system(role),
        context=(specification(work), *shown_to(role, documents(work)), RULES, layout(work)),
        instructions=f"{written}\n\nYour task: {role.call.task if role.call else ''}",
        want=Want(capability=role.capability, model=named(work), tools=True),
        limits=Limits(steps=STEPS, tokens=tokens, window=window(work.settings, work.run.options.model)),
        attribution=Attribution(run=work.run.id, stage=work.stage, role=role.id, prompt=role.prompt_id),
    )
    return run_session(task, found.chat, toolbox(work, role, (*PROTECTED, *TESTS)), log)


def _handed_over(found: Desk, role: Role, log: SessionLog) -> Answer[Change]:
    """The document of a change, true to it. Raises like `Asker.ask`."""
    work = found.work
    changed, ran = work.workspace.changed(), _ran(log)
    shown = (
        quoted("your change", work.workspace.git("diff", "--cached")[:MOST_SHOWN]),
        quoted("commands that you ran", "\n".join(ran)),
    )
    tests = {path for path in work.workspace.files() if "test" in path}
    return found.who(role).ask(Change, "\n\n".join((*shown, HAND_OVER)), lambda said: untrue(said, changed, ran, tests))


def untrue(said: Change, changed: Iterable[str], ran: Iterable[str], tests: Iterable[str]) -> str:
    """Where a document is not what was really made; empty: it is."""
    named, touched = {each.path for each in said.files}, set(changed)
    cited = {path for paths in said.trace.values() for path in paths}
    commands = tuple(f"{command.strip()}:" for command in ran if command.strip())
    unrun = [line for line in said.checked if not line.startswith(commands)]
    problems = (
        ("it touches files that are not named", touched - named),
        ("it does not touch", named - touched),
        ("there is no test", cited - set(tests)),
        ("this was not run", unrun),
    )
    return "; ".join(f"{what}: {', '.join(sorted(which))}" for what, which in problems if which)


def _ran(log: SessionLog) -> tuple[str, ...]:
    """Commands that were really run, and the word for verification where that was."""
    calls = [line.entry.call for line in log.lines() if isinstance(line.entry, Called)]
    given = [(call.name, arguments(call) or {}) for call in calls if call.name in {"bash", "verify"}]
    return tuple(str(args.get("command", "")) if name == "bash" else name for name, args in given)
