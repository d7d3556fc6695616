"""What a migration is made of: which files, in which order, and when it is over. Nothing runs here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from omni.pipeline.change.proof import is_test_file

FROM_TO = re.compile(r"\bfrom\s+([A-Za-z][\w.-]*)\s+to\s+([A-Za-z][\w.-]*)", re.IGNORECASE)


class Migration(BaseModel):
    """A row of `migrations.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    words: str
    files: str
    uses: str
    seam: str = ""
    adds: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    join: str = ""
    move: str
    part: str = ""

    def on_old_side(self, path: str, text: str) -> bool:
        return bool(re.search(self.files, path)) and bool(re.search(self.uses, text, re.MULTILINE))


class Step(BaseModel):
    """One commit of a migration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["join", "move", "part"]
    path: str
    """The file that it is about."""
    task: str

    @property
    def title(self) -> str:
        return {"join": "join old and new in", "move": "move", "part": "take the old out of"}[
            self.kind
        ] + f" {self.path}"


def migration_of(request: str) -> Migration | None:
    """The migration that a sentence asks for; None when it names none."""
    for known in _table():
        if re.search(known.words, request, re.IGNORECASE):
            return known
    said = FROM_TO.search(request)
    if said is None:
        return None
    old, new = re.escape(said[1].lower().replace("-", "_")), said[2]
    return Migration(
        id=f"{said[1]}-to-{said[2]}".lower(),
        words="",
        files=r"\.(py|[cm]?[jt]sx?)$",
        uses=rf"(?i)^\s*(from|import)\s+{old}\b|require\(['\"]{old}['\"]\)|from\s+['\"]{old}['\"]",
        move=f"Move this file from {said[1]} to {new}. What it does stays the same.",
    )


def steps(migration: Migration, texts: Mapping[str, str], imports: Mapping[str, tuple[str, ...]]) -> tuple[Step, ...]:
    """The join first, then file by file, what others import before them, at the end the parting."""
    old = [path for path, text in texts.items() if migration.on_old_side(path, text) and not is_test_file(path)]
    seams = [path for path in old if migration.seam and re.search(migration.seam, texts[path])]
    rest = [path for path in _order(old, imports) if path not in seams]
    return (
        *(Step(kind="join", path=path, task=migration.join) for path in seams),
        *(Step(kind="move", path=path, task=migration.move) for path in rest),
        *(Step(kind="part", path=path, task=migration.part) for path in seams),
    )


def left(migration: Migration, texts: Mapping[str, str]) -> tuple[str, ...]:
    """The files that are still on the old side, tests too."""
    return tuple(sorted(path for path, text in texts.items() if migration.on_old_side(path, text)))


def _order(paths: list[str], imports: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Imported files before those that import them; else by name. A cycle is cut where it is met."""
    ordered: list[str] = []
    open_: set[str] = set()

    def visit(path: str) -> None:
        if path in open_ or path in ordered:
            return
        open_.add(path)
        for target in sorted(set(imports.get(path, ())) & set(paths)):
            visit(target)
        ordered.append(path)

    for path in sorted(paths):
        visit(path)
    return ordered


@cache
def _table() -> tuple[Migration, ...]:
    data = tomllib.loads(files("omni.pipeline").joinpath("change", "migrations.toml").read_text("utf-8"))
    return tuple(Migration.model_validate(each) for each in data["migration"])
