"""A rule made from code that was rejected, and trying rules on their examples."""

from __future__ import annotations

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from omni.kernel.errors import OmniError
from omni.verify.rules.entry import PROJECT, parse
from omni.verify.rules.made import Draft, add, all_rules, named
from omni.verify.rules.trial import wrong

DRAFT = Draft(
    id="house-print-only",
    language="python",
    message="an error is only printed",
    why="Nobody reads it there.",
    mend="Log it, or let it rise.",
    pattern="print($ERROR)",
    rejected="try:\n    work()\nexcept KeyError as error:\n    print(error)\n",
    good="try:\n    work()\nexcept KeyError:\n    log.exception('no key')\n",
)


def test_a_rule_is_written_and_in_force(tmp_path: Path, ast_grep: Path) -> None:
    path = add(DRAFT, tmp_path, ast_grep)
    assert path == tmp_path / PROJECT / "house-print-only.yml"
    assert path.read_text() == snapshot("""\
id: house-print-only
language: Python
severity: warning
message: an error is only printed
rule:
  pattern: print($ERROR)
metadata:
  why: Nobody reads it there.
  fix: Log it, or let it rise.
  where: anywhere
  valid:
    - |
      try:
          work()
      except KeyError:
          log.exception('no key')
  invalid:
    - |
      try:
          work()
      except KeyError as error:
          print(error)
""")
    rule = named(all_rules(tmp_path), DRAFT.id)
    assert parse(path.read_text()) == (rule,)
    assert wrong([rule], ast_grep) == ()


def test_without_a_pattern_the_rejected_code_is_it(tmp_path: Path, ast_grep: Path) -> None:
    draft = DRAFT.model_copy(update={"pattern": "", "rejected": "os.system('ls')\n", "good": "run(['ls'])\n"})
    assert "pattern: os.system('ls')" in add(draft, tmp_path, ast_grep).read_text()


@pytest.mark.parametrize(
    ("change", "code", "why"),
    [
        ({"good": "print(x)\n"}, "V042", "matches code that it must leave alone: print(x)"),
        ({"pattern": "print()"}, "V042", "does not match: try:"),
        ({"pattern": ""}, "V042", ""),
        ({"language": "cobol"}, "V040", "no language “cobol”"),
        ({"id": "../x"}, "V040", "id: "),
        ({"message": "short"}, "V040", "message: "),
        ({"id": "time-naive-now"}, "V042", "there is a rule “time-naive-now” already"),
    ],
)
def test_nothing_is_written_until_it_is_right(
    tmp_path: Path, ast_grep: Path, change: dict[str, str], code: str, why: str
) -> None:
    if change == {"pattern": ""}:
        change = {"pattern": "", "rejected": "x = 1\n", "good": "x = 1\n"}
    with pytest.raises(OmniError) as caught:
        add(DRAFT.model_copy(update=change), tmp_path, ast_grep)
    assert caught.value.kind.code == code
    assert why in str(caught.value)
    assert not (tmp_path / ".omni").exists()


def test_a_pattern_that_is_no_code(tmp_path: Path, ast_grep: Path) -> None:
    with pytest.raises(OmniError):
        add(DRAFT.model_copy(update={"pattern": "$$$"}), tmp_path, ast_grep)


def test_a_rule_of_a_linked_folder_is_not_written(tmp_path: Path, ast_grep: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".omni").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OmniError, match="is a link"):
        add(DRAFT, tmp_path, ast_grep)


def test_unknown(tmp_path: Path) -> None:
    with pytest.raises(OmniError, match="There is no such rule"):
        named(all_rules(tmp_path), "nothing")


def test_a_file_that_holds_no_rules_is_named(tmp_path: Path) -> None:
    (tmp_path / PROJECT).mkdir(parents=True)
    (tmp_path / PROJECT / "bad.yml").write_text("a: [")
    with pytest.raises(OmniError, match="not YAML") as caught:
        all_rules(tmp_path)
    assert caught.value.where == f"{PROJECT}/bad.yml"


def test_an_id_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / PROJECT).mkdir(parents=True)
    (tmp_path / PROJECT / "a.yml").write_text(named(all_rules(tmp_path), "async-sleep").document())
    with pytest.raises(OmniError, match="“async-sleep” is taken"):
        all_rules(tmp_path)


def test_a_wrong_rule_is_told_from_a_right_one(tmp_path: Path, ast_grep: Path) -> None:
    (rule,) = parse(add(DRAFT, tmp_path, ast_grep).read_text())
    said = rule.metadata
    turned = rule.model_copy(
        update={"metadata": said.model_copy(update={"valid": said.invalid, "invalid": said.valid})}
    )
    assert [(each.kind, each.example) for each in wrong([turned], ast_grep)] == [
        ("valid", DRAFT.rejected),
        ("invalid", DRAFT.good),
    ]
