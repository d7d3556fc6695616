from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

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
