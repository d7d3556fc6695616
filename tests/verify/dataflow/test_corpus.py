"""Programs with marked faults: those and nothing else are found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from omni.verify.dataflow.analysis import analyse
from omni.verify.parsing import parse_python

CORPUS = Path(__file__).parents[2] / "corpus" / "dataflow"
PROGRAMS = sorted(path.name for path in CORPUS.iterdir() if path.suffix != ".md" and path.name != "__pycache__")
MARK = re.compile(r"# bad: ([a-z, -]+)$")


def marked(path: Path) -> set[str]:
    """`file:line weakness` of each mark."""
    found: set[str] = set()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        mark = MARK.search(line)
        if mark:
            found |= {f"{path.name}:{number} {weakness}" for weakness in mark[1].split(", ")}
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    whole = CORPUS / name
    paths = sorted(whole.glob("*.py")) if whole.is_dir() else [whole]
    trees = [(str(path.relative_to(CORPUS)), parse_python(path.read_bytes())) for path in paths]
    templates = [(str(path.relative_to(CORPUS)), path.read_text("utf-8")) for path in sorted(whole.rglob("*.html"))]
    analysis = analyse(trees, templates=templates)
    found = {f"{Path(hit.sink.path).name}:{hit.sink.line} {hit.weakness}" for hit in analysis.hits}
    expected = set[str]().union(*(marked(path) for path in paths))
    assert {"missed": sorted(expected - found), "false": sorted(found - expected)} == {"missed": [], "false": []}
    assert analysis.unseen == {}
