"""Stage 0: the request becomes a specification, scored for completeness, committed and locked by its digest."""

from __future__ import annotations

from omni.pipeline.approvals import revisions
from omni.pipeline.handoffs import SpecificationHandoff
from omni.pipeline.stage import Stage, Work
from omni.spec.adopt import adopt
from omni.spec.compiler import compile_request
from omni.spec.completeness import assess
from omni.spec.document import to_markdown
from omni.spec.request import parse_request
from omni.templates.catalog import get

MINIMUM = 8.0
"""Completeness below which no code is written (thresholds ST0b)."""


def run(work: Work) -> SpecificationHandoff:
    options = work.run.options
    text = "\n".join((work.run.request, *revisions(work.engine, work.run.id)))
    if options.template:
        get(options.template)
    spec = compile_request(parse_request(text), options.answers, options.template or None)
    if options.model:
        spec = adopt(spec)
    completeness = assess(spec)
    document = to_markdown(spec).encode()
    work.workspace.create()
    work.workspace.write({"docs/spec.md": (document, False)})
    made = SpecificationHandoff(
        passed=completeness.score >= MINIMUM,
        reasons=tuple(f"{rule.title}: {rule.missing}" for rule in completeness.rules if rule.missing),
        spec=work.put(spec),
        document=work.store.put(document),
        completeness=completeness.score,
        open_questions=tuple(question.text for question in spec.questions),
        commit=work.workspace.commit("docs: specify what was asked", work.trailers("specification")),
    )
    if not (options.model and made.passed):
        return made
    from omni.pipeline.specialists import advise  # what asks models takes time to load, and most builds ask none

    return made.model_copy(update={"specialists": advise(work, spec, document.decode())})


STAGE = Stage("specification", "0", "Specification", run, SpecificationHandoff)
