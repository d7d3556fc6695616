"""Does the stages of one run: gives each what it may touch, keeps what it leaves, tells who watches."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Engine

from omni.kernel.artifacts import ArtifactStore
from omni.kernel.settings import Settings
from omni.models.budget import tokens_of
from omni.pipeline import approvals
from omni.pipeline.change import new_service
from omni.pipeline.change.flow import change_flow
from omni.pipeline.change.kinds import kind_asked
from omni.pipeline.flow import H, Verdict, flow
from omni.pipeline.gates import Answer, GateName, gates
from omni.pipeline.handoffs import Handoff
from omni.pipeline.run import Run, end_stage, start_stage
from omni.pipeline.stage import Stage, Work
from omni.pipeline.stages import s02_implementation
from omni.pipeline.workspace import Workspace
from omni.sandbox import choose
from omni.sandbox.job import Driver

Keep = Callable[[str, Callable[[], str]], str]
"""Runs a function under a name and keeps its result, so that it is not run twice."""

Wait = Callable[[str, float], None]
"""Waits until an approval is answered, at most so many seconds."""


@dataclass
class Runner:
    run: Run
    settings: Settings
    engine: Engine
    endpoint: str = ""
    reopened: int = 0
    """How often the run went on after its end."""
    failure: BaseException | None = None
    """Why a stage could not be done. The run then stays as it is: mend the cause and resume."""
    stopped: threading.Event = field(default_factory=threading.Event)
    _counts: Counter[str] = field(default_factory=Counter)
    _driver: Driver | None = None

    def execute(self, keep: Keep, wait: Wait) -> Verdict:
        """The whole flow, each stage and each question kept under a name of its own."""

        def do(stage: Stage[H]) -> H:
            attempt = self._count(stage.name)
            digest = keep(f"{stage.name}#{attempt}", lambda: self.stage(stage, attempt))
            return stage.handoff.model_validate_json(self._store().get(digest))

        def ask(gate: GateName, score: float) -> Answer | None:
            return self._ask(gate, score, keep, wait)

        if self.run.options.model and tokens_of(self.run.options.budget) is None:
            answer = ask("unlimited_budget", 0)
            if answer is None or answer.decision != "approved":
                return "rejected"
        if self.run.options.changes:
            kind = kind_asked(self.run.options.change, self.run.request)
            return change_flow(do, kind, self.run.options.retries, self.reopened)
        verdict = flow(do, ask, self.run.options.retries, self.reopened)
        made = self._counts[s02_implementation.STAGE.name] > 0  # a thin specification ends before there is anything
        if self.run.options.repository and made and verdict in {"pass", "incomplete"}:
            do(new_service.STAGE)
        return verdict

    def _ask(self, gate: GateName, score: float, keep: Keep, wait: Wait) -> Answer | None:
        rule, run, number = gates(self.run.options.profile)[gate], self.run.id, self._count(f"gate {gate}")
        name = f"{gate}#{number}"
        if not rule.asks(score):
            keep(name, lambda: approvals.pass_by_rule(self.engine, run, gate, rule, score, number))
            return None
        approval = keep(name, lambda: approvals.ask(self.engine, run, gate, rule, number))
        wait(approval, rule.timeout * 3600)
        return Answer.model_validate_json(keep(f"{name}:answer", lambda: approvals.close(self.engine, approval)))

    def stage(self, stage: Stage[Handoff], attempt: int) -> str:
        """Run one stage; returns the digest of its handoff."""
        work = Work(
            self.run,
            stage.name,
            attempt,
            self.settings,
            self.engine,
            self._store(),
            Workspace(self.settings.home / "runs" / self.run.id / "workspace", self.run.created_at),
            self.driver,
            self.endpoint,
        )
        if done := start_stage(self.engine, self.run.id, stage, attempt):
            return done
        handoff = stage.run(work)
        digest = work.put(handoff)
        end_stage(self.engine, self.run.id, stage, attempt, digest, handoff)
        return digest

    def driver(self) -> Driver:
        """The sandbox, chosen and proved once."""
        self._driver = self._driver or choose(self.settings)
        return self._driver

    def _store(self) -> ArtifactStore:
        return ArtifactStore(self.settings.home / "artifacts")

    def _count(self, name: str) -> int:
        self._counts[name] += 1
        return self._counts[name] - 1


def call_plainly(runner: Runner) -> Verdict:
    """The same flow by bare calls, without durability: what a benchmark measures the workflow against."""
    return runner.execute(lambda _name, function: function(), lambda _approval, _seconds: None)
