from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import Played, context_of, told

from omni.verify.check import Output
from omni.verify.checks.yamllint import OWN, run
from omni.verify.report import Finding

Write = Callable[[Mapping[str, str | bytes]], Path]


def test_each_line_is_told_and_what_does_not_parse_is_left_to_syntax(write: Write) -> None:
    said = (
        "a.yaml:3:5: [error] duplication of key (x) in mapping (key-duplicates)\n"
        "a.yaml:4:1: [warning] bad value (octal-values)\n"
        "a.yaml:5:1: [error] syntax error: nothing (syntax)\n"
        "a.yaml:6:1: [error] no rule\n"
    )
    played = Played([Output(1, said, "")])
    found = list(run(context_of(write({"a.yaml": "a: 1\n", "b.yml": "b: 1\n"}), "yamllint", played)))
    assert told(found) == [
        "error key-duplicates a.yaml:3 duplication of key (x) in mapping",
        "warning octal-values a.yaml:4 bad value",
    ]
    assert [each.column for each in found if isinstance(each, Finding)] == [5, 1]
    assert played.asked == [("yamllint", "--config-data", OWN, "--format", "parsable", "--", "a.yaml", "b.yml")]


def test_the_projects_own_configuration_counts(write: Write) -> None:
    played = Played([Output(0, "", "")])
    assert told(run(context_of(write({".yamllint": "extends: default\n", "a.yaml": ""}), "yamllint", played))) == []
    assert played.asked == [("yamllint", "--format", "parsable", "--", "a.yaml")]


def test_a_line_of_another_form_is_an_error(write: Write) -> None:
    with pytest.raises(ValueError, match=r"^yamllint printed 'Traceback"):
        list(run(context_of(write({"a.yaml": ""}), "yamllint", Played([Output(1, "Traceback …\n", "")]))))
