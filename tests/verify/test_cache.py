from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from omni.verify import cache
from omni.verify.check import Check, Context, Gap, Item, Metric, Scope, Unseen
from omni.verify.config import ProjectConfig
from omni.verify.report import Report, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
Verify = Callable[..., Report]


class Watched:
    """A check that says which files it was given."""

    def __init__(self, *items: Item) -> None:
        self.items = items
        self.given: list[list[str]] = []

    def run(self, context: Context) -> Iterator[Item]:
        self.given.append([file.path for file in context.files])
        for file in context.files:
            if "BAD" in context.text(file):
                yield context.finding("bad", "BAD", file.path, 1)
        yield from self.items

    def check(self, **fields: object) -> Check:
        declared = {"id": "own", "title": "own", "tier": 1, "languages": ("python",), "run": self.run}
        return Check.model_validate(declared | fields)


def test_with_scope_file_only_changed_files_are_looked_at_again(write: Write, verify: Verify) -> None:
    watched = Watched()
    own = watched.check(scope=Scope.FILE)
    write({"a.py": "BAD\n", "b.py": "BAD\n"})
    first = verify(own)
    assert [finding.path for finding in first.findings] == ["a.py", "b.py"]
    again = verify(own)
    assert again.findings == first.findings
    assert again.results[0].cached
    write({"b.py": "ok\n", "c.py": "BAD\n"})
    assert [finding.path for finding in verify(own).findings] == ["a.py", "c.py"]
    assert watched.given == [["a.py", "b.py"], ["b.py", "c.py"]]


def test_with_scope_project_any_change_looks_at_all_again(write: Write, verify: Verify) -> None:
    watched = Watched(Metric("m", 2))
    own = watched.check()
    write({"a.py": "BAD\n", "b.py": "ok\n", "c.txt": "not an input"})
    verify(own)
    write({"c.txt": "still no input"})
    report = verify(own)
    assert (len(report.findings), report.results[0].metrics, report.results[0].cached) == (1, {"m": 2}, True)
    write({"b.py": "changed\n"})
    verify(own)
    assert watched.given == [["a.py", "b.py"]] * 2


@pytest.mark.parametrize(
    "change",
    [
        lambda check: check.model_copy(update={"argv": ("--strict",)}),
        lambda check: check.model_copy(update={"tool": "other"}),
        lambda check: check.model_copy(update={"id": "renamed"}),
    ],
)
def test_another_declaration_voids_the_cache(write: Write, verify: Verify, change: Callable[[Check], Check]) -> None:
    watched = Watched()
    write({"a.py": "ok\n"})
    verify(watched.check())
    verify(change(watched.check()))
    assert len(watched.given) == 2


def test_a_changed_configuration_file_voids_the_cache(write: Write, verify: Verify) -> None:
    watched = Watched()
    own = watched.check(scope=Scope.FILE, config=("lint.toml",))
    for content in ("a = 1", "a = 2", "a = 2"):
        write({"a.py": "ok\n", "deep/lint.toml": content})
        verify(own)
    assert len(watched.given) == 2


def test_another_project_configuration_environment_or_omni_voids_the_cache(
    write: Write, verify: Verify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched()
    write({"a.py": "ok\n"})
    verify(watched.check())
    verify(watched.check(), config=ProjectConfig(source_roots=("lib",)))
    (tmp_path / "env/lib/python3.11/site-packages/x-1.dist-info").mkdir(parents=True)
    verify(watched.check(), environment=tmp_path / "env")
    (tmp_path / "env/lib/python3.11/site-packages/x-1.dist-info").rename(
        tmp_path / "env/lib/python3.11/site-packages/x-2.dist-info"
    )
    verify(watched.check(), environment=tmp_path / "env")
    monkeypatch.setattr(cache, "engine_digest", lambda: "another Omni")
    verify(watched.check())
    assert len(watched.given) == 5


@pytest.mark.parametrize(
    "item", [Gap("not all seen"), Gap("broken", Status.ERROR), Unseen("a.py", "could not be parsed")]
)
def test_what_went_wrong_is_never_kept(write: Write, verify: Verify, item: Item) -> None:
    watched = Watched(item)
    write({"a.py": "ok\n"})
    for scope in (Scope.FILE, Scope.PROJECT):
        watched.given.clear()
        for _ in range(2):
            assert verify(watched.check(scope=scope)).verdict == "incomplete"
        assert len(watched.given) == 2


def test_with_scope_file_the_other_files_of_a_failure_are_kept(write: Write, verify: Verify) -> None:
    watched = Watched(Unseen("a.py", "could not be parsed"))
    own = watched.check(scope=Scope.FILE)
    write({"a.py": "ok\n", "b.py": "ok\n"})
    verify(own)
    verify(own)
    assert watched.given == [["a.py", "b.py"], ["a.py"]]


def test_what_can_not_belong_to_one_file_is_not_kept_a_file(write: Write, verify: Verify) -> None:
    watched = Watched(Metric("m", 1))
    own = watched.check(scope=Scope.FILE)
    write({"a.py": "ok\n"})
    for _ in range(2):
        assert verify(own).results[0].metrics == {"m": 1}


def test_what_depends_on_the_outside_is_believed_for_a_while(
    write: Write, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched()
    own = watched.check(fresh_for=60)
    write({"a.py": "ok\n"})
    for moment in (1_000_000.0, 1_000_030.0, 1_000_061.0):
        monkeypatch.setattr(cache.time, "time", lambda now=moment: now)
        verify(own)
    assert len(watched.given) == 2


def test_harmless_skips_and_not_applying_are_remembered(write: Write, verify: Verify) -> None:
    for item in (Unseen("a.py", "generated", harmless=True), Gap("no tests here", Status.SKIPPED)):
        watched = Watched(item)
        own = watched.check(id=f"own-{type(item).__name__.lower()}")
        write({"a.py": "ok\n", "b.py": "ok\n"})
        first, second = verify(own).results[0], verify(own).results[0]
        assert (second.cached, second.status, second.reason, second.coverage) == (
            True,
            first.status,
            first.reason,
            first.coverage,
        )
        assert len(watched.given) == 1


def test_a_damaged_cache_file_is_made_anew(write: Write, verify: Verify, tmp_path: Path) -> None:
    write({"a.py": "BAD\n"})
    (tmp_path / "home" / "cache").mkdir(parents=True)
    (tmp_path / "home" / "cache" / "verify.sqlite").write_bytes(b"not a database, but long enough to be looked at" * 99)
    assert verify(Watched().check()).verdict == "fail"
