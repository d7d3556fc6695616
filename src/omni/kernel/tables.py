"""Every table of Omni's own database. The migrations bring a database here; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC on every database; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Index(None, "run_id", "id"),
    sqlite_autoincrement=True,
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("signature", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("spec_digest", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False),
    Column("verdict", Text, nullable=False, server_default=""),
    Column("options", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index(None, "created_at"),
)

stages = Table(
    "stages",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("number", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("output", JSON, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("gate", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("deadline", UtcDateTime),
    Column("decided_at", UtcDateTime),
    Column("decided_by", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Index(None, "run_id"),
)

estimates = Table(
    "estimates",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("template", Text, nullable=False),
    Column("entities", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("lines", Integer, nullable=False),
)

check_cache = Table(
    "check_cache",
    metadata,
    Column("key", Text, primary_key=True),
    Column("check", Text, nullable=False),
    Column("result", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

agent_log = Table(
    "agent_log",
    metadata,
    Column("session", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", JSON, nullable=False),
)

model_calls = Table(
    "model_calls",
    metadata,
    Column("id", Text, primary_key=True),
    *(Column(name, Text, nullable=False) for name in ("run_id", "call", "project", "stage", "role")),
    *(Column(name, Text, nullable=False) for name in ("prompt_version", "provider", "model", "status")),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in ("reserved", "prompt_tokens", "cached_tokens")),
    *(Column(name, BigInteger, nullable=False) for name in ("completion_tokens", "wasted_tokens")),
    *(Column(name, Float, nullable=False) for name in ("seconds", "first_token", "gpu_seconds")),
    Column("price", Float),
    Column("estimated", Boolean, nullable=False),
    Column("error", Text, nullable=False),
    Column("reply", JSON(none_as_null=True)),
    Index(None, "run_id", "call"),
    Index(None, "status", "expires_at"),
    Index(None, "asked_at"),
)

budgets = Table(
    "budgets",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("parent", Text, nullable=False),
    Column("tokens", BigInteger),
    *(Column(name, BigInteger, nullable=False) for name in ("kept", "used", "reserved")),
    Column("alerted", Integer, nullable=False),
)

agents_at_work = Table(
    "agents_at_work",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
)

gpu_use = Table(
    "gpu_use",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("state", JSON, nullable=False),
)

cached_replies = Table(
    "cached_replies",
    metadata,
    Column("key", Text, primary_key=True),
    *(Column(name, Text, nullable=False) for name in ("scope", "model", "project", "question", "embedder")),
    Column("vector", LargeBinary),
    Column("reply", JSON, nullable=False),
    Column("price", Float),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "scope", "created_at"),
)

cache_counts = Table(
    "cache_counts",
    metadata,
    *(Column(name, Text, primary_key=True) for name in ("day", "project", "model")),
    *(Column(name, BigInteger, nullable=False) for name in ("exact", "similar", "missed", "tokens_saved")),
    Column("price_saved", Float, nullable=False),
)
