"""What was asked of a change: of which repository, of which kind, with which environment; and what is known so far."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from omni.code.analysis import Analysis
from omni.kernel.errors import OmniError
from omni.pipeline.change import prompts
from omni.pipeline.change.checkout import changed
from omni.pipeline.change.dependencies import declared, environment_with, name_of, satisfied, unknown
from omni.pipeline.change.handoffs import (
    ComprehensionHandoff,
    EditHandoff,
    PlanHandoff,
    ProofHandoff,
    RedHandoff,
    StepHandoff,
)
from omni.pipeline.change.kinds import Kind, kind_asked
from omni.pipeline.change.suite import Tester
from omni.pipeline.run import stage_records
from omni.pipeline.stage import H, Work
from omni.verify.analysis.manifests import is_python_manifest
from omni.verify.config import load_config
from omni.verify.environment import find_environment
from omni.verify.repository import blobs, listed_files, read

STEP = "step-"
"""How the names of the stages begin that are steps of a migration."""


def source_of(work: Work) -> Path:
    return Path(work.run.options.repository)


def kind_of(work: Work) -> Kind:
    return kind_asked(work.run.options.change, work.run.request)


def environment_of(work: Work) -> Path | None:
    """The project's environment: named, or `.venv` in the repository itself; the copy has none.

    Where the change declares other packages than the repository did, one that Omni makes with them. Raises OmniError
    when that can't be made.
    """
    named = Path(work.run.options.environment) if work.run.options.environment else None
    given = find_environment(source_of(work), named, load_config(work.workspace.path))
    understood = newest(work, ComprehensionHandoff, "comprehension")
    if given is None or understood is None:
        return given
    then, now = declared(manifests_at(work, understood.base)), declared(manifests(work.workspace.path))
    plan = newest(work, PlanHandoff, "plan")
    meant = [each for each in (plan.adds if plan else ()) if name_of(each) in now or not now]
    others = sorted(now - then - {name_of(each) for each in meant})
    if strange := unknown(others):
        work.emit("note", text=f"not installed, since nobody knows it: {', '.join(strange)}")
    adds = [*meant, *(name for name in others if name not in strange)]
    if then <= now and all(satisfied(each, given) for each in adds):
        return given
    try:
        return environment_with(given, adds, then - now, work.settings, lambda text: work.emit("progress", text=text))
    except OmniError as problem:
        if adds:
            raise
        work.emit("note", text=f"what is needed no more is still in the environment of the tests: {problem.why}")
        return given


def manifests(root: Path) -> dict[str, str]:
    """The files of a project that declare packages of Python, as they are."""
    listed = (name for name in listed_files(root) or () if is_python_manifest(name))
    return {name: (root / name).read_text("utf-8", "replace") for name in listed if (root / name).is_file()}


def manifests_at(work: Work, commit: str) -> dict[str, str]:
    """The same as they were in a commit."""
    root = work.workspace.path
    paths = [path for path in blobs(root, commit) if is_python_manifest(path)]
    return {path: data.decode("utf-8", "replace") for path, data in read(root, commit, paths).items()}


def tester_of(work: Work) -> Tester:
    path = work.workspace.path
    return Tester(path, load_config(path), environment_of(work), work.driver)


def overview_of(work: Work) -> str:
    analysis = work.read(Analysis, work.handoff(ComprehensionHandoff, "comprehension").analysis)
    return prompts.overview(analysis)


def newest(work: Work, kind: type[H], stage: str) -> H | None:
    """The newest handoff of a stage; None when it has not run."""
    try:
        return work.handoff(kind, stage)
    except KeyError:
        return None


def every(work: Work, kind: type[H], stage: str) -> tuple[H, ...]:
    """What a stage left, each time."""
    records = stage_records(work.engine, work.run.id)
    return tuple(work.read(kind, each.output) for each in records if each.name == stage and each.output)


def proved(work: Work) -> ProofHandoff | None:
    """The newest proof that a change passed; None when none did."""
    records = reversed(stage_records(work.engine, work.run.id))
    passed = (each.output for each in records if each.name == "proof" and each.status == "passed" and each.output)
    return next((work.read(ProofHandoff, output) for output in passed), None)


def edited(work: Work) -> EditHandoff | None:
    """The newest change of the whole; None when there is none, or when a step of a migration stands that it lacks."""
    for each in reversed(stage_records(work.engine, work.run.id)):
        if each.name == "change" and each.output:
            return work.read(EditHandoff, each.output)
        if re.fullmatch(rf"{STEP}\d+", each.name) and each.status == "passed":
            return None
    return None


def texts_of(work: Work, base: str, tip: str) -> tuple[dict[str, str], dict[str, str]]:
    """The files that differ between two commits, as they were in each; what is missing in one is missing there."""
    root = work.workspace.path
    paths = [each.path for each in changed(work.workspace, base, tip)]
    then, now = (
        {path: data.decode("utf-8", "replace") for path, data in read(root, commit, paths).items()}
        for commit in (base, tip)
    )
    return then, now


def steps_of(work: Work) -> tuple[tuple[str, StepHandoff], ...]:
    """Every try of every step of a migration, with the name of its stage, in order."""
    records = (each for each in stage_records(work.engine, work.run.id) if each.name.startswith(STEP) and each.output)
    return tuple((each.name, work.read(StepHandoff, each.output)) for each in records)


def start(work: Work) -> str:
    """The commit that the change itself begins at: after its test, or after the last step that stands."""
    if first := newest(work, RedHandoff, "test-first"):
        return first.commit
    if done := steps_of(work):
        return done[-1][1].commit
    plan = newest(work, PlanHandoff, "plan")
    return plan.commit if plan else work.handoff(ComprehensionHandoff, "comprehension").base


def message(title: str, request: str, summary: str) -> str:
    """A commit's message: what was asked as its subject, and below why it is right, in the words of who did it."""
    said = re.sub(r"^(please )?(fix|mend|repair|add|test|refactor)(es)?\s+", "", _clean(request), flags=re.IGNORECASE)
    subject = f"{title}: {said}".partition("\n")[0]
    if len(subject) > 72:
        subject = textwrap.shorten(subject, 72, placeholder=" …")
    paragraphs = (textwrap.fill(each, 72) if len(each) > 72 else each for each in _clean(summary).splitlines())
    return "\n".join((subject, "", *paragraphs)).strip()


def _clean(text: str) -> str:
    return re.sub(r"[^\S\n]+|[\x00-\x09\x0b-\x1f\x7f]", " ", text).strip()
