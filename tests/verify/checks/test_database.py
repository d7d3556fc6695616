from __future__ import annotations

from collections.abc import Callable

import pytest
from inline_snapshot import snapshot

from omni.verify.report import CheckResult, Status

Told = Callable[..., str]
Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]

BASE = (
    "class Stamps:\n    created_at: Mapped[datetime] = mapped_column()\n"
    "    updated_at: Mapped[datetime] = mapped_column()\n\n"
)


def model(column: str, table: str = "todos", arguments: str = "") -> dict[str, str]:
    extra = f"    __table_args__ = ({arguments},)\n" if arguments else ""
    key = "    id: Mapped[UUID] = mapped_column(primary_key=True)\n"
    head = f"{BASE}class Todo(Stamps, Base):\n    __tablename__ = {table!r}\n"
    return {"app/models.py": f"{head}{extra}{key}    {column}\n"}


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("createdAt: Mapped[str] = mapped_column()", "warning column-name"),
        ("users_id: Mapped[UUID] = mapped_column(ForeignKey('users.id'), index=True)", "warning foreign-key-name"),
        ("user_id: Mapped[UUID] = mapped_column(ForeignKey('users.id'))", "warning foreign-key-index"),
        ("is_done: Mapped[bool] = mapped_column(index=True)", "warning boolean-index"),
        ("number: Mapped[int] = mapped_column(primary_key=True)", "warning sequential-key"),
        ("user_id: Mapped[UUID] = mapped_column(ForeignKey('users.id'), index=True)", ""),
        ("owner_id: Mapped[UUID] = mapped_column(ForeignKey('users.id'), unique=True)", ""),
        ("is_done: Mapped[bool] = mapped_column()", ""),
    ],
)
def test_column(found: Found, column: str, expected: str) -> None:
    assert found("database", model(column)) == ([f"{expected} app/models.py:8"] if expected else [])


@pytest.mark.parametrize("table", ["UserAccount", "user_account", "address", "status"])
def test_table_name(found: Found, table: str) -> None:
    assert found("database", model("a: Mapped[str] = mapped_column()", table)) == ["warning table-name app/models.py:5"]


def test_indexes(found: Found) -> None:
    column = "user_id: Mapped[UUID] = mapped_column(ForeignKey('users.id'))"
    named = model(column, arguments="Index('foo1', 'user_id')")
    assert found("database", named) == ["warning index-name app/models.py:7"]
    assert found("database", model(column, arguments="Index('idx_todos_user_id', 'user_id')")) == []


def test_time_stamps(found: Found) -> None:
    source = "class A(Base):\n    __tablename__ = 'notes'\n    id: Mapped[UUID] = mapped_column(primary_key=True)\n"
    assert found("database", {"a.py": source}) == ["warning time-stamps a.py:1"]


def test_sql(found: Found) -> None:
    sql = (
        "CREATE TABLE users (\n  id serial PRIMARY KEY,\n  created_at timestamptz, updated_at timestamptz\n);\n"
        "CREATE TABLE todos (\n  id uuid PRIMARY KEY,\n  user_id uuid REFERENCES users (id),\n  list_id uuid,\n"
        "  created_at timestamptz, updated_at timestamptz,\n  FOREIGN KEY (list_id) REFERENCES lists (id)\n);\n"
        "CREATE INDEX idx_todos_list_id ON todos (list_id);\n"
    )
    assert sorted(found("database", {"schema.sql": sql})) == [
        "warning foreign-key-index schema.sql:7",
        "warning sequential-key schema.sql:2",
    ]


LOOP = "for user in users:\n    db.execute(select(Todo).where(Todo.user_id == user.id))"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("db.execute('SELECT * FROM todos')", "warning select-star a.py:1"),
        (LOOP, "warning query-in-loop a.py:2"),
        ("@app.get('/')\ndef f():\n    return psycopg.connect(url)", "warning connection-without-pool a.py:3"),
        ("db.execute('SELECT id FROM todos')", ""),
        ("for batch in batches:\n    db.execute(insert(Todo), batch)", ""),
    ],
)
def test_query(found: Found, source: str, expected: str) -> None:
    assert found("database", {"a.py": source + "\n"}) == ([expected] if expected else [])


def test_no_tables(look: Look) -> None:
    assert look("database", {"a.py": "x = 1\n"}).status is Status.SKIPPED


TABLES = """\
class Link(Base):
    __tablename__ = "user_teams"
    user_id = mapped_column(ForeignKey("users.id"), primary_key=True)
    team_id = mapped_column(ForeignKey("teams.id"), primary_key=True)
    role = mapped_column(String)


class Wide(Base):
    __tablename__ = "memberships"
    user_id = mapped_column(ForeignKey("users.id"), index=True)
    team_id = mapped_column(ForeignKey("teams.id"), index=True)
    role = mapped_column(String)
    kind = mapped_column(String)


class Half(Stamped):
    __tablename__ = "parts"
    created_at = mapped_column(DateTime)


class Version(Base):
    __tablename__ = "alembic_versions"
    number = mapped_column(String)


class Flag(Model):
    __tablename__ = "flags"
    __table_args__ = (
        Index("ix_flags_is_on", "is_on"),
        UniqueConstraint("is_off", name="uq_flags_is_off"),
        Index("ix_flags_is_x", "is_x", "name"),
        Index("flags_country", "country"),
        Index("ix_flags_city", "city_id", "name"),
        Index("ix_flags_town", "name", "town_id"),
    )
    is_on: Mapped[bool]
    is_off = mapped_column(Boolean)
    is_x = mapped_column(BOOLEAN)
    name = mapped_column(String, index=True)
    country = mapped_column(ForeignKey("app.countries.id"), unique=True)
    city_id = mapped_column(ForeignKey("cities.id"))
    town_id = mapped_column(ForeignKey("towns.id"))
    status_id = mapped_column(ForeignKey("status.id"), index=True)
    towns_id = mapped_column(ForeignKey("towns.id"), index=True)
    created_at = mapped_column(DateTime)
"""


def test_tables(told: Told) -> None:
    assert told("database", {"app/models.py": TABLES, "tests/models.py": TABLES}) == snapshot("""\
warning time-stamps app/models.py:8: the table `memberships` has no created_at and updated_at
    class Wide(Base):
warning time-stamps app/models.py:26: the table `flags` has no updated_at
    class Flag(Model):
warning index-name app/models.py:32: the index `flags_country` on country does not say what it is on
    Index("flags_country", "country"),
warning boolean-index app/models.py:36: `is_on` of `flags` is true or false, and indexed alone
    is_on: Mapped[bool]
warning foreign-key-name app/models.py:40: `country` leads to countries; `country_id` would say so
    country = mapped_column(ForeignKey("app.countries.id"), unique=True)
warning foreign-key-index app/models.py:42: the foreign key `town_id` of `flags` has no index
    town_id = mapped_column(ForeignKey("towns.id"))
warning foreign-key-name app/models.py:44: `towns_id` leads to towns; `town_id` would say so
    towns_id = mapped_column(ForeignKey("towns.id"), index=True)
""")


ASKED = """\
@app.route("/")
def a():
    psycopg.connect(url)
@app.patch("/")
def b():
    return psycopg2.connect(url)
@app.delete("/")
async def c():
    return await asyncpg.connect(url)
@app.post("/")
def d():
    return pool.connect(url)
@app.put("/")
def e():
    return psycopg.connect(url)
@app.command("/")
def f():
    return psycopg.connect(url)
def g():
    return psycopg.connect(url)
for one in all:
    session.get_one(User, one)
    db.query(one.model).all()
    db_session.scalars(select(User).where(User.id == one))
    cursor.execute("SELECT 1 WHERE a = %s", one)
    cursor.execute("UPDATE a SET b = %s", one)
    cursor.execute("SELECT 1")
    session.add(one)
    redis.query(one)
    execute(select(one))
async for key, value in all:
    await conn.execute(select(value))
    run("select u.* from users", " SELECT * FROM b")
    run(text, "SELECT * FROM b")
    run("SELECT a, * FROM b")
    run()
"""


def test_queries(told: Told) -> None:
    others = {"tests/a.py": ASKED, "scripts/a.py": ASKED, "migrations/a.py": ASKED, "app/b.py": "def (\n"}
    assert told("database", {"app/a.py": ASKED, **others}) == snapshot("""\
warning connection-without-pool app/a.py:3: each call opens a connection
    psycopg.connect(url)
warning connection-without-pool app/a.py:6: each call opens a connection
    return psycopg2.connect(url)
warning connection-without-pool app/a.py:9: each call opens a connection
    return await asyncpg.connect(url)
warning connection-without-pool app/a.py:15: each call opens a connection
    return psycopg.connect(url)
warning query-in-loop app/a.py:22: `session.get_one` is called for each turn of the loop
    session.get_one(User, one)
warning query-in-loop app/a.py:23: `db.query` is called for each turn of the loop
    db.query(one.model).all()
warning query-in-loop app/a.py:24: `db_session.scalars` is called for each turn of the loop
    db_session.scalars(select(User).where(User.id == one))
warning query-in-loop app/a.py:25: `cursor.execute` is called for each turn of the loop
    cursor.execute("SELECT 1 WHERE a = %s", one)
warning query-in-loop app/a.py:32: `conn.execute` is called for each turn of the loop
    await conn.execute(select(value))
warning select-star app/a.py:33: all columns are asked for
    run("select u.* from users", " SELECT * FROM b")
""")


def test_a_program_without_tables_is_judged_where_it_asks(look: Look) -> None:
    result = look("database", {"a.py": "db.execute('SELECT * FROM todos')\n"})
    assert (result.status, result.reason, len(result.findings)) == (Status.PASS, "", 1)
