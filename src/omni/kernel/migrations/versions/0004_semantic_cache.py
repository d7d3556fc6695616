"""Replies of models that may answer again, and how often they did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cached_replies",
        sa.Column("key", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("scope", "model", "project", "question", "embedder")),
        sa.Column("vector", sa.LargeBinary),
        sa.Column("reply", sa.JSON, nullable=False),
        sa.Column("price", sa.Float),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_cached_replies"),
    )
    op.create_index("ix_cached_replies_scope_created_at", "cached_replies", ["scope", "created_at"])
    op.create_table(
        "cache_counts",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("day", "project", "model")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("exact", "similar", "missed", "tokens_saved")),
        sa.Column("price_saved", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("day", "project", "model", name="pk_cache_counts"),
    )


def downgrade() -> None:
    op.drop_table("cache_counts")
    op.drop_table("cached_replies")
