"""The semantic cache: a question that was answered is not paid for again, and never answered from elsewhere.

Safe by construction: an entry answers only within its scope, which is a digest of all that may change an answer but
the last question: the model, the version of the prompt, the project, the tools, every earlier message, the schema and
the settings. Within a scope the same question hits; a question of the user that is worded a little differently hits
when its vector is near enough and no number, name, quotation, sign, `not` or order of words differs.
"""

from __future__ import annotations

import re
from array import array
from datetime import datetime, timedelta

from pydantic import JsonValue, TypeAdapter
from sqlalchemy import Connection, Engine, Row, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from omni.kernel import canonical, clock
from omni.kernel.database import writing
from omni.kernel.errors import OmniError
from omni.kernel.tables import cache_counts, cached_replies
from omni.models.embedding import MANNERS, Embedder, HashedWords, Vector, cosine
from omni.models.wire import Attribution, ChatReply, ChatRequest, Model, Usage

MOST_WORDS = 120
"""Longer questions hit only when they are the same: there, one word that matters moves a vector too little."""
KEEP = timedelta(days=30)
COMPARED = 200
"""Newest entries of a scope that a question is compared with."""

_AS_DATA = TypeAdapter(dict[str, JsonValue])
_FIRM = re.compile(
    r"""`[^`]*`|"[^"]*"|'[^']*'|“[^”]*”|\w+(?:[.,/\\:@#_-]\w+)+|\w*\d\w*|\w+[A-Z]\w*|[^\w\s.,;:!'’]"""  # noqa: RUF001
)
"""Quotations, paths, numbers, names of code and signs: what a question is about to the letter."""
_WORD = re.compile(r"\w+(?:['’]\w+)?")  # noqa: RUF001 - people write both
_DENIAL = re.compile(
    r"\b(?:not|no|never|none|nothing|nobody|without|except|unless|only|cannot|before|after|less|more|\w+n['’]t)\b"  # noqa: RUF001
)


class Hit(Model):
    reply: ChatReply
    """With no usage: nobody was asked."""
    similar_to: str = ""
    """The question that this was the answer to; empty: it was the same."""
    saved: Usage
    """What the answer took when it was paid for."""
    price: float | None
    """US dollars, likewise."""


class Counts(Model):
    """Of all days, or since one; sums over projects and models."""

    exact: int = 0
    similar: int = 0
    missed: int = 0
    tokens_saved: int = 0
    price_saved: float = 0.0
    """US dollars, where the price was known."""

    @property
    def rate(self) -> float:
        """Hits of all look-ups; 0 when there were none."""
        asked = self.exact + self.similar + self.missed
        return (self.exact + self.similar) / asked if asked else 0.0


class SemanticCache:
    """Over a database that others use too; safe from many threads and processes."""

    def __init__(self, engine: Engine, embedder: Embedder | None = None) -> None:
        self._engine = engine
        self._embedder = embedder or HashedWords()

    def look_up(self, request: ChatRequest, model: str, attribution: Attribution) -> Hit | None:
        """What `model` once answered to this question, counted as a hit or a miss; None: nothing that is safe."""
        if not fit_to_keep(request, attribution):
            return None
        scope, vector = scope_of(request, model, attribution), self._vector(request)
        with self._engine.connect() as connection:
            hit = _exact(connection, key_of(scope, request)) or self._similar(connection, scope, request, vector)
        with writing(self._engine) as connection:
            _count(connection, attribution.project, model, hit)
        return hit

    def keep(
        self, request: ChatRequest, reply: ChatReply, attribution: Attribution, price: float | None = None
    ) -> None:
        """Remember an answer under the model that gave it. One that was cut, withheld, cached or empty is not kept."""
        message = reply.message
        whole = reply.finish in ("stop", "tool_calls") and (message.content or message.tool_calls)
        if not whole or reply.cached or not fit_to_keep(request, attribution):
            return
        scope = scope_of(request, reply.model, attribution)
        vector = self._vector(request)
        row = {
            "key": key_of(scope, request),
            "scope": scope,
            "model": reply.model,
            "project": attribution.project,
            "question": question_of(request) or "",
            "embedder": self._embedder.name if vector else "",
            "vector": array("f", vector).tobytes() if vector else None,
            "reply": reply.model_dump(mode="json"),
            "price": price,
            "created_at": clock.now(),
        }
        with writing(self._engine) as connection:
            connection.execute(delete(cached_replies).where(cached_replies.c.created_at < clock.now() - KEEP))
            fresh = _insert(connection, cached_replies).values(row)
            connection.execute(fresh.on_conflict_do_update(index_elements=["key"], set_=row))

    def counts(self, since: datetime | None = None, project: str = "") -> Counts:
        columns = [func.coalesce(func.sum(cache_counts.c[name]), 0).label(name) for name in Counts.model_fields]
        query = select(*columns)
        if since is not None:
            query = query.where(cache_counts.c.day >= since.date().isoformat())
        if project:
            query = query.where(cache_counts.c.project == project)
        with self._engine.connect() as connection:
            row = connection.execute(query).one()
        return Counts.model_validate(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's documented name

    def _vector(self, request: ChatRequest) -> Vector | None:
        question = question_of(request)
        if question is None or len(_WORD.findall(question)) > MOST_WORDS:
            return None
        try:
            return self._embedder.embed([question])[0]
        except OmniError:
            return None  # without vectors the same question still hits

    def _similar(self, connection: Connection, scope: str, request: ChatRequest, vector: Vector | None) -> Hit | None:
        question = question_of(request)
        if vector is None or question is None:
            return None
        table = cached_replies.c
        query = (
            select(cached_replies)
            .where(table.scope == scope, table.embedder == self._embedder.name, table.created_at >= clock.now() - KEEP)
            .order_by(table.created_at.desc())
            .limit(COMPARED)
        )
        near = [(cosine(vector, tuple(array("f", row.vector))), row) for row in connection.execute(query)]
        fit = [(cos, row) for cos, row in near if cos >= self._embedder.threshold and alike(question, row.question)]
        return _hit(max(fit, key=lambda each: each[0])[1], similar=True) if fit else None


def fit_to_keep(request: ChatRequest, attribution: Attribution) -> bool:
    """A question of a known project that does not ask for variety."""
    return bool(attribution.project and request.messages) and not request.temperature


def scope_of(request: ChatRequest, model: str, attribution: Attribution) -> str:
    """Digest of all that may change an answer, but the last question where that is text of the user."""
    said = _AS_DATA.validate_python(request.model_dump(mode="json"))
    messages = said.pop("messages")
    earlier = messages[:-1] if isinstance(messages, list) and question_of(request) is not None else messages
    return canonical.digest(
        {"model": model, "prompt": attribution.prompt, "project": attribution.project, "earlier": earlier, "rest": said}
    )


def key_of(scope: str, request: ChatRequest) -> str:
    return canonical.digest({"scope": scope, "question": question_of(request)})


def question_of(request: ChatRequest) -> str | None:
    """The last message, where it is text of the user alone; None: the messages count as they are."""
    last = request.messages[-1]
    return last.content if last.role == "user" and isinstance(last.content, str) else None


def alike(one: str, other: str) -> bool:
    """Whether what a vector sees badly is the same: numbers, names, quotations, signs, denials, the order of words."""
    if _FIRM.findall(one) != _FIRM.findall(other):
        return False
    if _DENIAL.findall(one.casefold()) != _DENIAL.findall(other.casefold()):
        return False
    words = [[word for word in _WORD.findall(text.casefold()) if word not in MANNERS] for text in (one, other)]
    shared = set(words[0]) & set(words[1])
    first, second = ([word for word in each if word in shared] for each in words)
    return first == second


def _exact(connection: Connection, key: str) -> Hit | None:
    table = cached_replies.c
    query = select(cached_replies).where(table.key == key, table.created_at >= clock.now() - KEEP)
    row = connection.execute(query).one_or_none()
    return _hit(row, similar=False) if row else None


def _hit(row: Row[tuple[object, ...]], *, similar: bool) -> Hit:
    reply = ChatReply.model_validate(row.reply)
    again = {"cached": True, "usage": Usage(), "seconds": 0.0, "first_token": 0.0, "fallbacks": ()}
    question = row.question if similar else ""
    return Hit(reply=reply.model_copy(update=again), similar_to=question, saved=reply.usage, price=row.price)


def _count(connection: Connection, project: str, model: str, hit: Hit | None) -> None:
    """One more hit or miss of today. A hit saves what its answer took."""
    kind = "missed" if hit is None else "similar" if hit.similar_to else "exact"
    tokens, price = (hit.saved.total, hit.price or 0.0) if hit else (0, 0.0)
    today = {"day": clock.now().date().isoformat(), "project": project, "model": model}
    first = {"exact": 0, "similar": 0, "missed": 0, kind: 1, "tokens_saved": tokens, "price_saved": price}
    more = {name: cache_counts.c[name] + value for name, value in first.items()}
    fresh = _insert(connection, cache_counts).values(today | first)
    connection.execute(fresh.on_conflict_do_update(index_elements=list(today), set_=more))


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that can say what to do about a row that is there; both databases write it alike."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
