from __future__ import annotations

from collections.abc import Callable

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
