"""Every rule is tried on its examples, in one run of ast-grep."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni.verify.rules.entry import HERE, PatternRule, built_in
from omni.verify.rules.scan import CONFIG
from omni.verify.rules.trial import matches, wrong

RULES = built_in()


def test_each_matches_what_it_must_and_nothing_that_it_must_not(ast_grep: Path) -> None:
    assert [str(each) for each in wrong(RULES, ast_grep)] == []


def test_ids_are_unique_and_folders_are_read() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    folders = sorted(path.name for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__")
    listed = CONFIG.read_text().split("ruleDirs: [")[1].split("]")[0].split(", ")
    assert listed == folders


def test_there_are_enough() -> None:
    assert len(RULES) >= 250
    assert {"python", "javascript", "go", "rust", "java", "c", "shell", "dockerfile", "yaml"} <= {
        r.called for r in RULES
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_reads_well(rule: PatternRule) -> None:
    assert not rule.message.endswith(".")
    assert rule.metadata.why.endswith(".")
    assert rule.metadata.fix.endswith(".")
    assert len(rule.metadata.why) <= 200
    assert len(rule.message) <= 110


def test_no_example_is_a_grave_fault_twice(ast_grep: Path) -> None:
    """What one rule rejects, no other rejects for the same weakness: else one of them is superfluous."""
    by_id = {rule.id: rule for rule in RULES}
    twice = {
        (match.path.split("/")[1].split(".")[0], match.rule)
        for match in matches(RULES, ast_grep)
        if (own := by_id[match.path.split("/")[1].split(".")[0]]).id != match.rule
        and own.metadata.cwe == match.metadata.cwe != ""
        and match.level == own.severity == "error"
    }
    assert twice == set()
