"""The operations of a Django migration that need care."""

from __future__ import annotations

import ast

import pytest

from omni.verify.analysis.django_migrations import careful_steps, is_migration


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("class Migration(migrations.Migration): ...", True),
        ("class Other(Base, Migration): ...", True),
        ("class Migration(Base): ...", False),
        ("def f():\n    class Migration(migrations.Migration): ...", False),
        ("Migration()", False),
    ],
)
def test_what_is_a_migration(text: str, found: bool) -> None:
    assert is_migration(ast.parse(text)) is found


BACK = "Give {0} its way back; {0}.noop where there is nothing to undo."
CONCURRENTLY = "AddIndexConcurrently of django.contrib.postgres.operations, with atomic = False."


@pytest.mark.parametrize(
    ("operation", "steps"),
    [
        ("RunPython(f)", [("no-way-back", "RunPython can't be taken back", BACK.format("RunPython"))]),
        ("RunPython(f, g)", []),
        ("RunPython(f, reverse_code=g)", []),
        ("RunSQL('select 1')", [("no-way-back", "RunSQL can't be taken back", BACK.format("RunSQL"))]),
        ("RunSQL(sql='select 1', reverse_sql='x')", []),
        ("RenameField('Note', 'a', 'b')", [("renamed", "a column of Note is renamed", "")]),
        ("RenameField(model_name='note')", [("renamed", "a column of note is renamed", "")]),
        ("RenameField('User', 'a', 'b')", []),
        (
            "AddIndex('Note', index)",
            [("locks", "the index on Note is built while nothing can be written to it", CONCURRENTLY)],
        ),
        ("AddIndex(model_name='user')", []),
        ("AddIndexConcurrently('Note', index)", []),
        ("AddField('Note', 'a')", []),
    ],
)
def test_steps_that_need_care(operation: str, steps: list[tuple[str, str, str]]) -> None:
    made = "operations = [CreateModel(name='User'), CreateModel('Team'),\n"
    found = list(careful_steps(ast.parse(f"{made}migrations.{operation}]")))
    assert [(step.kind, step.message, step.mend) for step in found] == steps
    assert {step.line for step in found} <= {2}


def test_sql_that_locks_is_seen() -> None:
    text = "RunSQL('CREATE INDEX a ON b (c)', 'DROP INDEX a')"
    assert [(step.kind, step.line) for step in careful_steps(ast.parse(text))] == [("locks", 1)]
    assert list(careful_steps(ast.parse(text.replace("RunSQL", "Other")))) == []
