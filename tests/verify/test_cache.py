from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.verify import cache
from omni.verify.cache import Remembered, _node_modules
from omni.verify.check import Check, Context, Gap, Item, Metric, Scope, Unseen
from omni.verify.config import ProjectConfig
from omni.verify.report import Report, Severity, Status
from omni.verify.tools import MACHINE

Write = Callable[[Mapping[str, str | bytes]], Path]
Verify = Callable[..., Report]


class Watched:
    """A check that says which files it was given."""

    def __init__(self, *items: Item) -> None:
        self.items = items
        self.given: list[list[str]] = []

    def run(self, context: Context) -> Iterator[Item]:
        self.given.append([file.path for file in context.files])
        self.context = context
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
        lambda check: check.model_copy(update={"tool": "git", "toolset": MACHINE}),
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
        monkeypatch.setattr(time, "time", lambda now=moment: now)
        verify(own)
    assert len(watched.given) == 2


@pytest.mark.parametrize(("daily", "looks"), [(True, 2), (False, 1)])
def test_what_depends_on_the_day_is_believed_for_a_day(
    daily: bool, looks: int, write: Write, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched()
    own = watched.check(daily=daily)
    write({"a.py": "ok\n"})
    for day in (1, 1, 2):
        monkeypatch.setattr(cache, "now", lambda day=day: datetime(2026, 11, day, tzinfo=UTC))
        verify(own)
    assert len(watched.given) == looks


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


def test_what_is_said_of_omnis_own_code_is_not_said_of_that_of_others(write: Write, verify: Verify) -> None:
    watched = Watched(Gap("not for this", Status.SKIPPED))
    write({"a.py": "ok\n"})
    cached = [verify(watched.check(), trusted=trusted).results[0].cached for trusted in (True, False, True, False)]
    assert cached == [False, False, True, True]


def test_a_damaged_cache_file_is_made_anew(write: Write, verify: Verify, tmp_path: Path) -> None:
    write({"a.py": "BAD\n"})
    (tmp_path / "home" / "cache").mkdir(parents=True)
    (tmp_path / "home" / "cache" / "verify.sqlite").write_bytes(b"not a database, but long enough to be looked at" * 99)
    assert verify(Watched().check()).verdict == "fail"


@pytest.fixture
def context(write: Write, verify: Verify) -> Context:
    """Of a check of two files."""
    watched = Watched()
    write({"a.py": "ok\n", "b.py": "ok\n"})
    verify(watched.check(scope=Scope.FILE, timeout=77))
    return watched.context


@pytest.fixture
def own(tmp_path: Path) -> Iterator[cache.Cache]:
    with cache.Cache(tmp_path / "new" / "folder" / "own.sqlite") as opened:
        yield opened


def test_a_check_is_expected_to_take_what_it_took_here_or_else_elsewhere(own: cache.Cache, context: Context) -> None:
    elsewhere = replace(context, root=Path("/elsewhere"))
    assert own.expected_seconds(context) == 77
    own.took(elsewhere, 0.049)
    assert (own.expected_seconds(context), own.expected_seconds(elsewhere)) == (77, 0.049)
    own.took(elsewhere, 0.05)
    assert own.expected_seconds(context) == 0.05
    own.took(context, 3.0)
    own.took(elsewhere, 9.0)
    assert (own.expected_seconds(context), own.expected_seconds(elsewhere)) == (3.0, 9.0)


def test_every_kind_of_item_comes_back_as_it_was(own: cache.Cache, context: Context) -> None:
    found = context.finding("bad", "it is bad", "a.py", 3, severity=Severity.ERROR)
    project = replace(context, check=context.check.model_copy(update={"scope": Scope.PROJECT}))
    items = (found, Unseen("b.py", "generated", harmless=True), Metric("m", 2.5), Gap("no tests", Status.SKIPPED))
    own.remember(project, project.files, items)
    assert own.recall(project) == Remembered(items, (), True)
    own.remember(context, context.files, items[:2])
    assert own.recall(context) == Remembered(items[:2], (), True)


def test_nothing_is_known_at_first_and_what_was_not_examined_stays_unknown(own: cache.Cache, context: Context) -> None:
    first, second = context.files
    assert own.recall(context) == Remembered((), (first, second), False)
    own.remember(context, [second], [])
    assert own.recall(context) == Remembered((), (first,), False)


@pytest.mark.parametrize(
    "item", [Metric("m", 1, volatile=True), Gap("half", Status.INCOMPLETE), Gap("x", Status.ERROR)]
)
def test_what_may_differ_next_time_is_not_kept(own: cache.Cache, context: Context, item: Item) -> None:
    project = replace(context, check=context.check.model_copy(update={"scope": Scope.PROJECT}))
    own.remember(project, project.files, [Metric("n", 1), item])
    assert not own.recall(project).complete


def test_what_is_a_month_old_is_forgotten(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(moment: float) -> tuple[bool, int]:
        monkeypatch.setattr(time, "time", lambda: moment)
        with cache.Cache(tmp_path / "own.sqlite") as own:
            complete = own.recall(context).complete
        with closing(sqlite3.connect(tmp_path / "own.sqlite")) as database:
            (kept,) = database.execute("SELECT count(*) FROM results").fetchone()
        return complete, kept

    month = 30 * 86400
    monkeypatch.setattr(time, "time", lambda: 1e9)
    with cache.Cache(tmp_path / "own.sqlite") as own:
        own.remember(context, context.files, [])
    assert [look(1e9 + age) for age in (month - 1, month, month + 1)] == [(True, 2), (False, 2), (False, 0)]


@pytest.mark.parametrize(("fresh", "age", "complete"), [(60, 59, True), (60, 60, False), (1e9, 30 * 86400, False)])
def test_freshness_is_the_checks_own_and_never_over_a_month(
    own: cache.Cache, context: Context, fresh: float, age: float, complete: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = replace(context, check=context.check.model_copy(update={"fresh_for": fresh}))
    monkeypatch.setattr(time, "time", lambda: 2e9)
    own.remember(asked, asked.files, [])
    monkeypatch.setattr(time, "time", lambda: 2e9 + age)
    assert own.recall(asked).complete is complete


def test_more_keys_than_one_query_takes(own: cache.Cache, context: Context) -> None:
    many = replace(context, files=tuple(replace(context.files[0], path=f"{number}.py") for number in range(1201)))
    own.remember(many, many.files[:1100], [])
    assert own.recall(many).missing == many.files[1100:]


@pytest.mark.parametrize("change", [{"digest": "other"}, {"path": "c.py"}, {"executable": True}])
def test_content_name_and_mode_of_an_input_count(own: cache.Cache, context: Context, change: dict[str, str]) -> None:
    own.remember(context, context.files, [])
    changed = replace(context.files[0], **change)  # type: ignore[arg-type]
    assert own.recall(replace(context, files=(changed, context.files[1]))).missing == (changed,)


def test_what_only_says_which_findings_count_voids_nothing(own: cache.Cache, context: Context) -> None:
    own.remember(context, context.files, [])
    for project, known in ((ProjectConfig(tiers=(1, 3)), True), (ProjectConfig(source_roots=("lib",)), False)):
        assert own.recall(replace(context, project=project)).complete is known
    for changed in (None, frozenset({"a.py"})):
        assert own.recall(replace(context, changed=changed)).complete is (changed is None)


def test_where_the_project_lies_counts_for_what_runs_in_the_sandbox(own: cache.Cache, context: Context) -> None:
    for sandboxed, known in ((False, True), (True, False)):
        here = replace(context, check=context.check.model_copy(update={"sandboxed": sandboxed}))
        own.remember(here, here.files, [])
        assert own.recall(replace(here, root=Path("/elsewhere"))).complete is known


def test_a_cache_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OmniError) as caught:
        cache.Cache(tmp_path / "file" / "own.sqlite")
    assert (caught.value.kind.code, caught.value.where) == ("V008", str(tmp_path / "file" / "own.sqlite"))


def test_a_disk_that_is_full_loses_nothing_but_time(own: cache.Cache, context: Context) -> None:
    own.database.execute("PRAGMA query_only = ON")
    own.took(context, 3.0)
    own.remember(context, context.files, [])
    assert (own.expected_seconds(context), own.recall(context).complete) == (77, False)


def test_what_npm_installed_is_part_of_the_key(tmp_path: Path) -> None:
    nothing = _node_modules(tmp_path)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / ".package-lock.json").write_text("{}")
    before = _node_modules(tmp_path)
    (tmp_path / "node_modules" / ".package-lock.json").write_text('{"a": 1}')
    assert len({nothing, before, _node_modules(tmp_path)}) == 3
