"""Which specialists worked on a run: who, in which stage, by which model, on how many tokens, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine

from omni.agents.roles import roles
from omni.delivery.report_page import Specialist
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.settings import Settings
from omni.models.ledger import usage
from omni.pipeline.handoffs import ImplementationHandoff, ReviewHandoff, SpecificationHandoff
from omni.pipeline.reviewing import ReviewRecord
from omni.pipeline.run import stage_records
from omni.pipeline.specialists import Contributions


def specialists(settings: Settings, engine: Engine, run: str) -> tuple[Specialist, ...]:
    """In the order in which they were called; none where no model was asked."""
    store = ArtifactStore(settings.home / "artifacts")
    taken = {row.key: row.prompt + row.completion + row.wasted for row in usage(engine, ("stage", "role"), run=run)}
    newest = {record.name: record for record in stage_records(engine, run) if record.output}
    found = []
    for stage, record in newest.items():
        for role, model, outcome, why in _of_stage(store, stage, record.output):
            tokens = taken.get((stage, role), 0)
            title = roles()[role].title
            found.append(
                Specialist(role=role, title=title, stage=stage, model=model, tokens=tokens, outcome=outcome, why=why)
            )
    return tuple(found)


def markdown(found: tuple[Specialist, ...]) -> str:
    """The same as a page; empty where nobody was called."""
    if not found:
        return ""
    rows = (
        f"- **{each.role} {each.title}** ({each.stage}; {each.model or 'no model'}; {each.tokens} tokens): "
        f"{each.outcome}{'. ' if each.why else ''}{each.why}"
        for each in found
    )
    return "\n".join(("# Specialists", "", *rows, ""))


def _of_stage(store: ArtifactStore, stage: str, digest: str) -> Iterator[tuple[str, str, str, str]]:
    """Role, model, outcome, and why."""
    data = store.get(digest)
    if stage == "specification":
        yield from _contributed(store, SpecificationHandoff.model_validate_json(data).specialists)
    elif stage == "implementation":
        made = ImplementationHandoff.model_validate_json(data)
        if (writer := made.prompt.partition("@")[0]) in roles() and roles()[writer].specialist:
            yield writer, ", ".join(made.models), "wrote the code", "; ".join(made.reasons)
        yield from _contributed(store, made.specialists)
    elif stage == "review" and (kept := ReviewHandoff.model_validate_json(data).reviews):
        yield from _judged(ReviewRecord.model_validate_json(store.get(kept)))


def _contributed(store: ArtifactStore, digest: str) -> Iterator[tuple[str, str, str, str]]:
    if digest:
        for each in Contributions.model_validate_json(store.get(digest)).each:
            yield each.role, each.model, each.outcome, each.why


def _judged(record: ReviewRecord) -> Iterator[tuple[str, str, str, str]]:
    for looked in record.found:
        yield looked.role, looked.model, f"{len(looked.remarks)} remarks, {len(looked.dropped)} dropped", ""
    for tried in record.assaults:
        yield tried.role, tried.model, f"{len(tried.proofs)} shown to be wrong, {len(tried.dropped)} dropped", ""
    for intent in record.intent:
        yield "P1.3", intent.model, f"{len(intent.tried)} black-box tests tried, {len(intent.broken)} broken", ""
    for name, why in record.missing.items():
        if name in roles():
            yield name, "", "failed", why
