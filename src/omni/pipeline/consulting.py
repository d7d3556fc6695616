"""One role asked by a person: a task, files and earlier documents in, its document out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, ValidationError

from omni.agents.handoffs import BAD_HANDOFF, ApiContract, Envelope, kind_of, openapi, unpack
from omni.agents.roles import HANDS, asker, consult, load_role
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.ids import uuid7
from omni.models.wire import Attribution, Chat
from omni.review.adversarial import Attacks
from omni.review.citation import Dropped, Findings, checked, material
from omni.review.judge import Judgement, hold

NEEDS_HANDS = declare(
    "A047", "This role works in a workspace", Exit.USAGE, 'Let it work on a repository: omni build --repo PATH "…"'
)


@dataclass(frozen=True)
class Consultation:
    envelope: Envelope
    dropped: tuple[Dropped, ...]
    """Claims whose citation is wrong; they are not in the document."""
    openapi: Mapping[str, JsonValue] | None
    """Of a contract."""


def ask_role(
    role_id: str, task: str, files: Mapping[str, str], given: Sequence[Envelope], chat: Chat, model: str = ""
) -> Consultation:
    """Raises `A042`, `A044`, `A047`, and like `Asker.ask`."""
    role = load_role(role_id)
    if HANDS & set(role.tools):
        raise OmniError(NEEDS_HANDS, f"{role.id} is granted {', '.join(sorted(HANDS & set(role.tools)))}")
    shown = material(files)
    who = asker(role, chat, Attribution(run=uuid7(), stage=role.stages[0], call=role.id), model=model)
    asked = f"{task}\n\n{shown.shown()}" if shown.files else task
    envelope = consult(role, who, asked, given).envelope
    document = unpack(envelope, kind_of(envelope.kind))
    dropped: tuple[Dropped, ...] = tuple(Dropped(claim=path, why=why) for path, why in shown.left_out.items())
    if isinstance(document, Findings):
        remarks, wrong = checked(document.remarks, shown.files)
        document, dropped = document.model_copy(update={"remarks": remarks}), (*dropped, *wrong)
    elif isinstance(document, Attacks):
        attacks, wrong = checked(document.attacks, shown.files)
        document, dropped = document.model_copy(update={"attacks": attacks}), (*dropped, *wrong)
    elif isinstance(document, Judgement):
        document, wrong = hold(document, shown.files)
        dropped = (*dropped, *wrong)
    kept = envelope.model_copy(update={"document": document.model_dump(mode="json")})
    return Consultation(kept, dropped, openapi(document) if isinstance(document, ApiContract) else None)


def read_envelope(path: Path) -> Envelope:
    """An envelope that was kept in a file. Raises `A041`."""
    try:
        return Envelope.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as problem:
        raise OmniError(BAD_HANDOFF, str(problem), where=str(path)) from problem
