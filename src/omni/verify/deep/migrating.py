"""The migrations of a project in order, each with how it is applied and taken back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from omni.verify.analysis.python import Function, text_of
from omni.verify.check import Context, Unseen
from omni.verify.deep.declared import Migrations
from omni.verify.files import File

UP = re.compile(r"(\.up\.sql|_up\.sql|/up\.sql)$")


@dataclass(frozen=True)
class Migration:
    path: str
    up: tuple[str, ...]
    down: tuple[str, ...]
    down_path: str
    down_line: int = 1


def find_migrations(context: Context) -> tuple[Migration, ...]:
    """SQL files in pairs, or Alembic's revisions; what was declared, as a whole, where neither can be told apart."""
    declared = context.project.migrations
    if declared is None or declared == Migrations():
        if pairs := tuple(_pairs(file.path for file in context.files)):
            return pairs
        if revisions := _revisions(context):
            return revisions
    if declared is None:
        return ()
    path = next((file.path for file in context.files), "omni.toml")
    return (Migration(path, declared.up, declared.down, path),)


def _pairs(paths: Iterable[str]) -> Iterator[Migration]:
    every = sorted(paths)
    for path in every:
        down = UP.sub(lambda found: found[0].replace("up", "down"), path)
        if UP.search(path) and down in every:
            yield Migration(path, _psql(path), _psql(down), down)


def _psql(path: str) -> tuple[str, ...]:
    return ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", path)


@dataclass(frozen=True)
class _Revision:
    file: File
    name: str
    before: str | None
    down_line: int


def _revisions(context: Context) -> tuple[Migration, ...]:
    """In the order of their history; empty when that has branches, or can't be read."""
    if "alembic.ini" not in {path.rpartition("/")[2] for path in context.inventory.by_path}:
        return ()
    found = [each for file in context.files if file.language == "python" and (each := _revision(context, file))]
    following = {each.before: each for each in found}
    if len(following) != len(found) or None not in following:
        return ()
    ordered, last = [], following.get(None)
    while last is not None:
        ordered.append(last)
        last = following.pop(last.name, None)
    back = [each.before or "base" for each in ordered]
    return tuple(
        Migration(
            each.file.path,
            ("alembic", "upgrade", each.name),
            ("alembic", "downgrade", to),
            each.file.path,
            each.down_line,
        )
        for each, to in zip(ordered, back, strict=True)
    )


def _revision(context: Context, file: File) -> _Revision | None:
    tree = context.parse_python(file)
    if isinstance(tree, Unseen):
        return None
    values = {
        target.id: text_of(node.value)
        for node in tree.body
        for target in (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if isinstance(target, ast.Name) and isinstance(node, ast.Assign | ast.AnnAssign)
    }
    down = next((node for node in tree.body if isinstance(node, Function) and node.name == "downgrade"), None)
    name = values.get("revision")
    return _Revision(file, name, values.get("down_revision"), down.lineno if down else 1) if name else None
