"""Probing what is enabled, with its keys, and keeping what was learnt; and who would be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial

from sqlalchemy import Engine

from omni.kernel.database import open_database
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models import ledger
from omni.models.catalog import Catalog, ModelEntry, load_catalog
from omni.models.chat_format import estimate
from omni.models.client import Answer, Endpoint, EndpointError, Pace
from omni.models.enabling import note
from omni.models.errors import NO_ANSWER, NO_SUCH_MODEL
from omni.models.gateway import cost_of, reply_of
from omni.models.keys import read_key
from omni.models.ledger import Asked
from omni.models.probe import Ask, Report, direct, probe
from omni.models.race import SENT
from omni.models.router import Chosen, Router, routed_of
from omni.models.wire import Attribution, ChatRequest, Message, Want

PROBE = "probe"
"""The role on whose account probes are asked."""


def probe_enabled(settings: Settings, name: str, longest: int) -> Iterator[Report]:
    """A report of each enabled model that `name` means; of all for the empty name. What it takes is in the ledger.

    Raises OmniError: M005 when it means none, M001 when Omni is told to stay offline, M006 for an unsafe key.
    """
    catalog = load_catalog(settings)
    found = catalog.find(name) if name else tuple(catalog.offers())
    if not found:
        raise OmniError(NO_SUCH_MODEL, f"{name} is not enabled" if name else "none is enabled")
    engine = open_database(settings)
    try:
        for place, model in found:
            if model.kind != "chat":
                continue
            if settings.offline and not place.loopback:
                raise OmniError(NO_ANSWER, "Omni is told to stay offline", where=place.name)
            endpoint = Endpoint(place, model)
            key = read_key(settings.home, place.keys[0]) if place.keys else None
            with direct(endpoint, key, Pace()) as ask:
                report = probe(_accounted(engine, endpoint, ask), endpoint, longest)
            _keep(settings, endpoint, report)
            yield report
    finally:
        engine.dispose()


def _accounted(engine: Engine, endpoint: Endpoint, ask: Ask) -> Ask:
    """The same, each question written down before it is asked."""

    def asked(request: ChatRequest, heard: Callable[[str], None]) -> Answer:
        account = Attribution(stage=PROBE, role=PROBE)
        begun = ledger.begin(engine, account, estimate(request), request.max_tokens)
        if not isinstance(begun, Asked):
            raise TypeError("a question without a name and a budget is always begun")
        try:
            answer = ask(request, heard)
        except BaseException as error:
            sent = not isinstance(error, EndpointError) or error.kind in SENT
            ledger.failed(engine, begun, str(error), estimate(request) if sent else 0)
            raise
        routed = routed_of(endpoint, answer)
        ledger.answered(engine, begun, reply_of(routed), cost_of(routed), keep=False)
        return answer

    return asked


def _keep(settings: Settings, endpoint: Endpoint, report: Report) -> None:
    """What a build has to know: a window that is known, and tools that aren't called."""
    if not report.finding("answers").ok:
        return
    context, model = report.finding("context"), endpoint.model
    learnt: dict[str, object] = {"wire_name": model.wire_name, "tools": bool(report.finding("tools").ok)}
    if (sees := report.finding("sees").ok) is not None:
        learnt["vision"] = sees
    short = context.context_lost and context.context_lost <= (model.context or context.context_lost)
    if context.context_kept and (short or context.context_kept > (model.context or 0)):
        learnt["context"] = context.context_kept
    note(settings, endpoint.place.name, model.wire_name, ModelEntry.model_validate(learnt))


def route(settings: Settings, want: Want, tokens: int) -> list[Chosen]:
    """In which order the enabled models would be asked a question of about so many tokens. Asks nobody.

    Raises OmniError (M005) when `want` names a model that is not enabled.
    """
    catalog = load_catalog(settings)
    return asyncio.run(_order(settings, catalog, want, ChatRequest(messages=(_filler(tokens),))))


async def _order(settings: Settings, catalog: Catalog, want: Want, request: ChatRequest) -> list[Chosen]:
    router = Router(catalog, partial(read_key, settings.home), offline=settings.offline)
    try:
        return router.order(request, want)
    finally:
        await router.close()


def _filler(tokens: int) -> Message:
    return Message(role="user", content="x" * (4 * tokens))
