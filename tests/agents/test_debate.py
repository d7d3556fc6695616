"""Two sides argue in bounded rounds; a rule decides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.agents.speaking import Speaker, speaker

from omni.agents.debate import Debate, debate
from omni.agents.roles import asker, load_role
from omni.models.wire import Attribution

MATERIAL = "Each todo belongs to the person\nwho made it. There is no threat model."
FOR, AGAINST = "Each todo belongs to the person who made it.", "There is no threat model."


def position(stance: str, evidence: str, *answers: str) -> dict[str, object]:
    return {"stance": stance, "arguments": [{"claim": f"so I {stance}", "evidence": evidence}], "answers": answers}


def held(one: Speaker, other: Speaker) -> Debate:
    sides = (asker(load_role(role), chat, Attribution()) for role, chat in (("architect", one), ("reviewer", other)))
    return debate("May this be built?", MATERIAL, *sides)


def repeated(said: dict[str, object]) -> Speaker:
    def always() -> Iterator[dict[str, object]]:
        while True:
            yield said

    return Speaker(always())


def test_who_is_convinced_ends_the_debate() -> None:
    one = speaker(position("approve", FOR), position("reject", AGAINST, "true, it has none"))
    other = speaker(position("reject", AGAINST), position("reject", AGAINST))
    found = held(one, other)
    assert (found.outcome, found.rule, len(found.rounds)) == ("reject", "both sides agree", 2)
    assert found.rounds[1][0].position.answers == ("true, it has none",)
    assert "There is no threat model." in one.questions[1]
    assert "so I approve" in other.questions[1]


def test_rounds_are_bounded_and_a_rejection_that_holds_goes_to_a_person() -> None:
    one, other = repeated(position("approve", FOR)), repeated(position("reject", AGAINST))
    found = held(one, other)
    assert len(one.asked) == len(other.asked) == len(found.rounds) == 3
    assert (found.outcome, found.rule) == ("person", "reviewer rejects with an argument that holds; a person decides")


@pytest.mark.parametrize("evidence", ["It is slow.", "There is no threat model and no test."])
def test_a_rejection_that_quotes_nothing_is_overruled(evidence: str) -> None:
    found = held(repeated(position("approve", FOR)), repeated(position("reject", evidence)))
    assert found.outcome == "approve"
    assert found.rounds[0][1].held == ()


def test_the_other_side_is_not_shown_what_does_not_hold() -> None:
    one, other = repeated(position("approve", FOR)), repeated(position("reject", "It is slow."))
    held(one, other)
    assert "It is slow." not in one.questions[1]


def test_who_agree_at_once_need_one_round() -> None:
    found = held(speaker(position("approve", FOR)), speaker(position("approve", FOR)))
    assert (found.outcome, len(found.rounds)) == ("approve", 1)
