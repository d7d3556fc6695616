"""Files of rules: what is read, what is refused; a project's own are hostile."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.report import Severity
from omni.verify.rules.entry import PROJECT, of_project, parse

RULE = """\
id: names-foo
language: Bash
severity: info
message: something is named foo
rule: { regex: foo }
metadata:
  why: Nobody knows what it is.
  fix: Name it after what it holds.
  only: dockerfile
  valid: [bar]
  invalid:
    - |
      foo
      bar
"""


def test_an_entry() -> None:
    (rule,) = parse(RULE)
    assert (rule.topic, rule.called, rule.level) == ("names", "dockerfile", Severity.NOTE)
    assert rule.metadata.invalid == ("foo\nbar\n",)


def test_what_is_written_is_read_again() -> None:
    (rule,) = parse(RULE)
    assert parse(rule.document()) == (rule,)
    assert "    - |\n      foo\n      bar\n" in rule.document()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 50_000, "nested deeper than 40 levels"),
        ("{a: " * 10_000, "nested deeper than 40 levels"),
        ("a: &a [x]\nb: *a\n", "alias"),
        ("a: !!python/object/apply:os.system [id]", "not YAML"),
        ("a: [", "not YAML"),
        ("- 1\n", "valid dictionary"),
        ("x" * 70_000, "longer than 64 KiB"),
        (RULE.replace("rule:", "rewriters: [x]\nrule:"), "names-foo.rewriters"),
        (RULE.replace("rule:", "fix: rm\nrule:"), "names-foo.fix"),
        (RULE.replace("Bash", "Cobol"), "names-foo.language"),
        (RULE.replace("names-foo", "../../x"), "id"),
        (RULE.replace("valid: [bar]", "valid: []"), "metadata.valid"),
        (RULE.replace("valid:", "path: /etc/passwd\n  valid:", 1), "metadata.path"),
        (RULE.replace("valid:", "path: a/../../b\n  valid:", 1), "metadata.path"),
        (RULE.replace("valid:", "path: ..\n  valid:", 1), "metadata.path"),
    ],
)
def test_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(text)


@given(st.text() | st.recursive(st.text() | st.integers(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)))
def test_anything_is_rules_or_a_value_error(content: object) -> None:
    text = content if isinstance(content, str) else yaml.safe_dump(content)
    with contextlib.suppress(ValueError):
        assert isinstance(parse(text), tuple)


def test_rules_of_a_project(tmp_path: Path) -> None:
    folder = tmp_path / PROJECT
    folder.mkdir(parents=True)
    (folder / "a.yml").write_text(RULE)
    (folder / "b.yml").write_bytes(b"\xff")
    (folder / "c.yml").symlink_to("/etc/passwd")
    (folder / "d.yml").mkdir()
    (folder / "readme.md").write_text("no rule")
    said = dict(of_project(tmp_path))
    assert said[f"{PROJECT}/a.yml"] == parse(RULE)
    assert "utf-8" in said[f"{PROJECT}/b.yml"]
    assert said[f"{PROJECT}/c.yml"] == said[f"{PROJECT}/d.yml"] == "not a regular file of at most 64 KiB"
    assert len(said) == 4


def test_too_many_files_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / PROJECT
    folder.mkdir(parents=True)
    for number in range(301):
        (folder / f"{number}.yml").touch()
    assert list(of_project(tmp_path)) == [(PROJECT, "it has more than 300 files")]


def test_a_linked_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.yml").write_text(RULE)
    (tmp_path / ".omni").mkdir()
    (tmp_path / PROJECT).symlink_to(tmp_path / "elsewhere")
    assert list(of_project(tmp_path)) == []
