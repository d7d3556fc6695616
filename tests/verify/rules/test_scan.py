"""What ast-grep says, in Omni's terms: places, which files a rule speaks of, one finding a weakness."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from omni.verify.rules.entry import HERE, Metadata
from omni.verify.rules.scan import CONFIG, Match, applies, config_for, once, read, scan

ABOUT = {"why": "It breaks things.", "fix": "Leave it out.", "valid": ["a()"], "invalid": ["b()"], "where": "anywhere"}


def match(
    path: str = "a.py", *, rule: str = "r", level: str = "error", line: int = 1, column: int = 1, **about: str
) -> Match:
    return Match(rule, level, "m", path, line, column, "x", Metadata.model_validate(ABOUT | about))


def test_a_match_is_read() -> None:
    said = {
        "ruleId": "r",
        "severity": "warning",
        "message": "m",
        "file": "a.py",
        "range": {"start": {"line": 2, "column": 4}, "end": {"line": 3, "column": 0}},
        "lines": f"  {'x' * 300}\n  second\n",
        "metadata": ABOUT,
    }
    assert list(read(f"{json.dumps(said)}\n")) == [
        Match("r", "warning", "m", "a.py", 3, 5, "x" * 200, Metadata.model_validate(ABOUT))
    ]
    assert list(read("")) == []


def test_paths_are_no_options() -> None:
    config = Path("c.yml")
    assert scan(config, "-x", "b") == (
        "scan", "--config", "c.yml", "--json=stream", "--include-metadata", "--", "-x", "b",
    )  # fmt: skip


def test_for_python_alone_only_its_rules_are_read(tmp_path: Path) -> None:
    assert config_for({"python", "go"}, tmp_path) == config_for({"go"}, tmp_path) == CONFIG
    own = config_for({"python"}, tmp_path)
    assert own.parent == tmp_path
    changed = set(own.read_text().splitlines()) - set(CONFIG.read_text().splitlines())
    assert changed == {f'ruleDirs: ["{HERE}/python"]'}


@pytest.mark.parametrize(
    ("path", "where", "speaks"),
    [
        ("a.py", "anywhere", True),
        ("a.min.js", "anywhere", False),
        ("a_pb2.py", "anywhere", False),
        ("a.d.ts", "anywhere", False),
        ("tests/a.py", "anywhere", True),
        ("tests/a.py", "tests", True),
        ("test_a.py", "tests", True),
        ("src/a.spec.ts", "tests", True),
        ("a_test.go", "tests", True),
        ("a.py", "tests", False),
        ("a.py", "product", True),
        ("tests/a.py", "product", False),
        ("src/a.test.tsx", "product", False),
        ("docs/conf.py", "product", False),
    ],
)
def test_a_rule_says_where_it_applies(path: str, where: str, speaks: bool) -> None:
    assert applies(match(path, where=where)) is speaks


def test_a_rule_may_speak_of_one_language_alone() -> None:
    assert applies(match("Dockerfile", only="dockerfile"))
    assert not applies(match("a.sh", only="dockerfile"))
    assert applies(match("odd", only="dockerfile"), "dockerfile")
    assert not applies(match("Dockerfile", only="dockerfile"), "shell")


def test_one_weakness_on_a_line_is_told_once_by_the_gravest() -> None:
    worst = match(rule="a", level="error", column=9, cwe="CWE-79")
    same = match(rule="b", level="warning", column=1, cwe="CWE-79")
    other_line = match(rule="b", level="warning", line=2, cwe="CWE-79")
    other_file = match("b.py", rule="b", level="warning", cwe="CWE-79")
    first, second = match(rule="c", level="info", column=3), match(rule="c", level="info", column=5)
    assert once([second, other_file, same, other_line, first, worst]) == [worst, other_file, other_line, first]
