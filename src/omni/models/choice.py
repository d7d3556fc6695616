"""Who may answer a question, best first: capability, provider class, price, then load. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import get_args

from omni.models.breaker import Breaker, Pulse
from omni.models.catalog import ProviderClass
from omni.models.client import Endpoint
from omni.models.keyring import Keyring
from omni.models.wire import Capability, Want

SHORTEST_REPLY = 256
"""Tokens that must fit into the context beside the prompt."""

_CAPABILITIES: tuple[Capability, ...] = get_args(Capability)
_CLASSES: tuple[ProviderClass, ...] = get_args(ProviderClass)

Rank = tuple[bool, bool, int, int, float]


@dataclass(eq=False)
class Station:
    """An endpoint, and how it is today."""

    endpoint: Endpoint
    keys: Keyring
    """Of its place: models of one place share them."""
    breaker: Breaker = field(default_factory=Breaker)
    pulse: Pulse = field(default_factory=Pulse)
    in_flight: int = 0

    def ready_in(self, now: float) -> float:
        """Seconds until it may be asked."""
        return max(self.breaker.ready_in(now), self.keys.ready_in(now))

    def why_not(self, now: float) -> str:
        """Why it isn't asked now; empty: it may be."""
        if self.breaker.ready_in(now):
            return self.breaker.why
        return self.keys.why if self.keys.ready_in(now) else ""


@dataclass(frozen=True)
class Need:
    """What a question takes of an endpoint."""

    want: Want
    tokens: int
    """Of the prompt, about."""
    vision: bool = False
    pinned: frozenset[str] = frozenset()
    """Names of the endpoints that `want.model` means."""
    offline: bool = False


def unfit(endpoint: Endpoint, need: Need) -> str:
    """Why an endpoint can't answer; empty: it can. What isn't known of a model is given the benefit of the doubt."""
    model, want = endpoint.model, need.want
    reasons = (
        (model.kind != "chat", "it is no model for chat"),
        (bool({model.id, endpoint.name, model.wire_name} & set(want.not_models)), "it must not answer this"),
        (need.offline and not endpoint.place.loopback, "Omni is told to stay offline"),
        (want.tools and model.tools is False, "it calls no tools"),
        ((want.vision or need.vision) and model.vision is False, "it sees no pictures"),
        (
            model.context is not None and need.tokens + SHORTEST_REPLY > model.context,
            f"about {need.tokens} tokens don't fit into its {model.context}",
        ),
    )
    return next((why for holds, why in reasons if holds), "")


def rank(endpoint: Endpoint, need: Need) -> Rank:
    """Lower is better: the pinned one; able enough; one's own machine; near the capability that is wanted; cheap."""
    wanted, able = _CAPABILITIES.index(need.want.capability), _CAPABILITIES.index(endpoint.model.capability)
    prices = (endpoint.model.price_prompt, endpoint.model.price_completion)
    known = [price for price in prices if price is not None]
    return (
        bool(need.pinned) and endpoint.name not in need.pinned,
        able < wanted,
        _CLASSES.index(endpoint.place.provider_class),
        abs(able - wanted),
        sum(known) if len(known) == len(prices) else float("inf"),
    )


def in_order(stations: Iterable[Station], need: Need) -> list[Station]:
    """Those that can answer, best first; equal ones by what they have to do, then by how fast they are."""
    fit = (station for station in stations if not unfit(station.endpoint, need))
    return sorted(fit, key=lambda each: (rank(each.endpoint, need), each.in_flight, each.pulse.p95() or 0.0))
