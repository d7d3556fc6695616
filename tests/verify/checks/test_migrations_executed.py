"""On a PostgreSQL that really runs, in the sandbox."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import said

from omni.verify.deep.play import Server, Step
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


# ── what comes of what the database says ─────────────────────────────────────────────────────────

SECOND_UP, SECOND_DOWN = (path.replace("0001", "0002") for path in (UP, DOWN))
TWO = CONFIG | {f"migrations/000{number}_a.{way}.sql": "" for number in "12" for way in ("up", "down")}
EMPTY = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc{word}\n\\unrestrict abc{word}\n\n"
A = EMPTY + "CREATE TABLE public.a (\n    b integer\n);\n"
B = A + "CREATE TABLE public.b (\n    c integer\n);\n"
AS_IT_SHOULD = {"0": EMPTY, "1-up": A, "1-down": EMPTY, "1-again": A, "2-up": B, "2-down": A, "2-again": B}

Database = Callable[..., list[Server | Step]]


@pytest.fixture
def database(stage: Callable[..., list[Server | Step]]) -> Database:
    """Its schema at each look: name → dump; and what goes wrong: step → its words. Each dump has words of its own."""

    def put(schemas: Mapping[str, str], wrong: Mapping[str, str] | None = None) -> list[Server | Step]:
        def does(step: Step, work: Path) -> tuple[int, str]:
            if step.name in (wrong or {}):
                return 3, (wrong or {})[step.name]
            if step.out:
                place = work / step.out.removeprefix("/work/")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(schemas[place.name].replace("{word}", place.name))
            return 0, ""

        return stage("checks.migrations_executed", does)

    return put


@pytest.mark.host
def test_each_goes_forth_back_and_forth_again(look: Look, database: Database) -> None:
    asked = database(AS_IT_SHOULD)
    result = look("migrations-executed", TWO)
    assert (result.status, result.reason, said(result), result.metrics) == (
        Status.PASS,
        "",
        [],
        {"migrations.executed": 2},
    )
    steps = [each for each in asked if isinstance(each, Step)]
    assert [each.name for each in asked] == [
        "postgresql", "dump 0",
        "up 1", "dump 1-up", "down 1", "dump 1-down", "up 1", "dump 1-again",
        "up 2", "dump 2-up", "down 2", "dump 2-down", "up 2", "dump 2-again",
    ]  # fmt: skip
    assert [each.argv[-1] for each in steps if "dump" not in each.name] == [
        *(UP, DOWN, UP),
        *(SECOND_UP, SECOND_DOWN, SECOND_UP),
    ]
    assert steps[0].argv[0].endswith("/pg_dump")
    assert {"--schema-only", "--exclude-table=alembic_version"} < set(steps[0].argv)


@pytest.mark.host
def test_what_the_way_back_leaves_is_compared_with_what_was_before(look: Look, database: Database) -> None:
    left = A + "CREATE TYPE public.mood AS ENUM (\n    'ok'\n);\n"
    database(AS_IT_SHOULD | {"1-down": A, "2-down": left})
    result = look("migrations-executed", TWO)
    back = "taken back, the schema is not what it was"
    assert said(result) == [
        f"error rollback-leaves-traces {DOWN}:1 {back}: + CREATE TABLE public.a (; + b integer; + );",
        f"error rollback-leaves-traces {SECOND_DOWN}:1 {back}: + CREATE TYPE public.mood AS ENUM (; + 'ok'; + );",
    ]
    assert result.metrics == {"migrations.executed": 2}


@pytest.mark.host
def test_what_is_missing_and_what_is_more_is_shown_up_to_four_lines(look: Look, database: Database) -> None:
    other = A.replace("integer", "text") + "CREATE INDEX i ON a (b);\n" * 3
    database(AS_IT_SHOULD | {"1-again": other, "2-down": other})
    (finding,) = look("migrations-executed", TWO).findings
    assert (finding.rule, finding.path, finding.line) == ("not-repeatable", UP, 1)
    assert finding.message == (
        "applied again, the schema is another: - b integer; + b text; + CREATE INDEX i ON a (b);; "
        "+ CREATE INDEX i ON a (b);; and 1 more"
    )


@pytest.mark.host
def test_a_long_difference_is_cut(look: Look, database: Database) -> None:
    database(AS_IT_SHOULD | {"2-again": f"{B}{'x' * 400}\n"})
    (finding,) = look("migrations-executed", TWO).findings
    assert finding.message == f"applied again, the schema is another: + {'x' * 298}"


@pytest.mark.host
@pytest.mark.parametrize(
    ("step", "words", "expected", "executed"),
    [
        ("up 1", "psql:x.sql:7: ERROR:  no", f"error fails {UP}:7", 0),
        ("up 2", "a\nno such table", f"error fails {SECOND_UP}:1", 1),
        ("down 1", "psql:x.sql:3: FATAL:  no", f"error rollback-fails {DOWN}:3", 0),
        ("down 2", "no", f"error rollback-fails {SECOND_DOWN}:1", 1),
    ],
)
def test_what_fails_is_named_at_its_line(
    look: Look, database: Database, step: str, words: str, expected: str, executed: int
) -> None:
    database(AS_IT_SHOULD, {step: words})
    result = look("migrations-executed", TWO)
    told = f"it fails on PostgreSQL with exit code 3: {' / '.join(words.splitlines())}"
    assert (said(result), result.metrics) == ([f"{expected} {told}"], {"migrations.executed": executed})


@pytest.mark.host
def test_what_was_left_is_why_it_could_not_go_on(look: Look, database: Database) -> None:
    """Only the cause is named, not what followed from it."""
    database(AS_IT_SHOULD | {"1-down": A}, {"up 2": "relation exists"})
    assert [each.rule for each in look("migrations-executed", TWO).findings] == ["rollback-leaves-traces"]


@pytest.mark.host
def test_a_schema_that_can_not_be_read(look: Look, database: Database) -> None:
    database(AS_IT_SHOULD, {"dump 1-up": "no connection"})
    result = look("migrations-executed", TWO)
    assert (result.status, result.reason, result.findings) == (
        Status.INCOMPLETE,
        "the schema could not be read: no connection",
        (),
    )
