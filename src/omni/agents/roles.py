"""Roles and specialists: who does the work. Each is a folder of `roles/`: `role.toml` and `prompt.md`.

Six roles are responsible; 28 specialists (P0.1 … P6.5) do the work of a stage. What one may use, reads and hands over
is data; a prompt is a file with a version.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from omni.agents.handoffs import Envelope, decisions, kind_of, wrong
from omni.kernel.errors import Exit, OmniError, declare
from omni.models.typed import Answer, Asker, Document, quoted, schema
from omni.models.wire import Attribution, Capability, Chat, Model, Want

NO_ROLE = declare("A042", "There is no such role", Exit.USAGE, "Type: omni roles")
BAD_ROLE = declare("A043", "A role can't be used", Exit.FAILED, "Correct its role.toml.")
NOT_GIVEN = declare("A044", "A role lacks what it works from", Exit.FAILED, "Run the stage that hands it over first.")

TOOLS = ("bash", "read", "search", "edit", "write", "verify", "spec", "ask")
"""Tools that can be granted."""
HANDS = frozenset({"bash", "edit", "write"})
"""Those that change a workspace."""

Trait = Literal["new-code", "accounts", "api", "entities", "integrations", "jobs", "pages", "personal-data", "uploads"]
"""What a specification may hold (`omni.agents.assignment.traits`)."""
Size = Literal["simple", "medium", "complex", "unlimited"]
"""Of a budget: the presets of `omni.models.budget` (thresholds D8A.1)."""
Does = Literal["document", "code", "change", "review"]
"""Writes a document before code; writes the code; changes what was written; judges it."""


class Call(Model):
    """When a build calls on a specialist by itself."""

    stage: str
    order: Annotated[int, Field(ge=1)]
    """Among the specialists of its stage."""
    does: Does
    budget: Size
    """The smallest in which it is worth its tokens."""
    when: tuple[Annotated[tuple[Trait, ...], Field(min_length=1)], ...] = ()
    """Of each group, one at least is in the specification; no group: always."""
    task: str = ""
    """What it is told to do at this stage."""

    @property
    def condition(self) -> str:
        """`when` in words."""
        return " and ".join(group[0] if len(group) == 1 else f"({' or '.join(group)})" for group in self.when)


class Role(Model):
    """`id` is a word for a role, `P1.2` for a specialist."""

    id: Annotated[str, Field(pattern=r"^(P[0-6]\.[1-9]|[a-z][a-z-]*)$")]
    title: str
    version: Annotated[int, Field(ge=1)]
    """Of the prompt: raised with every change of it."""
    stages: tuple[str, ...]
    """Names of pipeline stages in which it works."""
    responsible: str = ""
    """Of a specialist: the role that answers for it."""
    purpose: str
    inputs: tuple[str, ...]
    """Documents that it has to be given, by name."""
    optional: tuple[str, ...] = ()
    """Documents that it reads when they are there."""
    output: str
    tools: tuple[str, ...]
    knowledge: tuple[str, ...]
    """Collections of knowledge that it may be shown."""
    capability: Capability
    concerns: str = ""
    """Regular expression: it is called in where something of what is judged matches; empty: always."""
    call: Call | None = None
    """Of a specialist; the six roles are at work wherever they answer for something."""
    prompt: str = ""

    @model_validator(mode="after")
    def _called_for_what_it_can(self) -> Role:
        if self.specialist != (self.call is not None):
            raise ValueError("a specialist says when it is called, and nobody else does")
        if self.call and self.call.stage not in self.stages:
            raise ValueError(f"it is called in {self.call.stage}, where it does not work")
        if self.call and (self.call.does in {"code", "change"}) != bool(HANDS & set(self.tools)):
            raise ValueError("who writes needs bash, edit or write, and nobody else has them")
        return self

    @property
    def specialist(self) -> bool:
        return self.id.startswith("P")

    def concerned(self, texts: Iterable[str]) -> bool:
        """Whether these texts are a matter for it."""
        return any(re.search(self.concerns, text) for text in texts)

    @property
    def prompt_id(self) -> str:
        return f"{self.id}@{self.version}"


@cache
def roles() -> dict[str, Role]:
    """All of them by id: the six roles first, then the specialists in order. Raises `A043`."""
    folder = files("omni.agents").joinpath("roles")
    found = [_load(each) for each in folder.iterdir() if each.joinpath("role.toml").is_file()]
    return {role.id: role for role in sorted(found, key=lambda role: (role.specialist, role.id))}


def load_role(role_id: str) -> Role:
    """Raises `A042`."""
    try:
        return roles()[role_id]
    except KeyError as problem:
        raise OmniError(NO_ROLE, f"{role_id}; there are {', '.join(roles())}") from problem


def of_stage(stage: str) -> tuple[Role, ...]:
    """The specialists that a stage can call on."""
    return tuple(role for role in roles().values() if role.specialist and stage in role.stages)


@cache
def house_rules() -> str:
    """What every role is told first: the same bytes for all, so that a server keeps them at hand."""
    return files("omni.agents").joinpath("roles", "house.md").read_text("utf-8").strip()


def system(role: Role) -> str:
    """The static part of every prompt of a role. What varies is said after it, never in it."""
    tools = ", ".join(role.tools) if role.tools else "none"
    return f"{house_rules()}\n\n# Your role: {role.title} ({role.id})\n\n{role.prompt}\n\nTools granted: {tools}."


def asker(
    role: Role, chat: Chat, attribution: Attribution, *, model: str = "", not_models: tuple[str, ...] = ()
) -> Asker:
    """The role, ready to be asked. `not_models` must not answer: nobody reviews their own work."""
    want = Want(capability=role.capability, model=model, not_models=not_models)
    account = attribution.model_copy(update={"role": role.id, "prompt": role.prompt_id})
    return Asker(chat, system(role), want, account)


@dataclass(frozen=True)
class Consulted:
    envelope: Envelope
    answer: Answer[Document]


def consult(role: Role, who: Asker, task: str, given: Sequence[Envelope] = (), case: str = "") -> Consulted:
    """Ask a role for its document, from the documents that it reads and every decision made so far.

    `case`: what it is about, quoted; it is told first.
    Raises `A044` when an input is missing, and like `Asker.ask`.
    """
    held = {envelope.kind for envelope in given}
    if missing := [name for name in role.inputs if name not in held]:
        raise OmniError(NOT_GIVEN, f"{role.id} was not given {', '.join(missing)}")
    read = [envelope for envelope in given if envelope.kind in {*role.inputs, *role.optional}]
    asked = "\n\n".join(filter(None, (case, question(task, read, given))))
    answer = who.ask(kind_of(role.output), asked, lambda said: wrong(said, read))
    envelope = Envelope(
        kind=role.output,
        document=answer.document.model_dump(mode="json"),
        role=role.id,
        prompt=role.prompt_id,
        model=answer.model,
        made_from=tuple(each.digest for each in read),
    )
    return Consulted(envelope, answer)


def question(task: str, read: Sequence[Envelope], given: Sequence[Envelope]) -> str:
    """The part of a prompt that varies: the task last, since the end is what a model keeps best."""
    settled = "\n".join(f"- {each.what} ({each.why})" for each in decisions(given))
    blocks = [quoted(envelope.kind, Model.model_dump_json(envelope)) for envelope in read]
    blocks += [quoted("decisions already made; keep them", settled)] if settled else []
    return "\n\n".join((*blocks, f"Your task: {task}"))


def describe(role: Role) -> dict[str, object]:
    """A role with the schema of what it hands over, for `omni roles show`."""
    return role.model_dump(mode="json") | {"prompt_id": role.prompt_id, "schema": schema(kind_of(role.output))}


def _load(folder: Traversable) -> Role:
    try:
        declared = tomllib.loads(folder.joinpath("role.toml").read_text("utf-8"))
        prompt = folder.joinpath("prompt.md").read_text("utf-8").strip()
        role = Role.model_validate(declared | {"prompt": prompt})
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as problem:
        raise OmniError(BAD_ROLE, str(problem), where=folder.name) from problem
    if unknown := set(role.tools) - set(TOOLS):
        raise OmniError(BAD_ROLE, f"there is no tool {', '.join(sorted(unknown))}", where=folder.name)
    return role
