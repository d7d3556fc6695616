from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from omni.verify.analysis import osv
from omni.verify.analysis.osv import Known, Part, Snapshot, take
from omni.verify.analysis.pins import Pin, pins


def entry(events: list[dict[str, str]], ecosystem: str = "PyPI", **more: object) -> dict[str, object]:
    affected = {
        "package": {"ecosystem": ecosystem, "name": "Shop_Tool"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    about = {"id": "PYSEC-1", "modified": "2026-11-01T10:00:00.5Z", "summary": "It  leaks.", "aliases": ["CVE-1"]}
    return {**about, "affected": [affected], **more}


def snapshot(folder: Path, *entries: object) -> Path:
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        for number, each in enumerate(entries):
            archive.writestr(f"{number}.json", each if isinstance(each, str) else json.dumps(each))
    take([folder / "all.zip"], folder / "osv.sqlite")
    return folder / "osv.sqlite"


def test_known(tmp_path: Path) -> None:
    path = snapshot(tmp_path, entry([{"introduced": "0"}, {"fixed": "2.0"}]), "{", "[]")
    with Snapshot(path) as found:
        assert found.known("PyPI", "shop-tool", "1.9") == [Known("PYSEC-1", ("CVE-1",), "It leaks.", ("2.0",))]
        assert found.known("PyPI", "shop-tool", "2.0") == []
        assert found.known("PyPI", "other", "1.0") == []
        assert found.known("npm", "shop-tool", "1.0") == []
        at = datetime(2026, 11, 1, 10, 0, 0, 500000, tzinfo=UTC)
        assert found.parts == {"PyPI": Part("PyPI", at, 1, 2)}


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        ([{"introduced": "1.0"}, {"fixed": "1.5"}], ["1.0", "1.4.9"], ["0.9", "1.5", "2.0", "1.0rc1"]),
        ([{"introduced": "0"}, {"last_affected": "1.5"}], ["0.1", "1.5"], ["1.5.1"]),
        (
            [{"introduced": "3.0"}, {"fixed": "3.1"}, {"introduced": "0"}, {"fixed": "2.0"}],
            ["1.0", "3.0.5"],
            ["2.0", "2.9", "3.1"],
        ),
        ([{"introduced": "0"}], ["0.0.1", "999"], []),
        ([{"introduced": "no version"}], ["1.0"], []),
    ],
)
def test_ranges(tmp_path: Path, events: list[dict[str, str]], inside: list[str], outside: list[str]) -> None:
    with Snapshot(snapshot(tmp_path, entry(events))) as found:
        assert [each for each in (*inside, *outside) if found.known("PyPI", "shop-tool", each)] == inside


def test_semver(tmp_path: Path) -> None:
    path = snapshot(tmp_path, entry([{"introduced": "1.0.0"}, {"fixed": "1.10.0"}], "npm"))
    with Snapshot(path) as found:
        known = [v for v in ("1.0.0", "1.9.9", "1.10.0-rc.1", "1.10.0", "0.9.0") if found.known("npm", "Shop_Tool", v)]
    assert known == ["1.0.0", "1.9.9", "1.10.0-rc.1"]


def test_named_versions(tmp_path: Path) -> None:
    affected = {"package": {"ecosystem": "PyPI", "name": "a"}, "versions": ["1.0"]}
    with Snapshot(snapshot(tmp_path, entry([], affected=[affected]))) as found:
        assert [v for v in ("1.0", "1.1") if found.known("PyPI", "a", v)] == ["1.0"]


def test_withdrawn_ones_are_left_out(tmp_path: Path) -> None:
    path = snapshot(tmp_path, entry([{"introduced": "0"}], withdrawn="2026-01-01T00:00:00Z"))
    with Snapshot(path) as found:
        assert found.parts == {}


def test_a_broken_archive_leaves_the_old_snapshot(tmp_path: Path) -> None:
    path = snapshot(tmp_path, entry([{"introduced": "0"}]))
    (tmp_path / "bad.zip").write_bytes(b"no archive")
    with pytest.raises(zipfile.BadZipFile):
        take([tmp_path / "bad.zip"], path)
    with Snapshot(path) as found:
        assert found.known("PyPI", "shop-tool", "1.0")


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "requirements.txt",
            "# a\nHttpX[http2]==0.27.0 ; python_version > '3'\nb>=1\n",
            [Pin("PyPI", "httpx", "0.27.0", 2)],
        ),
        ("a/uv.lock", '[[package]]\nname = "a"\nversion = "1"\n', [Pin("PyPI", "a", "1", 2)]),
        ("Cargo.lock", '[[package]]\nname = "a"\nversion = "1"\n', [Pin("crates.io", "a", "1", 2)]),
        (
            "package-lock.json",
            '{"packages": {"": {"version": "9"},\n "node_modules/a/node_modules/@b/c": {"version": "1.2.3"}}}',
            [Pin("npm", "@b/c", "1.2.3", 2)],
        ),
    ],
)
def test_pins(path: str, text: str, expected: list[Pin]) -> None:
    assert pins(path, text) == expected


def test_another_package_of_the_same_entry_counts_for_itself(tmp_path: Path) -> None:
    def affected(ecosystem: str, name: str, versions: list[str]) -> dict[str, object]:
        return {"package": {"ecosystem": ecosystem, "name": name}, "versions": versions}

    parts = [affected("PyPI", "a", ["1"]), affected("PyPI", "b", ["2"]), affected("npm", "a", ["3"])]
    with Snapshot(snapshot(tmp_path, entry([], affected=parts))) as found:
        known = {(e, n, v) for e in ("PyPI", "npm") for n in "ab" for v in "123" if found.known(e, n, v)}
    assert known == {("PyPI", "a", "1"), ("PyPI", "b", "2"), ("npm", "a", "3")}


@pytest.mark.parametrize(("kind", "judged"), [("SEMVER", True), ("ECOSYSTEM", True), ("GIT", False)])
def test_kinds_of_ranges(tmp_path: Path, kind: str, judged: bool) -> None:
    ranged = {"type": kind, "events": [{"introduced": "0"}]}
    affected = {"package": {"ecosystem": "npm", "name": "a"}, "ranges": [ranged]}
    with Snapshot(snapshot(tmp_path, entry([], affected=[affected]))) as found:
        assert bool(found.known("npm", "a", "1.0.0")) is judged


def test_versions_of_semver_are_in_order() -> None:
    before = ["1.0.0-2", "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta"]
    ordered = ["0", *before, "1.0.0", "1.0.1", "v1.1", "1.2.0+build", "2"]
    keys = [osv._semver_key(each) for each in ordered]
    assert keys == sorted(keys)
    assert len({str(key) for key in keys}) == len(keys)
    assert osv._semver_key("1") == osv._semver_key("1.0.0") == osv._semver_key("v1.0")
    with pytest.raises(ValueError, match="no version"):
        osv._semver_key("latest")


def test_a_version_that_is_none_is_taken_for_bad(tmp_path: Path) -> None:
    with Snapshot(snapshot(tmp_path, entry([{"introduced": "1.0"}, {"fixed": "1.1"}]))) as found:
        assert found.known("PyPI", "shop-tool", "no version")


def test_before_all_is_before_development_versions(tmp_path: Path) -> None:
    with Snapshot(snapshot(tmp_path, entry([{"introduced": "0"}, {"fixed": "1.0"}]))) as found:
        assert found.known("PyPI", "shop-tool", "0.dev1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01T10:00:00Z", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("2026-11-01T10:00:00", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("yesterday", datetime(1970, 1, 1, tzinfo=UTC)),
        ("", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_times(text: str, expected: datetime) -> None:
    assert osv._time(text) == expected


def test_what_an_entry_says_in_short(tmp_path: Path) -> None:
    fixed = [{"introduced": "0"}, {"fixed": "2.0"}]
    path = snapshot(
        tmp_path, entry(fixed, id="B", summary="", details="word " * 100, aliases=None), entry(fixed, id="A")
    )
    with Snapshot(path) as found:
        first, second = found.known("PyPI", "shop-tool", "1.0")
    assert (first.id, second.id, second.aliases) == ("A", "B", ())
    assert second.summary == "word " * 40


def test_the_snapshot_is_made_anew_where_it_is_not_there_yet(tmp_path: Path) -> None:
    snapshot(tmp_path, entry([{"introduced": "0"}]))
    into = tmp_path / "deep" / "er" / "osv.sqlite"
    into.parent.mkdir(parents=True)
    into.with_suffix(".partial").write_text("left by a kill")
    (part,) = take([tmp_path / "all.zip"], into)
    assert (part.ecosystem, part.entries, part.unread) == ("PyPI", 1, 0)
    assert not into.with_suffix(".partial").exists()
    assert take([tmp_path / "all.zip"], tmp_path / "not" / "there" / "osv.sqlite") == (part,)


def test_other_files_and_entries_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osv, "LARGEST", 1000)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("README.md", "no entry")
        archive.writestr("a.json", json.dumps(entry([{"introduced": "0"}])))
        archive.writestr("b.json", json.dumps(entry([], details="x" * 1000)))
    (part,) = take([tmp_path / "all.zip"], tmp_path / "osv.sqlite")
    assert (part.entries, part.unread) == (1, 1)
