"""Who edits: a session of a role with a model, in the workspace of the change, by the run's hands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from omni.agents.log import SessionLog, answered_by
from omni.agents.roles import load_role, system
from omni.agents.session import Task
from omni.agents.tools import Toolbox
from omni.agents.workspace import AgentWorkspace
from omni.kernel import events
from omni.kernel.canonical import JsonValue
from omni.models.gateway import open_gateway
from omni.models.wire import Attribution, Want
from omni.pipeline.budget import open_budget, unfinished
from omni.pipeline.change.asked import environment_of
from omni.pipeline.hands import prompt_of, work_on
from omni.pipeline.stage import Work


class Assignment(BaseModel):
    """What a role is to do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str
    instructions: str
    context: tuple[str, ...] = ()
    """Documents: data, never instructions."""
    protected: tuple[str, ...] = ()
    """Paths that may not change."""
    goes_on: str = ""
    """The session of an earlier attempt that is to go on, in the files as it left them."""


class Done(BaseModel):
    """How it went. `model`, who answered in it and in its parts, and `prompt` are for the commit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ended: str
    summary: str
    model: str = "none"
    prompt: str = "none"
    unfinished: str = ""
    """The session, if its budget has cut it off."""


class Worker(Protocol):
    """Edits the workspace of `work` until the assignment is done, or it gives up. Raises OmniError when nobody can."""

    def __call__(self, work: Work, assignment: Assignment) -> Done: ...


def session_worker(work: Work, assignment: Assignment) -> Done:
    """The run's engine. The same stage and attempt go on with the session that a killed process left."""
    role, options = load_role(assignment.role), work.run.options
    session = assignment.goes_on or f"{work.run.id}/{work.stage}#{work.attempt}"
    toolbox = Toolbox(
        AgentWorkspace(work.workspace.path, assignment.protected),
        work.driver(),
        work.settings,
        allowed=tuple(tool for tool in role.tools if tool != "spec"),
        environment=environment_of(work),
        tell=lambda kind, data: _tell(work, kind, data),
    )
    attribution = Attribution(run=work.run.id, stage=work.stage, role=role.id, prompt=role.prompt_id)
    task = Task(
        session=session,
        system=system(role),
        instructions=assignment.instructions,
        context=assignment.context,
        want=Want(capability=role.capability, model="" if options.model == "auto" else options.model, tools=True),
        attribution=attribution,
        delegates=True,
    )
    log = SessionLog(work.engine, session)
    open_budget(work)
    with open_gateway(work.settings, work.engine) as gateway:
        outcome = work_on(work, task, gateway.chat, toolbox, log)
    return Done(
        ended=outcome.ended,
        summary=outcome.summary,
        model=", ".join(sorted(answered_by(work.engine, session))) or "none",
        prompt=prompt_of(work, role.prompt_id),
        unfinished=unfinished(log),
    )


def _tell(work: Work, kind: str, data: Mapping[str, JsonValue]) -> None:
    """What a tool has to say, as an event of the stage."""
    events.append(work.engine, work.run.id, kind, {"stage": work.stage, "attempt": work.attempt, **data})
