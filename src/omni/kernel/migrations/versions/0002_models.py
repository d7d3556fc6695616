"""Calls of models and budgets of runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "model_calls",
        sa.Column("id", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("run_id", "call", "project", "stage", "role")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("prompt_version", "provider", "model", "status")),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("reserved", "prompt_tokens", "cached_tokens")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("completion_tokens", "wasted_tokens")),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("seconds", "first_token", "gpu_seconds")),
        sa.Column("price", sa.Float),
        sa.Column("estimated", sa.Boolean, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("reply", sa.JSON(none_as_null=True)),
        sa.PrimaryKeyConstraint("id", name="pk_model_calls"),
    )
    op.create_index("ix_model_calls_run_id_call", "model_calls", ["run_id", "call"])
    op.create_index("ix_model_calls_status_expires_at", "model_calls", ["status", "expires_at"])
    op.create_index("ix_model_calls_asked_at", "model_calls", ["asked_at"])
    op.create_table(
        "budgets",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("parent", sa.Text, nullable=False),
        sa.Column("tokens", sa.BigInteger),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("kept", "used", "reserved")),
        sa.Column("alerted", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_budgets"),
    )


def downgrade() -> None:
    op.drop_table("budgets")
    op.drop_table("model_calls")
