from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.places import NOWHERE, place

from omni.models.breaker import Pulse
from omni.models.catalog import Enabled
from omni.models.choice import Need, Station, in_order, unfit
from omni.models.client import Endpoint
from omni.models.keyring import Keyring
from omni.models.wire import Want


def station(enabled: Enabled) -> Station:
    return Station(Endpoint(enabled, enabled.models[0]), Keyring((), None, lambda _: None))


def order(need: Need, *places: Enabled) -> list[str]:
    return [each.endpoint.place.name for each in in_order(map(station, places), need)]


FAST = place("fast", NOWHERE, capability="fast")
BALANCED = place("balanced", NOWHERE, capability="balanced")
HEAVY = place("heavy", NOWHERE, capability="heavy")
CLOUD = place("cloud", NOWHERE, "high-speed", capability="balanced", price_prompt=0.1, price_completion=0.2)
COSTLY = place("costly", NOWHERE, "high-speed", capability="balanced", price_prompt=3.0, price_completion=9.0)
UNPRICED = place("unpriced", NOWHERE, "high-speed", capability="balanced")
RESELLER = place("reseller", NOWHERE, "aggregator", capability="balanced", price_prompt=0.0, price_completion=0.0)
EVERYBODY = (RESELLER, UNPRICED, COSTLY, CLOUD, HEAVY, BALANCED, FAST)


@pytest.mark.parametrize(
    ("want", "expected"),
    [
        (Want(capability="balanced"), ["balanced", "heavy", "cloud", "costly", "unpriced", "reseller", "fast"]),
        (Want(capability="fast"), ["fast", "balanced", "heavy", "cloud", "costly", "unpriced", "reseller"]),
        (Want(capability="heavy"), ["heavy", "balanced", "fast", "cloud", "costly", "unpriced", "reseller"]),
    ],
)
def test_the_able_come_first_then_the_own_machine_then_the_cheap(want: Want, expected: list[str]) -> None:
    assert order(Need(want, 10), *EVERYBODY) == expected


def test_a_heavy_model_outside_is_better_than_a_light_one_at_home() -> None:
    assert order(Need(Want(capability="heavy"), 10), FAST, place("big", NOWHERE, "aggregator", capability="heavy")) == [
        "big",
        "fast",
    ]


def test_the_named_one_comes_first_and_the_others_may_stand_in() -> None:
    need = Need(Want(capability="fast", model="reseller"), 10, pinned=frozenset({"reseller/m"}))
    assert order(need, FAST, RESELLER) == ["reseller", "fast"]


def test_equal_ones_are_taken_by_what_they_have_to_do_then_by_how_fast_they_are() -> None:
    busy, slow, quick = (station(place(name, NOWHERE)) for name in ("busy", "slow", "quick"))
    busy.in_flight, slow.pulse, quick.pulse = 1, Pulse(), Pulse()
    slow.pulse.add(2.0)
    quick.pulse.add(1.0)
    assert in_order([busy, slow, quick], Need(Want(), 10)) == [quick, slow, busy]


@pytest.mark.parametrize(
    ("facts", "need", "why"),
    [
        ({"kind": "embedding"}, Need(Want(), 10), "it is no model for chat"),
        ({}, Need(Want(not_models=("m",)), 10), "it must not answer this"),
        ({}, Need(Want(not_models=("here/m",)), 10), "it must not answer this"),
        ({"tools": False}, Need(Want(tools=True), 10), "it calls no tools"),
        ({"vision": False}, Need(Want(vision=True), 10), "it sees no pictures"),
        ({"vision": False}, Need(Want(), 10, vision=True), "it sees no pictures"),
        ({"context": 4096}, Need(Want(), 4000), "about 4000 tokens don't fit into its 4096"),
        ({"context": 4096, "tools": None, "vision": None}, Need(Want(tools=True, vision=True), 3000), ""),
    ],
)
def test_who_can_not_answer_is_told_why(facts: dict[str, object], need: Need, why: str) -> None:
    enabled = place("here", NOWHERE, **facts)
    assert unfit(Endpoint(enabled, enabled.models[0]), need) == why


def test_offline_only_this_machine_is_asked() -> None:
    away = place("lan", "http://192.0.2.1/v1")
    assert order(Need(Want(), 10, offline=True), away, BALANCED) == ["balanced"]


@given(st.permutations(EVERYBODY))
def test_the_order_does_not_depend_on_that_of_the_file(places: list[Enabled]) -> None:
    need = Need(Want(capability="heavy"), 10)
    assert order(need, *places) == order(need, *EVERYBODY)
