"""Debate where two reviewers disagree: bounded rounds, each side sees the other's document, decided by rule.

Every argument must quote the material; one that does not counts for nothing. The rule: who agree have decided; where
they don't, a rejection with an argument that holds goes to a person, and one without is overruled.
"""

from __future__ import annotations

from typing import Literal

from omni.agents.handoffs import Argument, Position
from omni.models.typed import Asker, quoted
from omni.models.wire import Model

ROUNDS = 3
"""Positions that each side may take, the first included."""

Outcome = Literal["approve", "reject", "person"]


class Stand(Model):
    """A side's position in one round, after its quotations were looked up."""

    side: str
    model: str
    position: Position
    held: tuple[Argument, ...]
    """Arguments whose evidence stands in the material."""


class Debate(Model):
    """The whole of it, kept as it was."""

    question: str
    rounds: tuple[tuple[Stand, Stand], ...]
    outcome: Outcome
    rule: str
    """Which rule decided."""


def debate(question: str, material: str, one: Asker, other: Asker, rounds: int = ROUNDS) -> Debate:
    """Let two sides argue until they agree, or the rounds are used up. Raises like `Asker.ask`."""
    held: list[tuple[Stand, Stand]] = []
    for number in range(rounds):
        before = held[-1] if held else None
        pair = (
            _stand(one, question, material, before[1] if before else None, number),
            _stand(other, question, material, before[0] if before else None, number),
        )
        held.append(pair)
        if pair[0].position.stance == pair[1].position.stance:
            break
    outcome, rule = decide(held[-1])
    return Debate(question=question, rounds=tuple(held), outcome=outcome, rule=rule)


def decide(last: tuple[Stand, Stand]) -> tuple[Outcome, str]:
    """What the last round means."""
    one, other = last
    if one.position.stance == other.position.stance:
        return one.position.stance, "both sides agree"
    against = one if one.position.stance == "reject" else other
    if against.held:
        return "person", f"{against.side} rejects with an argument that holds; a person decides"
    return "approve", f"{against.side} rejects without an argument that stands in the material"


def _stand(who: Asker, question: str, material: str, opposed: Stand | None, number: int) -> Stand:
    blocks = [quoted("material", material)]
    if opposed:
        said = opposed.position.model_copy(update={"arguments": opposed.held})
        blocks.append(quoted("the other side's position", said.model_dump_json()))
    task = f"{question} Take a position. Each argument quotes words of the material, to the letter."
    if opposed:
        task += " Answer the other side's arguments: where one convinces you, change your stance."
    answer = who.ask(Position, "\n\n".join((*blocks, f"Your task: {task}")), name=f"round-{number}")
    position = answer.document
    text = _folded(material)
    held = tuple(each for each in position.arguments if _folded(each.evidence) in text)
    return Stand(side=who.attribution.role, model=answer.model, position=position, held=held)


def _folded(text: str) -> str:
    return " ".join(text.split())
