"""The table of requirements: its form, that its commands exist, and that a sample of them does what it says."""

from __future__ import annotations

import ast
import csv
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from tests.docs.command_lines import ROOT, problem

TABLE = ROOT / "docs/requirements.tsv"
ROWS = list(csv.DictReader(TABLE.read_text().splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
ID = re.compile(r"[A-Z]+\d+[A-Za-z]?(\.([a-z]{0,2}\d+[a-z]?|[A-Z]+\d?-\d+))?")
SAMPLE = ("D7B.m1", "P0.4", "ST0b", "ST3d")
"""Quick ones from several rooms; the others are tests that run anyway, or take longer."""


def test_form() -> None:
    assert list(ROWS[0]) == ["id", "state", "command", "note"]
    assert [row["id"] for row in ROWS if not ID.fullmatch(row["id"])] == []
    assert {row["state"] for row in ROWS} == {"works", "partly"}
    assert [row["id"] for row in ROWS if row["state"] == "partly" and not row["note"]] == []
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert all(len(row) == 4 and None not in row.values() for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_command_exists(row: dict[str, str]) -> None:
    assert problem(row["command"]) == ""
    for word in row["command"].split():
        path, _, test = word.partition("::")
        if "/" in path and not path.startswith((".venv/", "./", "out/")):
            assert (ROOT / path).exists(), f"no such file: {path}"
        if test:
            assert test in _tests(ROOT / path), f"no such test: {word}"


@cache
def _tests(path: Path) -> frozenset[str]:
    return frozenset(node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in ROWS if row["id"] in SAMPLE], ids=lambda row: row["id"])
def test_sample_runs(row: dict[str, str]) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    done = subprocess.run(["sh", "-c", row["command"]], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_the_sample_is_in_the_table() -> None:
    assert set(SAMPLE) <= {row["id"] for row in ROWS}
