from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from omni.verify import declarations, registry
from omni.verify.check import Check

FUNCTIONS = {"run", "parse"}
MARKED = f"{'<' * 7} ours\none\n{'=' * 7}\ntwo\n{'>' * 7} theirs\n"


def test_what_is_remembered_of_the_built_in_checks_is_all_that_they_declare(tmp_path: Path) -> None:
    declared = registry.checks()
    for _ in ("written", "read"):
        registry.checks.cache_clear()
        remembered = registry.checks(tmp_path)
    assert [check.model_dump(exclude=FUNCTIONS) for check in remembered] == [
        check.model_dump(exclude=FUNCTIONS) for check in declared
    ]
    for name in sorted(FUNCTIONS):
        assert [bool(getattr(check, name)) for check in remembered] == [bool(getattr(each, name)) for each in declared]


def test_a_module_is_loaded_when_its_check_runs(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "notes.md").write_text(MARKED)
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from omni.kernel.settings import Settings\n"
        "from omni.verify.engine import Options, verify\n"
        f"settings = Settings(home=Path({str(tmp_path)!r}), database_url='sqlite://')\n"
        f"report = verify(Path({str(tmp_path / 'project')!r}), Options(only=('conflict-markers',)), settings)\n"
        "print(report.verdict, *sorted(name for name in sys.modules if name.startswith('omni.verify.checks.')))\n"
    )
    said = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(2)
    ]
    assert len(said[0]) > 50
    assert said[1] == ["fail"]  # what it said is in the cache, too
    (tmp_path / "project" / "notes.md").write_text("\n" + MARKED)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["fail", "omni.verify.checks.conflict_markers"]


@pytest.mark.parametrize("damage", ["", "{}", '{"engine": "other", "checks": []}', '{"engine": 1', "[]"])
def test_what_is_not_of_this_code_is_made_anew(tmp_path: Path, damage: str) -> None:
    check = Check(id="x", title="X", tier=1, tool="x")
    file = tmp_path / "checks.json"
    file.write_text(damage)
    assert list(declarations.remembered(file, lambda: [("", check)])) == [check]
    assert list(declarations.remembered(file, list)) == [check]


def test_another_code_remembers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = Check(id="x", title="X", tier=1, tool="x")
    file = tmp_path / "checks.json"
    assert list(declarations.remembered(file, lambda: [("", check)])) == [check]
    monkeypatch.setattr(declarations, "engine_digest", lambda: "another Omni")
    assert list(declarations.remembered(file, list)) == []


def test_a_folder_that_can_not_be_written_is_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check = Check(id="x", title="X", tier=1, tool="x")
    assert list(declarations.remembered(tmp_path / "file" / "checks.json", lambda: [("", check)])) == [check]
