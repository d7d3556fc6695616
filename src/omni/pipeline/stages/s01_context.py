"""Stage 1: what the builder gets to see, block by block with its size, recorded before any code is written."""

from __future__ import annotations

from omni.pipeline.estimates import history
from omni.pipeline.handoffs import ContextHandoff, Section, SpecificationHandoff
from omni.pipeline.stage import Stage, Work

WINDOW = 112_000


def run(work: Work) -> ContextHandoff:
    template = work.template()
    document = work.store.get(work.handoff(SpecificationHandoff, "specification").document).decode()
    earlier = history(work.engine, template.name)
    blocks = {
        "specification": ("docs/spec.md", document),
        "template": (f"templates/{template.name}", template.model_dump_json()),
        "history": ("earlier runs", "\n".join(earlier)),
    }
    return ContextHandoff(
        template=template.name,
        sections=tuple(
            Section(name=name, source=source, tokens=len(text) // 4) for name, (source, text) in blocks.items()
        ),
        window=WINDOW,
        history=earlier,
    )


STAGE = Stage("context", "1", "Context", run, ContextHandoff)
