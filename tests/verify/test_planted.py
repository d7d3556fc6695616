"""One fault at a time in a program that is clean otherwise: each is blocked, at its place, with why and what to do."""

from __future__ import annotations

import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from omni.kernel.settings import Settings, load_settings
from omni.verify import engine
from omni.verify.plan import Options
from omni.verify.report import Report, Severity, Status
from omni.verify.tools import open_tools

CORPUS = Path(__file__).parent.parent / "corpus" / "planted"
FAULTS = sorted(path.name for path in (CORPUS / "faults").iterdir())
SECRET = "gh" + "p_" + "x7Kd93jfLsQ2mVb8Nc4Tz6Wp1Rg5Yh0AeUiO"

pytestmark = [pytest.mark.host, pytest.mark.slow]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all of them, so that what a fault does not touch is looked at once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    here = load_settings()
    tools = open_tools(here.home, here.offline, print)
    monkeypatch.setattr("omni.verify.tools.open_tools", lambda *_: tools)
    return Settings(home=home, database_url="sqlite://", offline=True)


def planted(folder: Path, fault: str = "") -> dict[str, str | int]:
    """Lay the clean program, and the fault over it, into the folder. Returns what has to be found."""
    shutil.copytree(CORPUS / "clean", folder, dirs_exist_ok=True)
    if not fault:
        return {}
    source = CORPUS / "faults" / fault
    expected = tomllib.loads((source / "fault.toml").read_text("utf-8"))
    for path in expected.pop("remove", ()):
        shutil.rmtree(folder / path)
    if (source / "files").is_dir():
        shutil.copytree(source / "files", folder, dirs_exist_ok=True)
    if fault == "secret":
        (folder / expected["path"]).write_text(f'"""Settings."""\n\nTOKEN = "{SECRET}"\n')
    return expected


def verified(folder: Path, settings: Settings) -> Report:
    return engine.verify(folder, Options(tiers=(1, 2), environment=Path(sys.prefix)), settings)


def test_clean(tmp_path: Path, settings: Settings) -> None:
    planted(tmp_path / "shop")
    report = verified(tmp_path / "shop", settings)
    assert [
        (each.check, each.reason) for each in report.results if each.status not in {Status.PASS, Status.SKIPPED}
    ] == []
    assert [each for each in report.findings if each.severity is not Severity.NOTE] == []
    assert report.verdict == "pass"


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(tmp_path: Path, settings: Settings, fault: str) -> None:
    expected = planted(tmp_path / "shop", fault)
    report = verified(tmp_path / "shop", settings)
    assert report.verdict == "fail"
    errors = [each for each in report.findings if each.severity is Severity.ERROR]
    places = [{name: getattr(each, name) for name in expected} for each in errors]
    assert places == [expected]
    assert errors[0].why
    assert errors[0].fix
    assert SECRET not in report.model_dump_json()
