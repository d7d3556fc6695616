"""What a rule of a compliance profile says of some files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of

from omni.verify.compliance.facts import read_facts
from omni.verify.compliance.rules import JUDGES

Broken = Callable[[str, Mapping[str, str]], list[str]]


@pytest.fixture
def broken(write: Callable[[Mapping[str, str]], Path]) -> Broken:
    """`path:line message` of each place where the files break the rule."""

    def judged(rule: str, files: Mapping[str, str]) -> list[str]:
        facts = read_facts(context_of(write(files), "hipaa"))
        return [f"{each.path}:{each.line} {each.message}" for each in JUDGES[rule](facts)]

    return judged
