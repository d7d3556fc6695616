from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from omni.cli.rules import rules
from omni.kernel.errors import OmniError

NEW = (
    "--language",
    "python",
    "--message",
    "an error is only printed",
    "--why",
    "Nobody reads it.",
    "--mend",
    "Log it.",
)

PATTERN = ("--pattern", "print($E)")


def run(*argv: str, text: str = "") -> Result:
    return CliRunner().invoke(rules, argv, input=text, catch_exceptions=False, standalone_mode=False)


def test_list_and_show_as_json(tmp_path: Path) -> None:
    *found, last = (json.loads(line) for line in run("list", "--language", "go", "--json").output.splitlines())
    assert {each["language"] for each in found} == {"go"}
    assert last == {"type": "result", "rules": len(found)}
    shown = json.loads(run("show", "async-sleep", "--json").output)
    assert (shown["topic"], shown["severity"], shown["cwe"]) == ("async", "error", "CWE-400")


def test_show() -> None:
    text = run("show", "async-sleep").output
    assert text.startswith("async-sleep  (python, error, CWE-400)\n")
    assert "Matches:\n    async def f():\n        time.sleep(1)\n" in text
    assert "Leaves alone:\n" in text


def test_new_list_and_test(tmp_path: Path) -> None:
    good = tmp_path / "good.py"
    good.write_text("log.exception('x')\n")
    path = ("--path", str(tmp_path))
    made = run(
        "new", "house-print-only", "-", "--good", str(good), "--pattern", "print($E)", *NEW, *path, text="print(e)"
    )
    assert made.output.strip() == str(tmp_path / ".omni/rules/house-print-only.yml")
    assert "house-print-only" in run("list", "--topic", "house", *path).output
    tried = run("test", *path)
    assert tried.output.endswith(" 0 wrong\n")
    assert tried.return_value == 0


def test_a_rule_that_fails_its_examples_fails_the_command(tmp_path: Path) -> None:
    good = tmp_path / "good.py"
    good.write_text("log.exception('x')\n")
    path = ("--path", str(tmp_path))
    run("new", "house-print-only", "-", "--good", str(good), *PATTERN, *NEW, *path, text="print(e)")
    rule = tmp_path / ".omni/rules/house-print-only.yml"
    rule.write_text(rule.read_text().replace("print($E)", "show($E)"))
    tried = run("test", *path, "--json")
    wrong, last = (json.loads(line) for line in tried.output.splitlines())
    assert wrong == {"type": "wrong", "rule": "house-print-only", "kind": "invalid", "example": "print(e)"}
    assert (last["wrong"], tried.return_value) == (1, 1)


def test_a_wrong_rule_is_not_made(tmp_path: Path) -> None:
    good = tmp_path / "good.py"
    good.write_text("print(e)\n")
    with pytest.raises(OmniError, match="must leave alone"):
        run("new", "house-x", "-", "--good", str(good), *NEW, "--path", str(tmp_path), text="print(e)")
    assert not (tmp_path / ".omni").exists()
