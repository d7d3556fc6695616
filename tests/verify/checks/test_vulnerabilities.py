from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from omni.kernel import clock
from omni.kernel.settings import Settings
from omni.verify.analysis.osv import take
from omni.verify.checks.vulnerabilities import snapshot_path
from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]
LOCK = {"requirements.txt": "other==1.0\nshop==1.0\n"}


@pytest.fixture
def snapshot(settings: Settings, tmp_path: Path) -> Callable[[int], None]:
    """A snapshot of this home in which shop 1.0 is bad, so many days old."""

    def make(days: int) -> None:
        events = [{"introduced": "0"}, {"fixed": "1.1"}]
        package = {
            "package": {"ecosystem": "PyPI", "name": "shop"},
            "ranges": [{"type": "ECOSYSTEM", "events": events}],
        }
        modified = (clock.now() - timedelta(days=days)).isoformat()
        entry = {
            "id": "PYSEC-1",
            "modified": modified,
            "summary": "Leaks.",
            "affected": [package],
            "aliases": ["CVE-1"],
        }
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.writestr("a.json", json.dumps(entry))
        take([tmp_path / "all.zip"], snapshot_path(settings.home))

    return make


def test_offline_with_a_snapshot(look: Look, snapshot: Callable[[int], None]) -> None:
    snapshot(3)
    result = look("vulnerabilities", LOCK, offline=True)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.line, finding.severity) == ("PYSEC-1", "requirements.txt", 2, "error")
    assert (finding.message, finding.fix) == ("shop 1.0: Leaks. (CVE-1)", "Update to 1.1 and lock again.")
    assert result.metrics == {"vulnerabilities.snapshot_days.PyPI": 3, "dependencies.looked_up": 2}


def test_clean_twin(look: Look, snapshot: Callable[[int], None]) -> None:
    snapshot(3)
    result = look("vulnerabilities", {"requirements.txt": "other==1.0\nshop==1.1\n"}, offline=True)
    assert (result.status, result.findings) == (Status.PASS, ())


def test_an_old_snapshot_is_said_to_be_old(look: Look, snapshot: Callable[[int], None]) -> None:
    snapshot(40)
    result = look("vulnerabilities", {"requirements.txt": "shop==1.1\n"}, offline=True)
    assert result.status is Status.INCOMPLETE
    assert "the snapshot of OSV for PyPI ends on" in result.reason
    assert "40 days ago" in result.reason


def test_nothing_about_an_ecosystem(look: Look, snapshot: Callable[[int], None]) -> None:
    snapshot(3)
    lock = json.dumps({"packages": {"node_modules/a": {"version": "1.0.0"}}})
    result = look("vulnerabilities", {"package-lock.json": lock}, offline=True)
    assert (result.status, "nothing about npm" in result.reason) == (Status.INCOMPLETE, True)


def test_offline_without_a_snapshot(look: Look) -> None:
    result = look("vulnerabilities", LOCK, offline=True)
    assert result.status is Status.INCOMPLETE
    assert "Type: omni vulnerabilities import all.zip" in result.reason


def test_a_damaged_snapshot(look: Look, settings: Settings) -> None:
    path = snapshot_path(settings.home)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database at all")
    result = look("vulnerabilities", LOCK, offline=True)
    assert result.status is Status.INCOMPLETE
    assert "can't be read" in result.reason


def test_nothing_is_pinned(look: Look) -> None:
    assert look("vulnerabilities", {"requirements.txt": "a>=1\n"}, offline=True).status is Status.INCOMPLETE
