from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of, told

from omni.verify.check import Output
from omni.verify.checks.squawk import parse
from omni.verify.report import Finding

Write = Callable[[Mapping[str, str | bytes]], Path]


@pytest.mark.parametrize(
    ("rule", "path", "severity"),
    [
        ("ban-drop-table", "migrations/1.sql", "error"),
        ("ban-drop-table", "migrations/1.down.sql", "note"),
        ("renaming-column", "migrations/1.down.sql", "error"),
        ("ban-drop-column", "migrations/1.sql", "note"),
        ("ban-char-field", "migrations/1.sql", "warning"),
    ],
)
def test_how_grave_a_rule_is(write: Write, rule: str, path: str, severity: str) -> None:
    """The way back takes away what the way forth made."""
    said = {"rule_name": rule, "file": path, "line": 2, "message": "bad", "help": None}
    (found,) = parse(context_of(write({}), "squawk"), Output(1, json.dumps([said]), ""))
    assert told([found]) == [f"{severity} {rule} {path}:3 bad"]


def test_what_squawk_advises_is_told(write: Write) -> None:
    said = {"rule_name": "renaming-table", "file": "migrations/1.sql", "line": 0, "message": "bad", "help": "Do it."}
    (found,) = parse(context_of(write({}), "squawk"), Output(1, json.dumps([said]), ""))
    assert isinstance(found, Finding)
    assert (found.line, found.fix) == (1, "Do it.")
    assert list(parse(context_of(write({}), "squawk"), Output(0, "", ""))) == []
