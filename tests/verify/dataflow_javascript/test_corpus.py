"""Programs with marked faults: those and nothing else are found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from omni.verify.dataflow_javascript.analysis import analyse, script

CORPUS = Path(__file__).parents[2] / "corpus" / "dataflow_javascript"
PROGRAMS = sorted(path.name for path in CORPUS.iterdir() if path.suffix != ".md")
MARK = re.compile(r"// bad: ([a-z, -]+)$")


def marked(path: Path, name: str) -> set[str]:
    """`file:line weakness` of each mark."""
    found: set[str] = set()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        mark = MARK.search(line)
        if mark:
            found |= {f"{name}:{number} {weakness}" for weakness in mark[1].split(", ")}
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    whole = CORPUS / name
    paths = sorted(path for path in whole.rglob("*") if path.is_file()) if whole.is_dir() else [whole]
    names = {path: str(path.relative_to(CORPUS)) for path in paths}
    analysis = analyse([script(names[path], path.read_text("utf-8")) for path in paths], {f"@{name}/": f"{name}/lib/"})
    found = {f"{hit.sink.path}:{hit.sink.line} {hit.weakness}" for hit in analysis.hits}
    expected = set[str]().union(*(marked(path, names[path]) for path in paths))
    assert {"missed": sorted(expected - found), "false": sorted(found - expected)} == {"missed": [], "false": []}
    assert analysis.unseen == {}
