from __future__ import annotations

from pathlib import Path

import pytest

from omni.kernel.doctor import examine
from omni.kernel.settings import Settings

_NAMES = "Python git uv bwrap user namespaces cgroups Chromium node docker disk space database environments"


def _settings(tmp_path: Path, **given: object) -> Settings:
    return Settings.model_validate({"home": tmp_path, "database_url": f"sqlite:///{tmp_path}/omni.db"} | given)


def test_every_row_says_what_is_here_or_what_to_type(tmp_path: Path) -> None:
    rows = examine(_settings(tmp_path))
    assert " ".join(row.name for row in rows) == _NAMES
    assert all(row.found and row.needed_for for row in rows)
    assert all(row.ok == (row.fix == "") for row in rows)
    here = {row.name: row for row in rows}
    assert here["Python"].ok
    assert here["git"].found.startswith("git version")
    assert here["database"].ok


def test_an_empty_machine_is_told_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "omni.db").write_text("this is not a database, but long enough to be looked at as one" * 20)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    fixes = {row.name: row.fix for row in examine(_settings(tmp_path, offline=True)) if not row.ok}
    assert fixes["git"] == "apt-get install -y git"
    assert fixes["bwrap"] == fixes["user namespaces"] == "apt-get install -y bubblewrap"
    assert fixes["Chromium"] == "apt-get install -y chromium"
    assert fixes["node"].startswith("apt-get install -y nodejs npm")
    assert fixes["docker"].startswith("apt-get install -y docker.io")
    assert fixes["database"].startswith("Check `database_url`")
    assert fixes["environments"].startswith("OMNI_OFFLINE=false omni setup")
