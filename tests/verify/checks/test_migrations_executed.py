"""On a PostgreSQL that really runs, in the sandbox."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]
Found = Callable[..., list[str]]

CONFIG = {"omni.toml": '[[verify.services]]\nkind = "postgresql"\n'}
UP, DOWN = "migrations/0001_a.up.sql", "migrations/0001_a.down.sql"
MAKES = "CREATE TABLE a (b int);\nCREATE INDEX i ON a (b);\n"


def pair(up: str, down: str) -> dict[str, str]:
    return CONFIG | {UP: up, DOWN: down}


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.parametrize(
    ("up", "down", "expected"),
    [
        (MAKES, "DROP TABLE a;\n", []),
        (MAKES, "DROP INDEX i;\n", [f"error rollback-leaves-traces {DOWN}:1"]),
        (MAKES, "\nDROP TABLE c;\n", [f"error rollback-fails {DOWN}:2"]),
        ("CREATE TABLE a (b int);\nCREATE TABLE a (b);\n", "DROP TABLE a;\n", [f"error fails {UP}:2"]),
    ],
)
def test_sql(look: Look, up: str, down: str, expected: list[str]) -> None:
    result = look("migrations-executed", pair(up, down))
    assert (result.reason, [f"{each.severity} {each.rule} {each.path}:{each.line}" for each in result.findings]) == (
        "",
        expected,
    )


@pytest.mark.host
@pytest.mark.slow
def test_what_is_left_is_named(look: Look) -> None:
    files = pair("CREATE TYPE mood AS ENUM ('ok');\nCREATE TABLE a (b mood);\n", "DROP TABLE a;\n")
    traces = next(each for each in look("migrations-executed", files).findings if each.rule == "rollback-leaves-traces")
    assert "+ CREATE TYPE public.mood AS ENUM (" in traces.message


ENV = """\
import os

import sqlalchemy as sa
from alembic import context

engine = sa.create_engine(os.environ["DATABASE_URL"])
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """\
import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = {before!r}


def upgrade():
    op.create_table("t{name}", sa.Column("a", sa.Integer))


def downgrade():
    {down}
"""


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.parametrize(
    ("down", "expected"),
    [
        ('op.drop_table("t2")', []),
        ("pass", ["error rollback-leaves-traces versions/2.py:12"]),
        ('op.drop_table("t3")', ["error rollback-fails versions/2.py:12"]),
    ],
)
def test_alembic(found: Found, down: str, expected: list[str]) -> None:
    files = {
        "omni.toml": CONFIG["omni.toml"] + 'scheme = "postgresql+psycopg"\n',
        "alembic.ini": "[alembic]\nscript_location = .\n",
        "env.py": ENV,
        "versions/1.py": REVISION.format(name="1", before=None, down='op.drop_table("t1")'),
        "versions/2.py": REVISION.format(name="2", before="1", down=down),
    }
    assert found("migrations-executed", files, environment=Path(sys.prefix)) == expected


def test_nothing_to_run(look: Look) -> None:
    files = {UP: MAKES, DOWN: "DROP TABLE a;\n"}
    assert look("migrations-executed", files).reason == "omni.toml declares no service “postgresql”"


def test_no_pair(look: Look) -> None:
    result = look("migrations-executed", CONFIG | {"migrations/0001_a.sql": MAKES})
    assert (result.status, result.reason) == (Status.SKIPPED, "there are no migrations that could be run")
