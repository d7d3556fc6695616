"""A stage, and what it is given to work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, JsonValue
from sqlalchemy import Engine

from omni.kernel import events
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.settings import Settings
from omni.pipeline.handoffs import Handoff, SpecificationHandoff
from omni.pipeline.run import Run, handoff_of
from omni.pipeline.workspace import Workspace
from omni.sandbox.job import Driver
from omni.spec.model import Specification
from omni.templates.catalog import Template, get

H = TypeVar("H", bound=Handoff)
H_co = TypeVar("H_co", bound=Handoff, covariant=True)
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Stage(Generic[H_co]):
    """`number` is its place in the flow: 0 to 10; the design review stands between 1 and 2."""

    name: str
    number: str
    title: str
    run: Callable[[Work], H_co]
    handoff: type[H_co]


@dataclass(frozen=True)
class Work:
    """Everything a stage may touch. What it needs from earlier stages it asks for by type."""

    run: Run
    stage: str
    attempt: int
    settings: Settings
    engine: Engine
    store: ArtifactStore
    workspace: Workspace
    driver: Callable[[], Driver]
    endpoint: str = ""
    """Where an engine from outside asks models; empty: none is at work."""

    def handoff(self, kind: type[H], stage: str) -> H:
        """The newest handoff of `stage`. Raises KeyError when it has not run."""
        return kind.model_validate_json(self.store.get(handoff_of(self.engine, self.run.id, stage)))

    def put(self, model: BaseModel) -> str:
        """Store a model as an artifact; returns its digest."""
        return self.store.put(model.model_dump_json(indent=2).encode() + b"\n")

    def read(self, kind: type[M], digest: str) -> M:
        return kind.model_validate_json(self.store.get(digest))

    def emit(self, kind: str, **data: JsonValue) -> None:
        """An event of this stage, for whoever watches."""
        events.append(self.engine, self.run.id, kind, {"stage": self.stage, "attempt": self.attempt, **data})

    def spec(self) -> Specification:
        return self.read(Specification, self.handoff(SpecificationHandoff, "specification").spec)

    def template(self) -> Template:
        return get(self.spec().template)

    @property
    def trusted(self) -> bool:
        """Whether all code of the project is Omni's own. What a model wrote runs in full isolation or not at all."""
        return not self.run.options.model

    def trailers(self, role: str) -> dict[str, str]:
        """Provenance of a commit: who made it, from what; whoever asked a model puts its name in."""
        return {
            "Omni-Run": self.run.id,
            "Omni-Stage": self.stage,
            "Omni-Attempt": str(self.attempt),
            "Omni-Role": role,
            "Omni-Model": "none",
            "Omni-Prompt": "none",
            "Omni-Knowledge": "none",
        }

    @property
    def folder(self) -> Path:
        return self.settings.home / "runs" / self.run.id
