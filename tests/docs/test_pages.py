"""The pages: those made from the code are current, links lead somewhere, data in blocks parses, words are ours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.docs.command_lines import ROOT, documents

from omni.kernel.settings import Settings
from omni.spec.lexicon import domains
from omni.verify.analysis.markdown import read
from omni.verify.engine import verify
from omni.verify.plan import Options
from omni.verify.rules.entry import built_in

PARSERS: dict[str, Callable[[str], object]] = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}
BLOCKS = [
    pytest.param(block.language, block.text, id=f"{path.relative_to(ROOT)}:{block.line}")
    for path in documents()
    for block in read(path.read_text()).blocks
    if block.language in PARSERS
]
HOSTS = re.compile(
    r"\b(pypi\.org|pythonhosted\.org|registry\.npmjs\.org|(deb|security)\.debian\.org|archive\.ubuntu\.com)\b"
)
NUMBERS = re.compile(r"\bissue #?\d", re.IGNORECASE)
MACHINE = re.compile(r"(?<![\w.])/(work|root)/")
FOR_READERS = {".md", ".lock", ".in", ".sh", ""}


def test_generated_pages_are_what_the_code_says() -> None:
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_what_the_first_page_counts_is_there() -> None:
    page = (ROOT / "README.md").read_text()
    (rules,) = re.findall(r"\[more than (\d+) rules\]", page)
    assert len(built_in()) > int(rules)
    assert "Some forty\n[domains]" in page
    assert 37 < len(domains()) < 48


def test_every_room_has_its_sentence() -> None:
    rooms = {path.parent.name for path in (ROOT / "src/omni").glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)) == rooms


def test_links_lead_somewhere(tmp_path: Path) -> None:
    """By Omni's own check, on all of the repository."""
    settings = Settings(home=tmp_path, database_url="sqlite://")
    report = verify(ROOT, Options(only=("markdown",)), settings)
    (result,) = report.results
    assert result.status == "pass", result.reason
    assert [f"{finding.path}:{finding.line} {finding.message}" for finding in report.findings] == []


@pytest.mark.parametrize(("language", "text"), BLOCKS)
def test_block_parses(language: str, text: str) -> None:
    assert PARSERS[language](text)


def _sources() -> list[Path]:
    folders = (".ci", "benchmarks", "docs", "requirements", "scripts", "src", "tests")
    inside = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    files = [path for path in (*ROOT.iterdir(), *inside) if path.is_file() and "__pycache__" not in path.parts]
    return [path for path in files if b"\0" not in path.read_bytes()[:8000]]


@pytest.mark.parametrize(
    ("forbidden", "where"),
    [
        pytest.param(HOSTS, lambda _: True, id="no host of a registry: whoever runs it says where packages come from"),
        pytest.param(NUMBERS, lambda _: True, id="no number of a tracker that the reader can't open"),
        pytest.param(MACHINE, lambda path: path.suffix in FOR_READERS, id="no path of the machine it was written on"),
    ],
)
def test_words(forbidden: re.Pattern[str], where: Callable[[Path], bool]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()}"
        for path in _sources()
        if where(path)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if forbidden.search(line)
    ]
    assert found == []
