"""Texts as vectors: by a function of this file, or by an embedding model of an enabled endpoint.

The function knows no meaning. It hashes the words of a text, without those of politeness and articles, and the pairs of
neighbours among them into a vector (feature hashing: Weinberger et al., 2009, "Feature Hashing for Large Scale
Multitask Learning"). The same request in other manners comes out the same; a synonym is as far as any other word.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from itertools import pairwise
from operator import mul
from typing import Protocol

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from omni.kernel.errors import OmniError
from omni.models.client import Endpoint
from omni.models.errors import NO_ANSWER, UNUSABLE

Vector = tuple[float, ...]
"""Of length 1."""

DIMENSIONS = 512
PAIR = 0.7
"""Weight of a pair beside a word's 1: it tells `from A to B` and `from B to A` apart."""
MANNERS = frozenset(
    (
        "a",
        "an",
        "the",
        "please",
        "kindly",
        "could",
        "would",
        "you",
        "me",
        "just",
        "hi",
        "hello",
        "hey",
        "thanks",
        "thank",
    )
)

_SECONDS = 30.0
_WORD = re.compile(r"\w+")


class Embedder(Protocol):
    @property
    def name(self) -> str:
        """Vectors of different names are never compared."""

    @property
    def threshold(self) -> float:
        """Cosine from which two questions may be one (`omni.models.cache` asks for more than that)."""

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One vector a text. Raises OmniError where it has to ask and gets no answer."""


class HashedWords:
    """Needs nobody and is the same everywhere."""

    name = f"hashed-words-1/{DIMENSIONS}"
    threshold = 0.995
    """One word changed, or two that changed places, cost more than 0.005 in a text of up to 120 words, which is as long
    as the cache compares. So nothing but the manners differs; a test tries it."""

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        return [hashed(text) for text in texts]


class EndpointEmbedder:
    """An embedding model behind OpenAI's wire (`POST /v1/embeddings`), as Ollama and vLLM have it."""

    threshold = 0.97
    """Embedding models put questions about one subject near 0.9, whatever is asked about it."""

    def __init__(self, endpoint: Endpoint, key: SecretStr | None) -> None:
        self._endpoint = endpoint
        self._key = key

    @property
    def name(self) -> str:
        return self._endpoint.name

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Raises OmniError: M001 when it does not answer, M003 when not with one vector a text."""
        place, url = self._endpoint.place, f"{self._endpoint.place.base_url}/embeddings"
        headers = {"Authorization": f"Bearer {self._key.get_secret_value()}"} if self._key else {}
        try:
            with httpx.Client(timeout=_SECONDS, trust_env=not place.loopback, headers=headers) as client:
                response = client.post(url, json={"model": self._endpoint.model.wire_name, "input": list(texts)})
            response.raise_for_status()
        except httpx.HTTPError as error:
            why = str(error).partition("\n")[0] or type(error).__name__
            raise OmniError(NO_ANSWER, why, where=self.name) from None
        try:
            data = sorted(_Embeddings.model_validate_json(response.content).data, key=lambda each: each.index)
        except ValidationError as error:
            raise OmniError(UNUSABLE, "its answer holds no embeddings", where=self.name) from error
        if len(data) != len(texts):
            raise OmniError(UNUSABLE, f"{len(data)} vectors for {len(texts)} texts", where=self.name)
        return [_unit(each.embedding) for each in data]


class _Embedding(BaseModel):
    index: int
    embedding: list[float]


class _Embeddings(BaseModel):
    data: list[_Embedding]


def hashed(text: str) -> Vector:
    """The vector of a text by its words; of a text without words: one that is near to nothing but its like."""
    words = [word for word in _WORD.findall(text.casefold()) if word not in MANNERS] or [text]
    features = [(word, 1.0) for word in words] + [(f"{one} {two}", PAIR) for one, two in pairwise(words)]
    vector = [0.0] * DIMENSIONS
    for feature, weight in features:
        number = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "big")
        vector[number % DIMENSIONS] += weight if number >> 63 else -weight
    return _unit(vector)


def cosine(one: Vector, other: Vector) -> float:
    """Of two vectors of length 1; -1 to 1. Vectors of different sizes have none: 0."""
    return sum(map(mul, one, other)) if len(one) == len(other) else 0.0


def _unit(vector: Sequence[float]) -> Vector:
    length = math.sqrt(sum(value * value for value in vector))
    return tuple(value / length for value in vector) if length and math.isfinite(length) else tuple(vector)
