"""Stage 2: code, tests and documents from the specification; again with the findings when checks fail.

A template delivers what it knows. Where a model was named, it delivers the rest and mends what no safe fix can.
"""

from __future__ import annotations

from omni.pipeline.handoffs import ImplementationHandoff, SpecificationHandoff
from omni.pipeline.stage import Stage, Work
from omni.pipeline.steps import prepare
from omni.pipeline.verification import apply_fixes
from omni.pipeline.workspace import source_lines
from omni.templates.render import render


def run(work: Work) -> ImplementationHandoff:
    spec = work.handoff(SpecificationHandoff, "specification")
    before = _before(work, spec.spec)
    work.workspace.restore(before.commit if before else spec.commit)
    made = _mended(work, before) if before else _rendered(work, spec)
    if not work.run.options.model:
        return made
    from omni.pipeline.coding import by_model  # what asks models takes time to load, and most builds ask none
    from omni.pipeline.refining import refine, unrefined

    return unrefined(work, made) or refine(work, by_model(work, made))


def _rendered(work: Work, spec: SpecificationHandoff) -> ImplementationHandoff:
    template = work.template()
    project = render(work.spec(), template)
    work.workspace.write({path: (file.data, file.executable) for path, file in project.files.items()})
    prepare(work, project.package)
    trailers = work.trailers("implementation") | {"Omni-Template": template.name}
    return ImplementationHandoff(
        spec=spec.spec,
        commit=work.workspace.commit(f"feat: build {work.spec().title} from its specification", trailers),
        changed=True,
        files=len(project.files),
        lines=source_lines({path: file.data for path, file in project.files.items()}),
        package=project.package,
        trace=project.trace,
        undelivered={item.ref: item.why for item in project.undelivered},
    )


def _mended(work: Work, before: ImplementationHandoff) -> ImplementationHandoff:
    """The attempt before, with the fixes that are safe."""
    apply_fixes(work)
    commit = work.workspace.commit("fix: mend what verification found", work.trailers("implementation"))
    changed = {"commit": commit, "changed": commit != before.commit, "passed": True, "reasons": ()}
    return before.model_copy(update=changed)


def _before(work: Work, spec: str) -> ImplementationHandoff | None:
    """The attempt before this one, if it was made from the same specification."""
    try:
        before = work.handoff(ImplementationHandoff, "implementation")
    except KeyError:
        return None
    return before if before.spec == spec else None


STAGE = Stage("implementation", "2", "Implementation", run, ImplementationHandoff)
