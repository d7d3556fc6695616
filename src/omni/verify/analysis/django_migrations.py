"""What the operations of Django's migrations mean (docs.djangoproject.com, ref/migration-operations)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal, NamedTuple

from omni.verify.analysis.locks import locks
from omni.verify.analysis.python import keyword, last_name, text_of
from omni.verify.parsing import walk


class Step(NamedTuple):
    """An operation that needs care."""

    kind: Literal["no-way-back", "renamed", "locks"]
    line: int
    message: str
    mend: str


def is_migration(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ClassDef) and any(last_name(base) == "Migration" for base in node.bases)
        for node in tree.body
    )


def careful_steps(tree: ast.Module) -> Iterator[Step]:
    calls = [node for node in walk(tree) if isinstance(node, ast.Call)]
    made = {_given(node, 0, "name").lower() for node in calls if last_name(node.func) == "CreateModel"}
    for node in calls:
        name = last_name(node.func)
        model = _given(node, 0, "model_name")
        if name in {"RunPython", "RunSQL"} and not _has(node, 1, "reverse_code", "reverse_sql"):
            mend = f"Give {name} its way back; {name}.noop where there is nothing to undo."
            yield Step("no-way-back", node.lineno, f"{name} can't be taken back", mend)
        elif name == "RenameField" and model.lower() not in made:
            yield Step("renamed", node.lineno, f"a column of {model} is renamed", "")
        elif name == "AddIndex" and model.lower() not in made:
            mend = "AddIndexConcurrently of django.contrib.postgres.operations, with atomic = False."
            yield Step("locks", node.lineno, f"the index on {model} is built while nothing can be written to it", mend)
        if name == "RunSQL" and (sql := _given(node, 0, "sql")):
            yield from (Step("locks", node.lineno, f"it {lock.message}", lock.mend) for lock in locks(sql))


def _given(call: ast.Call, at: int, name: str) -> str:
    node = call.args[at] if len(call.args) > at else keyword(call, name)
    return text_of(node) or ""


def _has(call: ast.Call, at: int, *names: str) -> bool:
    return len(call.args) > at or any(keyword(call, name) is not None for name in names)
