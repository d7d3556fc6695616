"""Places to ask, and questions, for tests of the router and the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from pydantic import SecretStr

from omni.models.catalog import Catalog, CatalogModel, Enabled, ProviderClass
from omni.models.client import Pace
from omni.models.router import Routed, Router
from omni.models.script import Reply, Rule, Script
from omni.models.wire import ChatRequest, Message, Want

NOWHERE = "http://127.0.0.1:9/v1"
"""Nobody listens on the port of the discard protocol."""
QUICK = Pace(unmeasured=30.0, soonest=30.0, first_piece=30.0, idle=1.0, patience=0.0, queue=5.0)
"""Gives up at once, and hedges never: on a busy machine everybody is slow at times."""
HEDGING = QUICK.model_copy(update={"unmeasured": 0.3, "soonest": 1.0})
BALANCED = Want(capability="balanced")


def always(reply: Reply | str, **match: object) -> Rule:
    return Rule.model_validate({"reply": reply, "times": 0, "match": match})


def script(*rules: Rule) -> Script:
    return Script(rules=rules)


def place(name: str, url: str, provider_class: ProviderClass = "local", **of_model: object) -> Enabled:
    """With one model, `m`, unless said otherwise."""
    model = CatalogModel.model_validate({"id": "m", "wire_name": "m", "capability": "balanced"} | of_model)
    return Enabled(
        name=name, provider="openai-compatible", provider_class=provider_class, base_url=url, models=(model,)
    )


def catalog(*places: Enabled) -> Catalog:
    return Catalog(providers=(), models=(), enabled=places)


def question(text: str = "hi", **more: object) -> ChatRequest:
    return ChatRequest.model_validate({"messages": (Message(role="user", content=text),), **more})


def routing(
    places: tuple[Enabled, ...],
    *,
    times: int = 1,
    at_once: bool = False,
    want: Want = BALANCED,
    pace: Pace = QUICK,
    keys: Mapping[str, str] | None = None,
    on_text: Callable[[str], None] | None = None,
    on_restart: Callable[[], None] | None = None,
) -> list[Routed]:
    """The same question so many times, one after another or at once, to a router of its own."""

    async def ask_all() -> list[Routed]:
        router = Router(
            catalog(*places), lambda name: SecretStr(keys[name]) if keys and name in keys else None, pace=pace
        )
        try:
            if at_once:
                return await asyncio.gather(*(router.ask(question(), want) for _ in range(times)))
            return [await router.ask(question(), want, on_text, on_restart) for _ in range(times)]
        finally:
            await router.close()

    return asyncio.run(ask_all())
