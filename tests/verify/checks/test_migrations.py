from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from omni.verify.report import CheckResult

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]

PATH = "migrations/versions/0001_a.py"


def revision(upgrade: str, downgrade: str) -> dict[str, str]:
    return {PATH: f"revision = '0001'\n\ndef upgrade():\n    {upgrade}\n\ndef downgrade():\n    {downgrade}\n"}


@pytest.mark.parametrize(
    ("upgrade", "downgrade", "expected"),
    [
        ("op.create_table('x')", "pass", "error no-way-back:6"),
        ("op.create_table('x')", "raise NotImplementedError", "error no-way-back:6"),
        ("op.alter_column('x', 'a', new_column_name='b')", "f()", "error renamed-column:4"),
        ("op.execute('ALTER TABLE x RENAME COLUMN a TO b')", "f()", "error renamed-column:4"),
        ("op.add_column('x', sa.Column('a', sa.Text, nullable=False))", "f()", "error required-without-default:4"),
        ("op.create_index('idx_x_a', 'x', ['a'])", "f()", "warning locking-index:4"),
        ("op.alter_column('x', 'a', type_=sa.Text())", "f()", "warning locks-table:4"),
        ("op.alter_column('x', 'a', nullable=False)", "f()", "warning locks-table:4"),
        ("op.create_foreign_key('fk', 'x', 'y', ['a'], ['id'])", "f()", "warning locks-table:4"),
        ("op.create_foreign_key('fk', 'x', 'y', ['a'], ['id'], postgresql_not_valid=True)", "f()", ""),
        ("op.create_unique_constraint('uq', 'x', ['a'])", "f()", "warning locks-table:4"),
        ("op.execute('LOCK TABLE x')", "f()", "warning locks-table:4"),
        ("op.create_table('x')\n    op.create_unique_constraint('uq', 'x', ['a'])", "f()", ""),
        ("op.create_table('x')\n    op.create_index('idx_x_a', 'x', ['a'])", "f()", ""),
        ("op.add_column('x', sa.Column('a', sa.Text, nullable=False, server_default=''))", "f()", ""),
        ("op.create_index('idx_x_a', 'x', ['a'], postgresql_concurrently=True)", "f()", ""),
        ("pass", "pass", ""),
    ],
)
def test_alembic(look: Look, upgrade: str, downgrade: str, expected: str) -> None:
    findings = look("migrations", revision(upgrade, downgrade)).findings
    assert [f"{each.severity} {each.rule}:{each.line}" for each in findings] == ([expected] if expected else [])


def test_sql(found: Found) -> None:
    up = "migrations/0001_a.up.sql"
    text = "BEGIN;\nALTER TABLE x RENAME COLUMN a TO b;\nALTER TABLE x ADD COLUMN c int NOT NULL;\nCOMMIT;\n"
    assert found("migrations", {up: text}) == [
        f"error no-way-back {up}:1",
        f"error renamed-column {up}:2",
        f"error required-without-default {up}:3",
    ]


def test_transaction(found: Found) -> None:
    files = {"migrations/1.sql": "CREATE TABLE a (b int);\nCREATE TABLE c (d int);\n"}
    assert found("migrations", files) == ["warning not-in-transaction migrations/1.sql:1"]
    exempt = "CREATE INDEX CONCURRENTLY i ON a (b);\nCREATE INDEX CONCURRENTLY j ON a (c);\n"
    assert found("migrations", {"migrations/1.sql": exempt}) == []


INDEX = "op.create_index('idx_x_a', 'x', ['a'])"


@pytest.mark.parametrize(
    "says_so", [{"pyproject.toml": "dependencies = ['psycopg']"}, {"compose.yaml": "image: postgres:16"}]
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


def test_sql_that_locks(found: Found) -> None:
    up, down = "migrations/0002_b.up.sql", "migrations/0002_b.down.sql"
    files = {up: "CREATE INDEX i ON x (a);\n", down: "DROP INDEX i;\nALTER TABLE x ALTER a TYPE int;\n"}
    assert found("migrations", {up: files[up], down: "DROP INDEX i;\n"}) == [f"error locks-table {up}:1"]


def test_the_way_back_may_drop(found: Found) -> None:
    drop = "BEGIN;\nDROP TABLE x;\nCOMMIT;\n"
    assert found("squawk", {"migrations/1_a.down.sql": drop}) == ["note ban-drop-table migrations/1_a.down.sql:2"]
    assert found("squawk", {"migrations/1_a.up.sql": drop})[1:] == ["error ban-drop-table migrations/1_a.up.sql:2"]


DJANGO = "shop/migrations/0002_b.py"


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
    text = f"class Migration(migrations.Migration):\n    operations = [\n        {operation},\n    ]\n"
    files = {DJANGO: text, "requirements.txt": "psycopg==3.2\n"}
    assert found("migrations", files) == ([f"{expected} {DJANGO}:3"] if expected else [])
