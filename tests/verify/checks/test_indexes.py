from __future__ import annotations

from collections.abc import Callable

import pytest
from inline_snapshot import snapshot

from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]
Told = Callable[..., str]

UNREADABLE = "not Python that this interpreter can parse: '(' was never closed (line 2)"
MODELS = """\
class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        Index("ix_a", "created_at", "kind"),
        Index("ix_b", kind, created_at),
        Index("ix_c", "status", "kind"),
        Index("ix_d", "state", postgresql_where=text("state = 'open'")),
        Index("ix_e", "tags", postgresql_using="gin"),
        Index("ix_f", "data", postgresql_using="btree"),
        Index("ix_g", "stage"),
        Index("ix_h", "isbn"),
    )
    id = mapped_column(UUID, primary_key=True)
    email = mapped_column(String)
    login = mapped_column(String, unique=True)
    slug = mapped_column(String, index=True)
    isbn = mapped_column(String)
    phone_number = mapped_column(String)
    tags = mapped_column(JSONB)
    data = mapped_column(JSONB)
    notes = mapped_column(JSON)


class Other(Base):
    __tablename__ = "others"
    __table_args__ = (Index("ix_i", "kind"),)
"""
QUERIES = """\
one = select(User).where(User.email == email)
two = select(User).where(User.login == login)
three = select(User).where(User.slug == slug)
four = select(User).where(User.isbn == isbn)
five = select(User).where(User.phone_number == phone)
six = select(User).where(User.email == email, User.isbn == isbn)
seven = select(User).where(User.email == email, User.id == id)
eight = select(User).where(User.email > email)
nine = select(User).where(User.data.contains(x), User.tags.contains(x), User.notes.contains(x))
ten = select(User).where(User.created_at > then, User.kind == kind)
eleven = select(User).where(User.status == "active")
twelve = select(User).where(User.state == "open")
thirteen = select(User).where(User.stage == "one")
fourteen = select(User).where(User.stage == "two")
fifteen = select(Unknown).where(Unknown.email == email)
sixteen = select(Other).where(Other.email == email)
"""


def test_models_and_what_is_asked_of_them(told: Told) -> None:
    files = {"app/models.py": MODELS, "app/queries.py": QUERIES, "tests/test_a.py": QUERIES}
    assert told("indexes", files) == snapshot("""\
warning range-first app/models.py:4: `created_at` is a range, and stands before what is compared with =
    Index("ix_a", "created_at", "kind"),
warning full-index-for-one-value app/models.py:6: only `status = 'active'` is ever asked for
    Index("ix_c", "status", "kind"),
warning unindexed-lookup app/queries.py:1: `users.email` finds one row, and has no index
    one = select(User).where(User.email == email)
warning jsonb-without-gin app/queries.py:9: `users.data` is asked for what is in it, without a GIN index
    nine = select(User).where(User.data.contains(x), User.tags.contains(x), User.notes.contains(x))
""")


SQL = """\
CREATE TABLE users ( -- unique (here)
  id uuid PRIMARY KEY,
  email text, login text UNIQUE, code text,
  status text, tags jsonb, data jsonb,
  UNIQUE (email, code),
  CONSTRAINT users_code CHECK (code > ''),
  CONSTRAINT fk_users_team FOREIGN  KEY (team) REFERENCES teams (id),
  CONSTRAINT FK_Users_boss FOREIGN KEY (boss) REFERENCES users (id), FOREIGN KEY (a) REFERENCES b (id),
  CONSTRAINT uk_users_a UNIQUE (a), CONSTRAINT chk_users_a CHECK (a), CONSTRAINT excl_users_a EXCLUDE USING gist (a)
);
CREATE TABLE IF NOT EXISTS app.notes (
  id uuid, CHECK (id > 0)
);
CREATE UNIQUE INDEX ON users (id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_a ON public.users (Status DESC);
CREATE INDEX ix_b ON users USING GIN (tags jsonb_path_ops);
CREATE INDEX ix_c ON users USING btree (data);
CREATE INDEX ix_d ON users (code) WHERE code > '';
SELECT 1 FROM users WHERE code = 'x';
SELECT 1 FROM users WHERE status = 'open' AND tags @> '{}';
SELECT 1 FROM users WHERE data @> '{}';
SELECT 1 FROM users WHERE email = 'a@x.example';
"""


def test_sql(told: Told) -> None:
    assert told("indexes", {"schema.sql": SQL}) == snapshot("""\
warning constraint-name schema.sql:5: a constraint (unique) of `users` has no name
    UNIQUE (email, code),
warning constraint-name schema.sql:6: `users_code` does not say that it is a constraint (check) of `users`: ck_users_…
    CONSTRAINT users_code CHECK (code > ''),
warning constraint-name schema.sql:8: a constraint (foreign key) of `users` has no name
    CONSTRAINT FK_Users_boss FOREIGN KEY (boss) REFERENCES users (id), FOREIGN KEY (a) REFERENCES b (id),
warning constraint-name schema.sql:12: a constraint (check) of `notes` has no name
    id uuid, CHECK (id > 0)
warning full-index-for-one-value schema.sql:15: only `status = 'open'` is ever asked for
    CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_a ON public.users (Status DESC);
warning jsonb-without-gin schema.sql:21: `users.data` is asked for what is in it, without a GIN index
    SELECT 1 FROM users WHERE data @> '{}';
""")


CONSTRAINTS = """\
class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("a", "b"),
        CheckConstraint("a > 0", name="positive"),
        ForeignKeyConstraint(["a"], ["b.a"], name="fk_users_a"),
        sa.UniqueConstraint("c", name="uq_user"),
        sa.UniqueConstraint("c", name="uq_users_c"),
        Index("ix_users_a", "a"),
    )


class NoTable:
    made = UniqueConstraint("a")
"""


def test_names_of_constraints(told: Told) -> None:
    """With a convention nobody has to name them."""
    files = {"app/models.py": CONSTRAINTS}
    assert told("indexes", files) == snapshot("""\
warning constraint-name app/models.py:4: a constraint (unique) of `users` has no name
    UniqueConstraint("a", "b"),
warning constraint-name app/models.py:5: `positive` does not say that it is a constraint (check) of `users`: ck_users_…
    CheckConstraint("a > 0", name="positive"),
warning constraint-name app/models.py:7: `uq_user` does not say that it is a constraint (unique) of `users`: uq_users_…
    sa.UniqueConstraint("c", name="uq_user"),
""")
    base = 'metadata = MetaData(naming_convention={"uq": "uq_%(table_name)s"})\n'
    assert told("indexes", files | {"app/base.py": base}) == ""


@pytest.mark.parametrize(
    ("files", "status", "reason"),
    [
        ({"a.py": "x = select(User).where(User.email == 1)\n"}, Status.SKIPPED, "the project declares no tables"),
        ({"tests/models.py": CONSTRAINTS}, Status.SKIPPED, "the project declares no tables"),
        ({"a.sql": "SELECT 1 FROM users WHERE email = 'x';\n"}, Status.SKIPPED, "the project declares no tables"),
        (
            {"a.py": "class A:\n    __tablename__ = (\n"},
            Status.INCOMPLETE,
            f"1 of 1 files not analysed: a.py ({UNREADABLE})",
        ),
    ],
)
def test_what_can_not_be_judged(look: Look, files: dict[str, str], status: Status, reason: str) -> None:
    result = look("indexes", files)
    assert (result.status, result.reason, result.findings) == (status, reason, ())
