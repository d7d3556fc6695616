"""Each rule of a profile on small programs: the ones that break it are found at their lines, the others are green.

A line that breaks a rule says so in a comment: `breaks GDPR-001`; `breaks 12F-01 as a whole` is about no line.
"""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path

import pytest

from omni.kernel.settings import Settings, load_settings
from omni.verify import engine
from omni.verify.plan import Options
from omni.verify.profile import profiles
from omni.verify.report import Severity, Status
from omni.verify.tools import Tools, open_tools

FIXTURES = Path(__file__).parent / "fixtures"
MARK = re.compile(r"\bbreaks (?P<rule>[A-Za-z0-9.-]+)(?P<whole> as a whole)?")
RULES = {rule.id: (profile, rule) for profile in profiles().values() for rule in profile.rules}
PROGRAMS = sorted(path for path in FIXTURES.glob("*/*") if path.is_dir())


@cache
def real_tools() -> Tools:
    """The tools of this machine's Omni home, for the rules that a tool judges."""
    here = load_settings()
    return open_tools(here.home, here.offline, print)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("omni.verify.tools.open_tools", lambda *_: real_tools())
    return Settings(home=tmp_path / "home", database_url="sqlite://", offline=True)


def expected(program: Path, rule: str) -> set[tuple[str, int | None]]:
    """(path, line) of every line that says that it breaks the rule."""
    return {
        ("", None) if found["whole"] else (str(path.relative_to(program)), number)
        for path in program.rglob("*")
        if path.is_file()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        for found in MARK.finditer(line)
        if found["rule"] == rule
    }


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_program(program: Path, tmp_path: Path, settings: Settings) -> None:
    name = program.parent.name
    profile, rule = RULES[name]
    root = shutil.copytree(program, tmp_path / "project")
    config = root / "omni.toml"
    given = config.read_text("utf-8") if config.exists() else ""
    config.write_text(given + f'\n[verify]\nprofiles = ["{profile.id}"]\n' if "[verify]" not in given else given)
    checks = tuple(dict.fromkeys(each.split("/")[0] for each in rule.found_by or (profile.check,)))
    report = engine.verify(root, Options(only=checks), settings)
    found = [each for each in report.findings if name in (each.rule, *each.breaks)]
    assert {(each.path if each.line else "", each.line) for each in found} == expected(program, name), [
        each.message for each in found
    ]
    assert all(each.why and each.fix for each in found)
    if program.name.startswith("failing"):
        assert any(each.status is not Status.SKIPPED for each in report.results)
        assert found
        if rule.level in {"critical", "high"}:
            assert {each.severity for each in found} == {Severity.ERROR}
            assert report.verdict == "fail"
    else:
        assert all(each.status in {Status.PASS, Status.FAIL, Status.SKIPPED} for each in report.results)


def test_every_rule_has_a_program_that_breaks_it_and_one_that_keeps_it() -> None:
    kinds = {(path.parent.name, path.name.split("-")[0]) for path in PROGRAMS}
    assert {(rule, kind) for rule in RULES for kind in ("failing", "passing")} - kinds == set()


def test_ids_are_given_once() -> None:
    assert len(RULES) == sum(len(profile.rules) for profile in profiles().values())
