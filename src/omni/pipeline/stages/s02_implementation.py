"""Stage 2: code, tests and documents from the specification; again with the safe fixes when checks fail."""

from __future__ import annotations

from pathlib import Path

from omni.pipeline.handoffs import ImplementationHandoff, SpecificationHandoff
from omni.pipeline.stage import Stage, Work
from omni.pipeline.steps import prepare
from omni.pipeline.verification import apply_fixes
from omni.templates.render import render


def run(work: Work) -> ImplementationHandoff:
    spec = work.handoff(SpecificationHandoff, "specification")
    before = _before(work, spec.spec)
    work.workspace.restore(before.commit if before else spec.commit)
    if before:
        apply_fixes(work)
        commit = work.workspace.commit("fix: mend what verification found", work.trailers("implementation"))
        return before.model_copy(update={"commit": commit, "changed": commit != before.commit})

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
        lines=sum(file.data.count(b"\n") for path, file in project.files.items() if Path(path).suffix in SOURCE),
        package=project.package,
        trace=project.trace,
        undelivered={item.ref: item.why for item in project.undelivered},
    )


SOURCE = {".py", ".ts", ".tsx", ".js", ".css", ".html", ".sql"}


def _before(work: Work, spec: str) -> ImplementationHandoff | None:
    """The attempt before this one, if it was made from the same specification."""
    try:
        before = work.handoff(ImplementationHandoff, "implementation")
    except KeyError:
        return None
    return before if before.spec == spec else None


STAGE = Stage("implementation", "2", "Implementation", run, ImplementationHandoff)
