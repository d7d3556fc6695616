"""Texts to vectors on somebody's account: which embedding model answers, who stands in for it, and the ledger."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import get_args

from sqlalchemy import Engine

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models import ledger
from omni.models.catalog import CatalogModel, Enabled, ProviderClass, load_catalog
from omni.models.client import Endpoint
from omni.models.embedding import Embedder, EndpointEmbedder, HashedWords, Vector
from omni.models.errors import NO_ANSWER, NO_SUCH_MODEL, UNUSABLE
from omni.models.keys import read_key
from omni.models.ledger import Asked, Cost
from omni.models.wire import Attribution, ChatReply, Message, Model, Usage

BUILT_IN = HashedWords()
"""Answers where no embedding model is enabled."""


class Embedded(Model):
    vectors: tuple[Vector, ...]
    model: str
    """Vectors of different models are never to be compared."""
    tokens: int
    """About four characters each: not every server says."""


def embed(settings: Settings, engine: Engine, texts: Sequence[str], model: str, attribution: Attribution) -> Embedded:
    """The vectors of the model that is named, or of the first that is enabled; paid for as every call is.

    Only another endpoint of the same model stands in. Raises OmniError: M001, M002, M003, M005.
    """
    tokens = sum(-(-len(text) // 4) for text in texts)
    places = _places(settings, model)
    if not places:
        return Embedded(vectors=tuple(BUILT_IN.embed(texts)), model=BUILT_IN.name, tokens=tokens)
    nameless = attribution.model_copy(update={"call": ""})
    while (asked := ledger.begin(engine, nameless, tokens, 1)) is None:
        time.sleep(0.05)
    if isinstance(asked, ChatReply):
        raise TypeError("a call without a name has no stored reply")
    return _asked(settings, engine, texts, places, asked, tokens)


def _asked(
    settings: Settings,
    engine: Engine,
    texts: Sequence[str],
    places: Sequence[tuple[Enabled, CatalogModel]],
    asked: Asked,
    tokens: int,
) -> Embedded:
    notes: list[str] = []
    for place, model in places:
        began = time.monotonic()
        embedder: Embedder = EndpointEmbedder(
            Endpoint(place, model), read_key(settings.home, place.keys[0]) if place.keys else None
        )
        try:
            vectors = embedder.embed(texts)
        except OmniError as error:
            if error.kind not in (NO_ANSWER, UNUSABLE):
                raise
            notes.append(f"{embedder.name}: {error.why}")
            continue
        seconds = time.monotonic() - began
        reply = _entry(place, model, tokens, seconds)
        price = model.price_prompt * tokens / 1e6 if model.price_prompt is not None else None
        gpu = seconds if place.provider_class == "local" else 0.0
        ledger.answered(engine, asked, reply, Cost(gpu_seconds=gpu, price=price, estimated=True), keep=False)
        return Embedded(vectors=tuple(vectors), model=model.id, tokens=tokens)
    ledger.failed(engine, asked, "; ".join(notes), 0)
    raise OmniError(NO_ANSWER, "; ".join(notes))


def _places(settings: Settings, name: str) -> list[tuple[Enabled, CatalogModel]]:
    """Every endpoint of the one model that is meant, one's own machines first; none: the built-in function."""
    if name == BUILT_IN.name:
        return []
    catalog = load_catalog(settings)
    offers = catalog.find(name) if name else tuple(catalog.offers())
    classes = get_args(ProviderClass)
    found = sorted(
        (offer for offer in offers if offer[1].kind == "embedding"),
        key=lambda offer: classes.index(offer[0].provider_class),
    )
    if name and not found:
        raise OmniError(NO_SUCH_MODEL, f"no embedding model “{name}” is enabled")
    return [offer for offer in found if offer[1].id == found[0][1].id]


def _entry(place: Enabled, model: CatalogModel, tokens: int, seconds: float) -> ChatReply:
    """The ledger's form of an answer that has no words."""
    silent = Message(role="assistant")
    usage = Usage(prompt=tokens)
    return ChatReply(message=silent, finish="stop", usage=usage, provider=place.name, model=model.id, seconds=seconds)
