"""Each rule of a profile on small programs: the ones that break it are found at their lines, the others are green.

A line that breaks a rule says so in a comment: `breaks GDPR-001`.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from omni.kernel.settings import Settings
from omni.verify import engine
from omni.verify.plan import Options
from omni.verify.profile import profiles
from omni.verify.report import Severity, Status

FIXTURES = Path(__file__).parent / "fixtures"
MARK = re.compile(r"\bbreaks (?P<rule>[A-Za-z0-9.-]+)")
RULES = {rule.id: (profile, rule) for profile in profiles().values() for rule in profile.rules}
PROGRAMS = sorted(path for path in FIXTURES.glob("*/*") if path.is_dir())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", database_url="sqlite://", offline=True)


def expected(program: Path, rule: str) -> set[tuple[str, int]]:
    """(path, line) of every line that says that it breaks the rule."""
    return {
        (str(path.relative_to(program)), number)
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
    assert {(each.path, each.line) for each in found} == expected(program, name), [each.message for each in found]
    assert all(each.why and each.fix for each in found)
    if program.name.startswith("failing"):
        assert found
        if rule.level in {"critical", "high"}:
            assert {each.severity for each in found} == {Severity.ERROR}
            assert report.verdict == "fail"
    else:
        assert all(each.status in {Status.PASS, Status.FAIL, Status.SKIPPED} for each in report.results)
