"""Stage 2 by a model: what no template knows, written into the project that the template made, until tests show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from omni.agents.limits import Limits
from omni.agents.log import SessionLog, answered_by
from omni.agents.roles import Role, system
from omni.agents.session import Outcome, Task
from omni.agents.tools import Toolbox
from omni.agents.workspace import AgentWorkspace
from omni.kernel import events
from omni.kernel.canonical import JsonValue
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models.catalog import load_catalog
from omni.models.errors import NO_SUCH_MODEL
from omni.models.gateway import open_gateway
from omni.models.typed import quoted
from omni.models.wire import Attribution, Want
from omni.pipeline.budget import more, open_budget, unfinished, way
from omni.pipeline.handoffs import ImplementationHandoff, SpecificationHandoff, VerificationHandoff
from omni.pipeline.hands import check_engine, prompt_of, work_on
from omni.pipeline.run import stage_records
from omni.pipeline.specialists import author, documents, named, shown_to
from omni.pipeline.stage import Work
from omni.pipeline.steps import project_environment
from omni.pipeline.verification import STAGES, apply_fixes, faults
from omni.pipeline.workspace import source_lines
from omni.spec.model import Specification
from omni.templates.render import shown_by

REMINDERS = 1
"""How often, in one attempt, a model is sent back that says it has finished and has not."""
WINDOW = 112_000
"""Tokens at most (thresholds D3B.1)."""
MOST_FINDINGS = 25
"""That are told at once."""
PROTECTED = ("docs/spec.md",)
"""What was asked is not changed by who builds it."""

RULES = """\
A template laid this project out from the specification, and what is there passes verification: lint and formatting
(ruff), types (mypy --strict), tests with a branch coverage of 90 %, security, documentation. What you add has to pass
it too. Look how the neighbours do things, and do it their way.

- Show each criterion by at least one test below `tests/` that carries its marker, `@pytest.mark.criterion("AC1")`.
  A criterion that no passing test carries counts as not delivered.
- What specialists handed over is advice. Where it disagrees with docs/spec.md, docs/spec.md holds.
- Change nothing that works unless the task needs it. Take no test away.
- Add no dependency: there is no network. The standard library and what requirements.lock holds are there.
- Say in README.md and CHANGELOG.md what can be done now.
- Call `finish` when all is done and its tests pass; say what you did, and what is missing."""


def by_model(work: Work, made: ImplementationHandoff) -> ImplementationHandoff:
    """What `made` left undelivered, and what verification found, worked on by a model.

    `made` is what to start from, committed and in the workspace. Raises OmniError when no model can be asked.
    """
    findings = findings_of(work)
    if not made.undelivered and not findings:
        return made
    if made.unfinished and not more(work):
        return made.model_copy(update={"passed": False, "reasons": (f"the model's work ended by budget. {way(work)}",)})
    base, role = made.base or made.commit, author(work)
    outcome, left, authors = _converse(work, role, made, findings)
    apply_fixes(work)
    mending = findings and not made.unfinished
    message = "fix: mend what verification found" if mending else "feat: deliver what no template knows"
    prompt = prompt_of(work, role.prompt_id)
    trailers = work.trailers(role.id) | {"Omni-Model": ", ".join(authors) or "none", "Omni-Prompt": prompt}
    commit = work.workspace.commit(message, trailers)
    reasons, gone = _complaints(outcome, changed=commit != made.commit), "Its test was taken away."
    if outcome.ended != "done" and commit != base and faults(work):
        work.workspace.lay(base)  # nobody is left to mend it, and what the template made works
        commit = work.workspace.commit("revert: back to what passes verification", work.trailers("implementation"))
        gone = "What the model did for it did not pass verification."
        reasons = (*reasons, "what the model left did not pass verification, so that the template's work is delivered")
    files = work.workspace.files()
    trace = shown_by(files)
    return made.model_copy(
        update={
            "passed": not reasons,
            "reasons": reasons,
            "commit": commit,
            "changed": made.changed or commit != made.commit,
            "files": len(files),
            "lines": source_lines(files),
            "trace": trace,
            "undelivered": _undelivered(work.spec(), made, trace, gone),
            "base": base,
            "models": tuple(sorted({*made.models, *authors})),
            "prompt": prompt,
            "unfinished": left,
        }
    )


def _complaints(outcome: Outcome, *, changed: bool) -> tuple[str, ...]:
    """What a person has to know of how the work ended."""
    end = f"ended by {outcome.ended}: {outcome.summary}"
    if not changed:
        return (f"the model changed nothing; it {end}",)
    return () if outcome.ended == "done" else (f"the model's work {end}",)


def check_model(settings: Settings, model: str, engine: str = "") -> None:
    """Raises OmniError when no enabled model goes by that name (`auto`: when none is enabled), or no engine does."""
    check_engine(engine)
    catalog = load_catalog(settings)
    if not (any(catalog.offers()) if model == "auto" else catalog.find(model)):
        called = "" if model == "auto" else f" that is called {model}"
        raise OmniError(NO_SUCH_MODEL, f"none is enabled{called}", fix="Type: omni models add local --base-url URL")


def _converse(
    work: Work, role: Role, made: ImplementationHandoff, findings: tuple[str, ...]
) -> tuple[Outcome, str, tuple[str, ...]]:
    """The sessions of this attempt: how the last one ended, its name if its budget did that, and who answered."""
    authors: set[str] = set()
    tools = toolbox(work, role)
    open_budget(work)
    with open_gateway(work.settings, work.engine) as gateway:
        for number in range(REMINDERS + 1):
            name = (number == 0 and made.unfinished) or f"{work.run.id}/implementation#{work.attempt}.{number}"
            log = SessionLog(work.engine, name)
            task = _task(work, role, made, findings, log.session, number)
            outcome = work_on(work, task, gateway.chat, tools, log)
            authors |= answered_by(work.engine, name)
            if outcome.ended != "done" or not _undelivered(work.spec(), made, shown_by(work.workspace.files())):
                break
    return outcome, unfinished(log), tuple(sorted(authors))


def _task(
    work: Work, role: Role, made: ImplementationHandoff, findings: tuple[str, ...], session: str, number: int
) -> Task:
    missing = _undelivered(work.spec(), made, shown_by(work.workspace.files()))
    return Task(
        session=session,
        system=system(role),
        context=(specification(work), *shown_to(role, documents(work)), RULES, layout(work)),
        instructions="\n".join((*_wanted(work.spec(), missing, again=number > 0), *_found(findings))),
        want=Want(capability=role.capability, model=named(work), tools=True),
        limits=Limits(window=window(work.settings, work.run.options.model)),
        attribution=Attribution(run=work.run.id, stage=work.stage, role=role.id, prompt=role.prompt_id),
        delegates=True,
    )


def specification(work: Work) -> str:
    """What was asked, as a block of data."""
    document = work.handoff(SpecificationHandoff, "specification").document
    return quoted("docs/spec.md", work.store.get(document).decode())


def window(settings: Settings, model: str) -> int:
    """Tokens of a request: what the model takes, less room for its reply; of several, what the largest takes."""
    catalog = load_catalog(settings)
    offers = catalog.offers() if model == "auto" else iter(catalog.find(model))
    known = [offer.context for _, offer in offers if offer.context]
    return min(WINDOW, max(known) * 7 // 8) if known else Limits().window


def toolbox(work: Work, role: Role, protected: tuple[str, ...] = PROTECTED) -> Toolbox:
    """The tools that a role is granted, over the workspace; `protected` paths may not change."""

    def tell(kind: str, data: Mapping[str, JsonValue]) -> None:
        events.append(work.engine, work.run.id, kind, data)

    return Toolbox(
        AgentWorkspace(work.workspace.path, protected),
        work.driver(),
        work.settings,
        spec=work.spec(),
        allowed=role.tools,
        environment=project_environment(work),
        tell=tell,
    )


def layout(work: Work) -> str:
    """The paths of the project, as a block of data."""
    return quoted("files of the project", "\n".join(work.workspace.files()))


def _wanted(spec: Specification, missing: dict[str, str], *, again: bool) -> Iterator[str]:
    """The items that nobody delivered, each with the criteria that verify it."""
    if again:
        yield "You said that you have finished, but these are not shown by any test that carries their marker.\n"
    if missing:
        yield "# Deliver\n"
    criteria = {criterion.id: criterion for criterion in spec.criteria}
    operations = {f"operation:{operation.id}": operation.description for operation in spec.operations}
    for ref in missing:
        if criterion := criteria.get(ref):
            yield f"- {ref}: given {criterion.given}; when {criterion.when}; then {criterion.then}."
        else:
            shown = [criterion.id for criterion in spec.criteria if ref in criterion.verifies]
            yield f"- {ref}: {operations.get(ref, 'as the specification says')} Criteria: {', '.join(shown) or 'none'}."


def _found(findings: tuple[str, ...]) -> Iterator[str]:
    if findings:
        yield "\n# Mend what verification found\n"
        yield quoted("findings", "\n".join(f"- {finding}" for finding in findings[:MOST_FINDINGS]))
    if len(findings) > MOST_FINDINGS:
        yield f"({len(findings) - MOST_FINDINGS} more of them; type `verify` to see.)"


def findings_of(work: Work) -> tuple[str, ...]:
    """Why the attempt before this one was sent back; none in the first attempt."""
    if work.attempt == 0:
        return ()
    tiers = [record for record in stage_records(work.engine, work.run.id) if record.name in STAGES.values()]
    newest = tiers[-1] if tiers else None
    return work.read(VerificationHandoff, newest.output).reasons if newest and newest.output else ()


def _undelivered(
    spec: Specification, made: ImplementationHandoff, trace: dict[str, tuple[str, ...]], gone: str = ""
) -> dict[str, str]:
    """What is still missing of `made.undelivered`, and each criterion whose tests are `gone`, and why."""
    verifying = {ref: [c.id for c in spec.criteria if ref in c.verifies] for ref in made.undelivered}

    def delivered(ref: str) -> bool:
        return ref in trace or (bool(verifying[ref]) and all(criterion in trace for criterion in verifying[ref]))

    missing = {ref: why for ref, why in made.undelivered.items() if not delivered(ref)}
    return missing | {ref: gone for ref in made.trace if ref not in trace}
