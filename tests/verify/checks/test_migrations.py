from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from omni.verify.report import CheckResult, Status

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]

PATH = "migrations/versions/0001_a.py"


def revision(upgrade: str, downgrade: str) -> dict[str, str]:
    return {PATH: f"revision = '0001'\n\ndef upgrade():\n    {upgrade}\n\ndef downgrade():\n    {downgrade}\n"}


def said(result: CheckResult) -> list[str]:
    """`severity rule:line message`; what is shown of the file is that line."""
    assert result.status is not Status.ERROR, result.reason
    return [f"{each.severity} {each.rule}:{each.line} {each.message}" for each in result.findings]


NO_WAY_BACK = "error no-way-back:6 the migration can't be taken back"
WAITS = "warning locks-table:4 it"


TO_B = "op.alter_column('x', '{}', new_column_name='b')"


@pytest.mark.parametrize(
    ("upgrade", "downgrade", "expected"),
    [
        ("op.create_table('x')", "pass", NO_WAY_BACK),
        ("op.create_table('x')", "raise NotImplementedError", NO_WAY_BACK),
        ("op.create_table('x')", "'nothing'; ...; pass", NO_WAY_BACK),
        ("op.create_table('x')", "return None", ""),
        (
            "op.alter_column('x', 'a', new_column_name='b')",
            "f()",
            "error renamed-column:4 `a` of `x` is renamed to `b`",
        ),
        (f"op.add_column('x', sa.Column('n')); {TO_B.format('n')}", "f()", ""),
        (
            f"op.add_column('x', sa.Column('n')); op.drop_column('x', 'b'); {TO_B.format('n')}",
            "f()",
            "error renamed-column:4 `b` of `x` is replaced by another column in one step",
        ),
        (
            "op.execute(sa.text('ALTER TABLE x RENAME COLUMN a TO b'))",
            "f()",
            "error renamed-column:4 a column is renamed",
        ),
        (
            "op.add_column('x', sa.Column('a', sa.Text, nullable=False))",
            "f()",
            "error required-without-default:4 the column `a` is required at once, without a default",
        ),
        (
            "op.add_column('x', sa.Column(nullable=False))",
            "f()",
            "error required-without-default:4 the column `?` is required at once, without a default",
        ),
        ("op.add_column('x', sa.Column('a', sa.Text, nullable=False, server_default=''))", "f()", ""),
        ("op.add_column('x', sa.Column('a', sa.Text, nullable=True))", "f()", ""),
        ("op.add_column('x', sa.Column('a', sa.Text, nullable=0))", "f()", ""),
        ("op.add_column('x', a)", "f()", ""),
        (
            "op.create_index('idx_x_a', 'x', ['a'])",
            "f()",
            "warning locking-index:4 the index on `x` is built while its table is locked",
        ),
        ("op.create_index('idx_x_a', 'x', ['a'], postgresql_concurrently=True)", "f()", ""),
        ("op.create_index('idx_x_a')", "f()", ""),
        ("op.create_table('x')\n    op.create_index('idx_x_a', 'x', ['a'])", "f()", ""),
        (
            "op.alter_column('x', 'a', type_=sa.Text())",
            "f()",
            f"{WAITS} may write `x` anew while nobody can read or write it",
        ),
        (
            "op.alter_column('x', 'a', type_=sa.Text(), nullable=False)",
            "f()",
            f"{WAITS} may write `x` anew while nobody can read or write it",
        ),
        (
            "op.alter_column('x', 'a', nullable=False)",
            "f()",
            f"{WAITS} looks at every row of `x` while nobody can read or write it",
        ),
        ("op.alter_column('x', 'a', nullable=True)", "f()", ""),
        ("op.alter_column(table, 'a', nullable=False, type_=sa.Text())", "f()", ""),
        ("op.alter_column(type_=sa.Text())", "f()", ""),
        ("op.create_table('x')\n    op.alter_column('x', 'a', type_=sa.Text())", "f()", ""),
        ("op.create_table('x')\n    op.alter_column('x', 'a', nullable=False)", "f()", ""),
        *(
            (f"op.{name}('n', 'x', ['a'])", "f()", f"{WAITS} {does} `x` while nobody can write to it")
            for name, does in (
                ("create_foreign_key", "checks every row of"),
                ("create_check_constraint", "checks every row of"),
                ("create_unique_constraint", "builds an index on"),
                ("create_primary_key", "builds an index on"),
                ("create_exclude_constraint", "builds an index on"),
            )
        ),
        ("op.create_foreign_key('fk', 'x', 'y', ['a'], ['id'], postgresql_not_valid=True)", "f()", ""),
        ("op.create_foreign_key('fk')", "f()", ""),
        ("batch_op.create_unique_constraint('uq', ['a'])", "f()", ""),
        ("batch_op.create_foreign_key('fk', 'y', ['a'], ['id'])", "f()", ""),
        ("op.create_table('x')\n    op.create_unique_constraint('uq', 'x', ['a'])", "f()", ""),
        ("op.execute('LOCK TABLE x')", "f()", f"{WAITS} locks `x`"),
        ("op.execute(statement)", "f()", ""),
        ("pass", "pass", ""),
        (
            "op.create_index('i', 'x', ['a'])",
            "op.create_index('j', 'y', ['a'])",
            "warning locking-index:4 the index on",
        ),
    ],
)
def test_alembic(look: Look, upgrade: str, downgrade: str, expected: str) -> None:
    files = revision(upgrade, downgrade)
    result = look("migrations", files)
    assert len(said(result)) == bool(expected)
    assert "".join(said(result)).startswith(expected)
    lines = files[PATH].splitlines()
    assert [each.snippet for each in result.findings] == [
        lines[each.line - 1].strip() for each in result.findings if each.line
    ]


def test_alembic_without_a_way_back_or_forth(look: Look) -> None:
    forth = "def upgrade():\n    op.create_table('x')\n"
    result = look("migrations", {PATH: f"down_revision = None\n\n{forth}"})
    assert said(result) == ["error no-way-back:3 the migration can't be taken back"]
    for other in (f"# revision\n{forth}", "revision = '1'\n", f"revision = '1'\nclass A:\n    {forth[:-1]}\n"):
        assert said(look("migrations", {PATH: other})) == []


def test_what_can_not_be_parsed_is_not_judged(look: Look) -> None:
    result = look("migrations", revision("op.create_table('x')", "def (") | {"migrations/1.sql": "SELECT 1;\n"})
    assert (list(result.coverage.failed), result.findings) == ([PATH], ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALTER TABLE x RENAME COLUMN a TO b;\n", "error renamed-column:1 a column is renamed"),
        ("SELECT 1;\nALTER TABLE x RENAME a TO b;\n", "error renamed-column:2 a column is renamed"),
        ("ALTER TABLE x RENAME TO y;\n", ""),
        ("-- ALTER TABLE x RENAME COLUMN a TO b;\n", ""),
        (
            "\nALTER TABLE x ADD COLUMN c int NOT NULL;\n",
            "error required-without-default:2 a column is required at once, without a default",
        ),
        ("ALTER TABLE x ADD COLUMN c int NOT NULL DEFAULT 0;\n", ""),
        ("ALTER TABLE x ADD COLUMN c int DEFAULT 0 NOT NULL;\n", ""),
        ("ALTER TABLE x ADD COLUMN c int GENERATED ALWAYS AS IDENTITY NOT NULL;\n", ""),
        ("CREATE INDEX i ON x (a);\n", "warning locks-table:1 it builds an index while nothing can be written to `x`"),
        (
            "INSERT INTO created VALUES (1);\nCREATE TABLE a (b int);\n  DROP TABLE c;\n",
            "warning not-in-transaction:2 2 changes stand outside of a transaction",
        ),
        ("begin;\nCREATE TABLE a (b int);\nDROP TABLE c;\ncommit;\n", ""),
        ("START  TRANSACTION;\nCREATE TABLE a (b int);\nDROP TABLE c;\n", ""),
        ("-- BEGIN\nDROP TABLE c;\n", ""),
        ("CREATE INDEX CONCURRENTLY i ON a (b);\nCREATE INDEX CONCURRENTLY j ON a (c);\n", ""),
    ],
)
def test_sql(look: Look, text: str, expected: str) -> None:
    result = look("migrations", {"db/migrations/1.sql": text, "pyproject.toml": ""})
    expected = expected.replace("warning locks", "error locks")  # a migration in SQL is taken for PostgreSQL's
    assert said(result) == ([expected] if expected else [])
    lines = text.splitlines()
    assert [each.snippet for each in result.findings] == [
        lines[each.line - 1].strip() for each in result.findings if each.line
    ]


@pytest.mark.parametrize(
    ("up", "down"),
    [
        ("migrations/1_a.up.sql", "migrations/1_a.down.sql"),
        ("migrations/1_up.sql", "migrations/1_down.sql"),
        ("migrations/update/up.sql", "migrations/update/down.sql"),
    ],
)
def test_sql_in_pairs(look: Look, up: str, down: str) -> None:
    lock = "ALTER TABLE x ALTER a TYPE int;\n"
    assert said(look("migrations", {up: "SELECT 1;\n"})) == [f"error no-way-back:1 there is no {down}"]
    assert said(look("migrations", {down: lock})) == []


def test_how_to_mend_a_lock_is_said_for_that_lock(look: Look) -> None:
    (finding,) = look("migrations", {"migrations/1.sql": "CREATE INDEX i ON x (a);\n"}).findings
    assert finding.fix == "CREATE INDEX CONCURRENTLY, outside of a transaction."
    operation = "migrations.AddIndex('order', models.Index(fields=['a']))"
    (_, finding) = look("migrations", {DJANGO: DJANGO_MIGRATION.format(operation)}).findings
    assert finding.fix.startswith("AddIndexConcurrently")


INDEX = "op.create_index('idx_x_a', 'x', ['a'])"


@pytest.mark.parametrize(
    "says_so",
    [
        {"pyproject.toml": "dependencies = ['psycopg']"},
        {"compose.yaml": "image: postgres:16"},
        {"package.json": '{"pg": 1}'},
        {"migrations/0001.sql": "SELECT 1;\n"},
    ],
)
def test_locks_block_on_postgresql(found: Found, says_so: dict[str, str]) -> None:
    assert found("migrations", revision(INDEX, "f()") | says_so) == [f"error locking-index {PATH}:4"]


def test_what_is_applied_already_locks_nobody(found: Found, root: Path, git: Callable[..., str]) -> None:
    files = revision(INDEX, "f()") | {"pyproject.toml": "dependencies = ['psycopg']"}
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git("add", "-A")
    git("commit", "-q", "-m", "applied")
    later = PATH.replace("0001", "0002")
    assert found("migrations", {later: files[PATH].replace("idx_x_a", "idx_x_b")}) == [
        f"note locking-index {PATH}:4",
        f"error locking-index {later}:4",
    ]


def test_the_way_back_may_drop(found: Found) -> None:
    drop = "BEGIN;\nDROP TABLE x;\nCOMMIT;\n"
    assert found("squawk", {"migrations/1_a.down.sql": drop}) == ["note ban-drop-table migrations/1_a.down.sql:2"]
    assert found("squawk", {"migrations/1_a.up.sql": drop})[1:] == ["error ban-drop-table migrations/1_a.up.sql:2"]


DJANGO = "shop/migrations/0002_b.py"
DJANGO_MIGRATION = "class Migration(migrations.Migration):\n    operations = [\n        {},\n    ]\n"


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("migrations.RunPython(fill)", "error no-way-back"),
        ("migrations.RunPython(fill, migrations.RunPython.noop)", ""),
        ("migrations.RunPython(code=fill, reverse_code=empty)", ""),
        ("migrations.RunSQL('UPDATE x SET a = 1')", "error no-way-back"),
        ("migrations.RunSQL('LOCK TABLE x', 'SELECT 1')", "error locks-table"),
        ("migrations.RenameField('order', 'a', 'b')", "error renamed-column"),
        ("migrations.AddIndex(model_name='order', index=models.Index(fields=['a']))", "error locks-table"),
        ("AddIndexConcurrently('order', models.Index(fields=['a']))", ""),
        ("migrations.CreateModel('Order'), migrations.AddIndex('order', models.Index(fields=['a']))", ""),
    ],
)
def test_django(found: Found, operation: str, expected: str) -> None:
    files = {DJANGO: DJANGO_MIGRATION.format(operation), "requirements.txt": "psycopg==3.2\n"}
    assert found("migrations", files) == ([f"{expected} {DJANGO}:3"] if expected else [])


def test_a_model_beside_migrations_is_none(found: Found) -> None:
    assert (
        found("migrations", {"shop/migrations/helpers.py": "class Move:\n    a = RenameField('x', 'a', 'b')\n"}) == []
    )
