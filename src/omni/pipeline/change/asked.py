"""What was asked of a change: of which repository, of which kind, with which environment; and what is known so far."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from omni.code.analysis import Analysis
from omni.pipeline.change import prompts
from omni.pipeline.change.handoffs import ComprehensionHandoff
from omni.pipeline.change.kinds import Kind, kind_asked
from omni.pipeline.change.suite import Tester
from omni.pipeline.stage import H, Work
from omni.verify.config import load_config
from omni.verify.environment import find_environment


def source_of(work: Work) -> Path:
    return Path(work.run.options.repository)


def kind_of(work: Work) -> Kind:
    return kind_asked(work.run.options.change, work.run.request)


def environment_of(work: Work) -> Path | None:
    """The project's environment: named, or `.venv` in the repository itself; the copy has none."""
    given = Path(work.run.options.environment) if work.run.options.environment else None
    return find_environment(source_of(work), given, load_config(work.workspace.path))


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
