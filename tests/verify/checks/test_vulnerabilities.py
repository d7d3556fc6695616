from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from tests.verify.played import Played, context_of

from omni.kernel import clock
from omni.kernel.settings import Settings
from omni.verify.analysis.osv import take
from omni.verify.check import Gap, Item, Metric, Output
from omni.verify.checks import vulnerabilities
from omni.verify.checks.vulnerabilities import snapshot_path
from omni.verify.report import CheckResult, Finding, Status

Look = Callable[..., CheckResult]
Write = Callable[[Mapping[str, str | bytes]], Path]
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


REPORT = {
    "dependencies": [
        {"name": "other", "version": "1.0", "vulns": []},
        {"name": "odd", "skip_reason": "not on PyPI"},
        {
            "name": "Shop",
            "version": "1.0",
            "vulns": [
                {"id": "PYSEC-1", "fix_versions": ["1.1", "2.0"], "description": "\nLeaks.\nMore of it.\n"},
                {"id": "PYSEC-2", "fix_versions": [], "description": "x" * 300},
            ],
        },
    ]
}


def looked_up(root: Path, *answers: Output, home: Path | None = None) -> tuple[list[str], Played]:
    """What is said online of the files, and what was asked."""
    played = Played(list(answers))
    cache = snapshot_path(home).parent if home else root.parent / "none"
    items = vulnerabilities.run(context_of(root, "vulnerabilities", played, cache=cache))
    return [told(each) for each in items], played


def told(item: Item) -> str:
    match item:
        case Finding():
            return f"{item.severity} {item.rule} {item.path}:{item.line} {item.message} / {item.fix}"
        case Gap():
            return f"{item.status}: {item.why}"
        case Metric():
            return f"{item.name} {item.value}"
        case _:
            return f"unseen {item.path}: {item.why} {item.harmless}"


def test_online_a_file_of_pins_is_audited_as_it_stands(write: Write) -> None:
    root = write({"requirements.txt": "# pinned\nother==1.0\nshop==1.0\n"})
    said, played = looked_up(root, Output(1, json.dumps(REPORT), ""))
    assert said == [
        "incomplete: requirements.txt: 1 packages were not audited, such as odd",
        "dependencies.audited 2",
        "error PYSEC-1 requirements.txt:3 Shop 1.0: Leaks. / Update to 1.1 or 2.0 and lock again.",
        f"error PYSEC-2 requirements.txt:3 Shop 1.0: {'x' * 200} / There is no better version yet: replace it.",
    ]
    ((tool, *argv),) = played.asked
    assert (tool, {"--no-deps", "--disable-pip", "--strict"} <= set(argv), argv[-2:]) == (
        "pip-audit",
        True,
        ["-r", "requirements.txt"],
    )


def test_an_advisory_without_a_description_is_told_all_the_same(write: Write) -> None:
    known = {"id": "PYSEC-1", "fix_versions": [], "description": ""}
    report = {"dependencies": [{"name": "shop-app", "version": "1.0", "vulns": [known]}]}
    said, _ = looked_up(
        write({"requirements.txt": "# pinned\nShop_App[x] == 1.0\n"}), Output(1, json.dumps(report), "")
    )
    assert said[-1].startswith("error PYSEC-1 requirements.txt:2 shop-app 1.0: it is not described / ")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Output(2, "{}", "first\n second\n"), "first second"),
        (Output(0, " \n", "no network"), "no network"),
        (Output(1, "", ""), "pip-audit said nothing"),
    ],
)
def test_where_the_audit_fails_the_snapshot_answers(
    write: Write, settings: Settings, snapshot: Callable[[int], None], answer: Output, why: str
) -> None:
    root = write(LOCK)
    assert looked_up(root, answer)[0] == [f"incomplete: requirements.txt could not be audited: {why}"]
    snapshot(3)
    assert looked_up(root, answer, home=settings.home)[0] == [
        f"incomplete: requirements.txt could not be audited: {why}",
        "vulnerabilities.snapshot_days.PyPI 3",
        "error PYSEC-1 requirements.txt:2 shop 1.0: Leaks. (CVE-1) / Update to 1.1 and lock again.",
        "dependencies.looked_up 2",
    ]


def test_a_report_that_is_none_is_an_error(write: Write) -> None:
    with pytest.raises(TypeError, match="did not print an object"):
        looked_up(write(LOCK), Output(0, "[]", ""))


def test_online_a_lock_file_is_looked_up_in_the_snapshot_alone(
    write: Write, settings: Settings, snapshot: Callable[[int], None]
) -> None:
    lock = 'version = 1\n\n[[package]]\nname = "shop"\nversion = "1.0"\n'
    lock += 'source = { registry = "https://index.example/simple" }\n'
    root = write({"uv.lock": lock, "Cargo.lock": "= no TOML"})
    unseen = "unseen uv.lock: only a snapshot of OSV can look it up, and there is none."
    said, played = looked_up(root)
    assert [each.partition(" Type")[0].partition(" be read:")[0] for each in said] == [
        "unseen Cargo.lock: not a lock file that can",
        unseen,
    ]
    assert said[1] == f"{unseen} Type: omni vulnerabilities import all.zip True"
    snapshot(30)
    said, played = looked_up(root, home=settings.home)
    assert said[1:] == [
        "vulnerabilities.snapshot_days.PyPI 30",
        "error PYSEC-1 uv.lock:4 shop 1.0: Leaks. (CVE-1) / Update to 1.1 and lock again.",
        "dependencies.looked_up 1",
    ]
    assert played.asked == []
