"""Tables as SQLAlchemy and SQL declare them: each column with all that is known of it."""

from __future__ import annotations

import ast

import pytest
from inline_snapshot import snapshot

from omni.verify.analysis.tables import Column, Table, mixin_columns, sql_tables, sqlalchemy_tables


def model(body: str, head: str = "class User(Base, Stamped):") -> Table:
    text = "\n".join([head, "    __tablename__ = 'users'", *(f"    {line}" for line in body.splitlines())])
    (table,) = sqlalchemy_tables("app.py", ast.parse(text))
    return table


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (
            "id: Mapped[int] = mapped_column(primary_key=True)",
            Column("id", 3, "Mapped[int]", primary=True, indexed=True, autoincrement=True),
        ),
        (
            "id = Column(Integer, primary_key=True, autoincrement=False)",
            Column("id", 3, " Integer", primary=True, indexed=True),
        ),
        (
            "id = Column(BigInteger(), primary_key=True, autoincrement=True)",
            Column("id", 3, " BigInteger", primary=True, indexed=True, autoincrement=True),
        ),
        ("id = Column(String, primary_key=True)", Column("id", 3, " String", primary=True, indexed=True)),
        ("n = Column(Integer, primary_key=False)", Column("n", 3, " Integer")),
        (
            "owner = Column(Integer, ForeignKey('users.id'), primary_key=True)",
            Column("owner", 3, " Integer ForeignKey", primary=True, references="users.id", indexed=True),
        ),
        ("owner = Column(ForeignKey(User.id))", Column("owner", 3, " ForeignKey")),
        ("owner = Column(ForeignKey())", Column("owner", 3, " ForeignKey")),
        ("mail = Column('email', String, unique=True)", Column("email", 3, "  String", indexed=True)),
        ("mail = Column(String, index=True)", Column("mail", 3, " String", indexed=True, lone_index=True)),
        ("mail = Column(String, index=True, unique=True)", Column("mail", 3, " String", indexed=True)),
        ("mail = Column(String, index=INDEXED)", Column("mail", 3, " String")),
        ("mail: Mapped[str]", Column("mail", 3, "Mapped[str]")),
        ("mail = Column()", Column("mail", 3, "")),
    ],
)
def test_a_column_of_a_model(line: str, column: Column) -> None:
    assert model(line) == Table("users", "app.py", 1, [column], mixins=frozenset({"Base", "Stamped"}))


@pytest.mark.parametrize("line", ["mail: str", "mail = other(String)", "mail = 1", "x.mail = Column(String)", "pass"])
def test_what_is_no_column(line: str) -> None:
    assert model(line).columns == []


def test_indexes_of_a_model() -> None:
    text = """\
other = (Index('not_ours', 'x'),)
__table_args__ = (
    Index('by_mail', 'mail', User.name),
    Index(),
    UniqueConstraint('a', 'b', name='both'),
    UniqueConstraint('a'),
    CheckConstraint('a > 0'),
)
"""
    assert model(text).indexes == [
        ("by_mail", ("mail", "name"), 5),
        ("", (), 6),
        ("both", ("a", "b"), 7),
        ("", ("a",), 8),
    ]


def test_a_class_without_a_table_is_a_mixin() -> None:
    text = """\
class Plain:
    x = 1
class Stamped:
    made: Mapped[datetime] = mapped_column(index=True)
class User(Stamped):
    __tablename__: str = "users"
    id = Column(Integer)
class Odd:
    __tablename__ = make()
    id = Column(Integer)
"""
    tree = ast.parse(text)
    made = Column("made", 4, "Mapped[datetime]", indexed=True, lone_index=True)
    assert mixin_columns(tree) == {"Stamped": [made]}
    assert [(table.name, table.line) for table in sqlalchemy_tables("a.py", tree)] == [("users", 5)]


def test_sql() -> None:
    text = """\
-- create table commented (id int);
/* create table
   hidden (id int); */
CREATE TABLE IF NOT EXISTS app."Users" (
  "id" bigserial PRIMARY KEY,
  email text UNIQUE, -- an address
  `team` integer NOT NULL REFERENCES app.teams (key),
  boss int references users,
  price numeric(10,2),
  CONSTRAINT positive CHECK (price > 0),
  other int,
  FOREIGN KEY (other) REFERENCES others (id),
  lonely
);
create unique index concurrently if not exists "by_mail" on app."users" using btree (email, "team");
CREATE INDEX elsewhere ON teams (key);
"""
    (table,) = sql_tables("a.sql", text)
    assert table == snapshot(
        Table(
            name="Users",
            path="a.sql",
            line=4,
            columns=[
                Column(name="id", line=5, type="bigserial", primary=True, indexed=True, autoincrement=True),
                Column(name="email", line=6, type="text", indexed=True),
                Column(name="team", line=7, type="integer", references="teams.key"),
                Column(name="boss", line=8, type="int", references="users.id"),
                Column(name="price", line=9, type="numeric(10,2)"),
                Column(name="other", line=11, type="int", references="others.id"),
            ],
            indexes=[("by_mail", ("email", "team"), 15)],
        )
    )


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("double precision NOT NULL", "double precision"),
        ("timestamp(3)  with time zone default now()", "timestamp(3) with time zone"),
        ("numeric (10, 2) check (a > 0)", "numeric (10, 2)"),
        ("character varying(30) collate x", "character varying(30)"),
        ("char(3) CHARACTER SET utf8", "char(3)"),
        ("bigint unsigned auto_increment", "bigint unsigned"),
        ("text[] null", "text[]"),
        ('app."Mood" references m', 'app."Mood"'),
        ("notes_type", "notes_type"),
        ("primary key", ""),
    ],
)
def test_a_type_of_several_words(declared: str, kind: str) -> None:
    (table,) = sql_tables("a.sql", f'create table a ("x" {declared}, y int)')
    assert [column.type for column in table.columns] == [kind, "int"]


@pytest.mark.parametrize(
    ("constraint", "primary", "indexed"),
    [
        ("PRIMARY KEY (id)", True, True),
        ("PRIMARY KEY (id, other)", True, True),
        ("PRIMARY KEY (other, id)", False, False),
        ("UNIQUE (id)", False, True),
        ("UNIQUE (other), PRIMARY KEY (id)", True, True),
        ("CHECK (id > 0)", False, False),
    ],
)
def test_keys_of_a_whole_sql_table(constraint: str, primary: bool, indexed: bool) -> None:
    (table,) = sql_tables("a.sql", f"create table a (id int, {constraint})")
    assert table.columns == [Column("id", 1, "int", primary=primary, indexed=indexed)]


@pytest.mark.parametrize(
    ("declared", "counts"),
    [
        ("id serial primary key", True),
        ("id integer primary key autoincrement", True),
        ("id int auto_increment primary key", True),
        ("id int generated always as identity primary key", True),
        ("id int primary key", False),
        ("id serial", False),
    ],
)
def test_a_key_that_counts_by_itself(declared: str, counts: bool) -> None:
    (table,) = sql_tables("a.sql", f"create table a ({declared}")
    assert [column.autoincrement for column in table.columns] == [counts]
