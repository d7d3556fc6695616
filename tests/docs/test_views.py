"""The page of views: every step of the older plans has its place, and every file it names is there."""

from __future__ import annotations

import re

from tests.docs.command_lines import ROOT

from omni.pipeline.flow import STAGES

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/views.md").read_text().splitlines()
    if re.match(r"\| (P|D4A)", line)
]
SPECIALISTS = {"P0": 4, "P1": 3, "P2": 5, "P3": 6, "P4": 5, "P5": 0, "P6": 5, "P7": 0}


def test_every_step_is_there_once_and_in_order() -> None:
    view = [
        step for stage, count in SPECIALISTS.items() for step in (stage, *(f"{stage}.{n + 1}" for n in range(count)))
    ]
    assert [row[0] for row in ROWS] == [*view, "D4A.9", "D4A.10", "D4A.11"]
    assert sum(SPECIALISTS.values()) == 28


def test_every_step_has_stages_of_the_pipeline() -> None:
    numbers = {stage.number for stage in STAGES}
    assert {number for row in ROWS for number in row[2].split(", ")} <= numbers


def test_every_step_names_files_that_are_there_or_says_later() -> None:
    for step, _, _, by in ROWS:
        files = re.findall(r"`(src/[^`]+)`", by)
        assert files or "later" in by, step
        assert [path for path in files if not (ROOT / path).exists()] == []
