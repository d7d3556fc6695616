"""What a specialist of one craft finds in code: remarks whose citations were looked up."""

from __future__ import annotations

from collections.abc import Collection

from omni.models.typed import Asker, quoted
from omni.review.citation import Dropped, Findings, Material, Model, Remark, checked
from omni.review.independence import independent


class Found(Model):
    role: str
    model: str
    independent: bool
    remarks: tuple[Remark, ...]
    dropped: tuple[Dropped, ...] = ()


def find(who: Asker, shown: Material, specification: str, authors: Collection[str] = (), extra: str = "") -> Found:
    """Ask a specialist to look. Raises like `Asker.ask`."""
    parts = (
        quoted("specification", specification),
        extra,
        shown.shown(),
        "Your task: look at this code as your role says. Line numbers stand before each line.",
    )
    answer = who.ask(Findings, "\n\n".join(part for part in parts if part))
    kept, dropped = checked(answer.document.remarks, shown.files)
    return Found(
        role=who.attribution.role,
        model=answer.model,
        independent=independent(answer.model, authors),
        remarks=kept,
        dropped=dropped,
    )
