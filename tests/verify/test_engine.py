"""The engine as a whole, with small checks of its own and tools that fail in every way."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.verify import engine
from omni.verify.check import Check, Context, Gap, Item, Metric, Output, Scope
from omni.verify.config import Disabled, ProjectConfig
from omni.verify.plan import Options
from omni.verify.report import Report, Severity, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
Verify = Callable[..., Report]
AddTool = Callable[[str, str], None]
Git = Callable[..., str]


def todo_lines(context: Context) -> Iterator[Item]:
    for file in context.files:
        for number, line in enumerate(context.text(file).splitlines(), 1):
            if "BAD" in line:
                yield context.finding("bad", f"{file.path} has BAD", file.path, number)


def check(name: str = "own", **fields: object) -> Check:
    declared: dict[str, object] = {"id": name, "title": name, "tier": 1, "languages": ("python",), "run": todo_lines}
    return Check.model_validate(declared | fields)


def parse_lines(context: Context, output: Output) -> Iterator[Item]:
    for line in output.stdout.splitlines():
        path, number, message = line.split(":", 2)
        yield context.finding("bad", message, path, int(number))


def tool(**fields: object) -> Check:
    declared: dict[str, object] = {"run": None, "tool": "linter", "argv": ("{files}",), "parse": parse_lines}
    return check("tool", **(declared | fields))


def outcome(report: Report) -> tuple[Status, str]:
    (result,) = report.results
    return result.status, result.reason


def test_findings_have_place_snippet_and_fingerprint(write: Write, verify: Verify) -> None:
    write({"a.py": "x = 1\n    BAD = 2\n"})
    report = verify(check(why="It is bad.", advice="Make it good.", cwe="CWE-1"))
    (finding,) = report.findings
    assert finding.model_dump(mode="json", exclude={"fingerprint"}) == {
        "check": "own",
        "rule": "bad",
        "severity": "error",
        "path": "a.py",
        "line": 2,
        "column": None,
        "end_line": None,
        "message": "a.py has BAD",
        "why": "It is bad.",
        "fix": "Make it good.",
        "snippet": "BAD = 2",
        "cwe": "CWE-1",
        "breaks": [],
        "suppressed": "",
    }
    assert len(finding.fingerprint) == 24
    assert report.verdict == "fail"


def test_a_clean_project_passes(write: Write, verify: Verify) -> None:
    write({"a.py": "x = 1\n", "logo.png": b"\0"})
    report = verify(check())
    assert report.verdict == "pass"
    assert report.files.seen == 1
    assert report.files.skipped == {"logo.png": "binary"}


def test_warnings_are_told_and_do_not_fail(write: Write, verify: Verify) -> None:
    write({"a.py": "BAD\n"})
    report = verify(check(severity=Severity.WARNING))
    assert (report.verdict, len(report.findings)) == ("pass", 1)


def test_an_empty_folder_is_incomplete(verify: Verify) -> None:
    report = verify(check())
    assert outcome(report) == (Status.SKIPPED, "there are no such files")
    assert report.verdict == "incomplete"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\0\0", "binary"),
        (b"x = '\xe9'\n", "not UTF-8 text (line 1); save it as UTF-8"),
        (b"#" * (50 * 1024 * 1024), "larger than 5 MiB (50 MiB)"),
    ],
)
def test_a_file_that_can_not_be_looked_at_is_never_green(
    write: Write, verify: Verify, content: bytes, why: str
) -> None:
    write({"a.py": content, "b.py": "x = 1\n"})
    report = verify(check())
    assert outcome(report) == (Status.INCOMPLETE, f"1 of 2 files not analysed: a.py ({why})")
    assert report.verdict == "incomplete"
    assert report.files.failed == {"a.py": why}


def test_an_unreadable_file_is_never_green(
    open_folder: Path, verify: Verify, ordinary_user: Callable[[], AbstractContextManager[None]]
) -> None:
    (open_folder / "project").mkdir()
    (open_folder / "project" / "a.py").write_text("x = 1\n")
    (open_folder / "project" / "a.py").chmod(0)
    (open_folder / "home").mkdir()
    (open_folder / "home").chmod(0o777)
    settings = Settings(home=open_folder / "home", database_url="sqlite://")
    with ordinary_user():
        report = verify(check(), target=open_folder / "project", settings=settings)
    assert outcome(report) == (Status.INCOMPLETE, "1 of 1 files not analysed: a.py (can't be read: Permission denied)")


def test_python_that_can_not_be_parsed_is_incomplete(write: Write, verify: Verify) -> None:
    def parse(context: Context) -> Iterator[Item]:
        for _, tree in context.parsed_python():
            if not hasattr(tree, "body"):
                yield tree

    write({"a.py": "def f(:\n", "b.py": "x = 1\n"})
    why = "a.py (not Python that this interpreter can parse: invalid syntax (line 1))"
    assert outcome(verify(check(run=parse))) == (Status.INCOMPLETE, f"1 of 2 files not analysed: {why}")


def test_a_missing_target_is_one_clear_error(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(OmniError, match="There is nothing to verify: No such file or directory"):
        engine.verify(tmp_path / "nowhere", Options(), settings)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OmniError, match="There is nothing to verify"):
        engine.verify(tmp_path / "loop", Options(), settings)
    (tmp_path / "file").touch()
    with pytest.raises(OmniError, match="There is nothing to verify: Not a directory"):
        engine.verify(tmp_path / "file", Options(), settings)


def test_a_tool_that_works(write: Write, verify: Verify, add_tool: AddTool) -> None:
    write({"a.py": "x = 1\n", "-b.py": "y = 2\n"})
    add_tool("linter", 'for file; do echo "$file:1:found"; done; exit 1')
    report = verify(tool())
    assert [(finding.path, finding.snippet) for finding in report.findings] == [("-b.py", "y = 2"), ("a.py", "x = 1")]


def test_a_tool_that_wants_a_folder_gets_one_with_nothing_but_the_inputs(
    write: Write, verify: Verify, add_tool: AddTool
) -> None:
    write({"a.py": "x = 1\n", "deep/er/b.py": "y = 2\n", "no.txt": "", "lint.toml": "z = 3\n"})
    add_tool("linter", 'test -f "$1/lint.toml" && find "$1" -type f | sed "s/$/:1:found/"; exit 1')
    report = verify(tool(argv=("{tree}",), config=("lint.toml",)))
    assert [(finding.path, finding.snippet) for finding in report.findings] == [
        ("a.py", "x = 1"),
        ("deep/er/b.py", "y = 2"),
    ]


def test_a_tool_gets_neither_secrets_nor_configuration(
    write: Write, verify: Verify, add_tool: AddTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    root = write({"a.py": "x = 1\n"})
    add_tool("linter", 'echo "a.py:1:$(env | grep -c hush) $(ls -A "$HOME" | wc -l) $PWD"; exit 1')
    (finding,) = verify(tool()).findings
    assert finding.message == f"0 0 {root}"


@pytest.mark.parametrize(
    ("script", "status", "why"),
    [
        ("echo 'no such option' >&2; exit 2", Status.ERROR, "linter failed with exit code 2: no such option"),
        ("exit 70", Status.ERROR, "linter failed with exit code 70: it said nothing"),
        ("kill -SEGV $$", Status.ERROR, "linter was killed by a signal (crash, or out of memory): it said nothing"),
        ("exit 1", Status.ERROR, "linter ended with exit code 1 but named nothing: it said nothing"),
        ("echo garbage", Status.ERROR, "linter did not print what it should ("),
        ("sleep 60", Status.INCOMPLETE, "linter took longer than 1 s and was stopped"),
        ("trap '' TERM; sleep 60 & wait; sleep 60", Status.INCOMPLETE, "linter took longer than 1 s and was stopped"),
        ("head -c 70000000 /dev/zero", Status.ERROR, "linter printed more than 64 MiB, so not all of it could be read"),
    ],
)
def test_a_tool_that_fails_is_never_green(
    write: Write, verify: Verify, add_tool: AddTool, script: str, status: Status, why: str
) -> None:
    write({"a.py": "x = 1\n"})
    add_tool("linter", script)
    found, reason = outcome(verify(tool(timeout=1 if status is Status.INCOMPLETE else 60)))
    assert (found, reason[: len(why)]) == (status, why)


def test_garbage_instead_of_sarif_is_an_error(write: Write, verify: Verify, add_tool: AddTool) -> None:
    write({"a.py": "x = 1\n"})
    for script, why in (
        ("echo '{'", "JSON"),
        ("echo '{}'", "what it should (ValueError('it is not SARIF: there is no `runs`'))"),
        ("echo '[]'", "what it should (TypeError('it is not SARIF: an object was expected, not list'))"),
        ("true", "JSON"),
    ):
        add_tool("linter", script)
        assert outcome(verify(tool(parse=None))) == (
            Status.ERROR,
            f"linter did not print {why}, so its result is unknown",
        )


def test_a_missing_tool_is_incomplete(write: Write, verify: Verify, add_tool: AddTool) -> None:
    write({"a.py": "x = 1\n"})
    reason = "linter is not there: linter is not in the tools environment"
    assert outcome(verify(tool())) == (Status.INCOMPLETE, reason)


def test_a_failure_of_one_check_leaves_the_others_alone(write: Write, verify: Verify, add_tool: AddTool) -> None:
    def crash(_context: Context) -> Iterator[Item]:
        raise ZeroDivisionError("a bug")
        yield

    write({"a.py": "BAD\n"})
    report = verify(check("crash", run=crash), check("fine"), tool())
    assert {result.check: result.status for result in report.results} == {
        "crash": Status.ERROR,
        "fine": Status.FAIL,
        "tool": Status.INCOMPLETE,
    }
    assert len(report.findings) == 1


def test_a_gap_is_incomplete_and_findings_still_fail(write: Write, verify: Verify) -> None:
    def partly(context: Context) -> Iterator[Item]:
        yield Gap("the registry can't be asked")
        yield Metric("asked", 0)
        yield from todo_lines(context)

    write({"a.py": "x = 1\n"})
    assert outcome(verify(check(run=partly))) == (Status.INCOMPLETE, "the registry can't be asked")
    write({"a.py": "BAD\n"})
    assert outcome(verify(check(run=partly))) == (Status.FAIL, "the registry can't be asked")


def test_a_network_check_is_incomplete_when_offline(write: Write, verify: Verify, settings: Settings) -> None:
    write({"a.py": "x = 1\n"})
    offline = settings.model_copy(update={"offline": True})
    found = outcome(verify(check(network=True), settings=offline))
    assert found == (Status.INCOMPLETE, "it needs the network, and Omni is offline")


def test_a_check_switched_off_is_shown_with_the_reason(write: Write, verify: Verify) -> None:
    write({"a.py": "BAD\n"})
    config = ProjectConfig(disabled=(Disabled(check="own", because="we trust BAD here"),))
    found = outcome(verify(check(), config=config))
    assert found == (Status.SKIPPED, "switched off in omni.toml: we trust BAD here")


def test_secrets_are_masked_in_snippets(write: Write, verify: Verify) -> None:
    write({"a.py": "BAD_KEY = 'AKIA1234567890'\n"})
    (finding,) = verify(check(masks=True)).findings
    assert finding.snippet == "BAD_KEY =•••"


def test_the_same_project_gives_the_same_report_with_any_number_of_workers(write: Write, verify: Verify) -> None:
    write({f"{name}.py": "BAD\nok\nBAD\n" * 3 for name in "abcdef"})
    checks = [check(f"c{number}") for number in range(8)]
    reports = []
    for jobs in (1, 2, 7):
        dumped = json.loads(verify(*checks, jobs=jobs).model_dump_json(exclude={"seconds"}))
        reports.append(
            [
                {key: value for key, value in each.items() if key not in {"seconds", "cached"}}
                for each in dumped["results"]
            ]
        )
    assert reports[0] == reports[1] == reports[2]


def test_equal_lines_have_different_fingerprints_that_survive_a_move(write: Write, verify: Verify) -> None:
    write({"a.py": "BAD\nBAD\n"})
    before = [finding.fingerprint for finding in verify(check()).findings]
    write({"a.py": "x = 1\n\n   BAD\nBAD\n"})
    assert [finding.fingerprint for finding in verify(check()).findings] == before
    assert len(set(before)) == 2


def test_events_tell_the_progress(write: Write, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write({"a.py": "x = 1\n"})
    monkeypatch.setattr(engine, "checks", lambda *_: (check(),))
    events: list[tuple[str, str]] = []
    for _ in range(2):
        engine.verify(root, Options(), settings, lambda event: events.append((event.kind, event.check)))
    assert events == [("started", "own"), ("finished", "own"), ("finished", "own")]


def test_the_last_check_that_runs_is_told_when_all_others_have_ended(
    write: Write, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write({"a.py": "x = 1\n"})
    monkeypatch.setattr(engine, "checks", lambda *_: (check("a"), check("b"), check("c")))
    events: list[tuple[str, str]] = []
    for _ in range(2):
        engine.verify(root, Options(jobs=1), settings, lambda event: events.append((event.check, event.last)))
    ran = [("a", ""), ("a", ""), ("b", ""), ("b", "c"), ("c", ""), ("c", "")]  # each started and ended
    assert events == [*ran, ("a", ""), ("b", ""), ("c", "")]


def test_fix_lets_the_tools_mend_first(write: Write, verify: Verify, add_tool: AddTool) -> None:
    root = write({"a.py": "BAD\n"})
    add_tool("linter", 'if [ "$1" = fix ]; then sed -i s/BAD/good/ "$2"; else grep -n BAD "$@" | sed s/^/a.py:/; fi')
    mending = tool(fix=("fix", "{files}"))
    assert verify(mending).verdict == "fail"
    assert verify(mending, fix=True).verdict == "pass"
    assert (root / "a.py").read_text() == "good\n"


def test_only_changed_files_are_looked_at(write: Write, git: Git, verify: Verify) -> None:
    write({"a.py": "BAD\n", "b.py": "BAD\n"})
    git("add", ".")
    git("commit", "-qm", "one")
    own = check(scope=Scope.FILE)
    assert outcome(verify(own, changed=True)) == (Status.SKIPPED, "there are no such files that changed")
    write({"b.py": "BAD # more\n"})
    report = verify(own, changed=True)
    assert [finding.path for finding in report.findings] == ["b.py"]
    assert report.changed == "HEAD"
    whole = verify(check("whole"), changed=True)
    assert [finding.path for finding in whole.findings] == ["a.py", "b.py"]


def test_a_deleted_file_is_a_change_for_a_check_of_the_whole(write: Write, git: Git, verify: Verify) -> None:
    root = write({"a.py": "BAD\n", "b.py": "\n"})
    git("add", ".")
    git("commit", "-qm", "one")
    (root / "b.py").unlink()
    assert outcome(verify(check(), changed=True))[0] is Status.FAIL


def test_changed_without_a_repository_is_one_clear_error(write: Write, verify: Verify) -> None:
    write({"a.py": "x = 1\n"})
    with pytest.raises(OmniError, match="No such revision: “HEAD” is not a commit here"):
        verify(check(), changed=True)


def test_the_baseline_leaves_only_new_findings(write: Write, git: Git, verify: Verify) -> None:
    write({"a.py": "BAD\nBAD\n"})
    git("add", ".")
    git("commit", "-qm", "one")
    report = verify(check(), baseline=True)
    assert (report.verdict, report.findings) == ("pass", ())
    assert [finding.suppressed[:11] for finding in report.results[0].suppressed] == ["already in "] * 2
    write({"a.py": "x = 1\nBAD\nBAD\nBAD\n", "b.py": "BAD\n"})
    report = verify(check(), baseline=True)
    assert [(finding.path, finding.line) for finding in report.findings] == [("a.py", 4), ("b.py", 1)]
    assert report.verdict == "fail"
    assert report.baseline == git("rev-parse", "HEAD")


def test_the_baseline_does_not_hide_that_something_was_not_seen(write: Write, git: Git, verify: Verify) -> None:
    write({"a.py": "BAD\n", "b.py": b"\0"})
    git("add", ".")
    git("commit", "-qm", "one")
    report = verify(check(), baseline=True)
    assert outcome(report) == (Status.INCOMPLETE, "1 of 2 files not analysed: b.py (binary)")


def test_unknown_names_are_one_clear_error(verify: Verify) -> None:
    with pytest.raises(OmniError, match="There is no such check: “nope”"):
        verify(check(), only=("nope",))
    with pytest.raises(OmniError, match="there is no check “nope”"):
        verify(check(), config=ProjectConfig(disabled=(Disabled(check="nope", because="long enough"),)))


@pytest.mark.slow
def test_fifty_thousand_files_stay_within_time(root: Path, verify: Verify) -> None:
    for folder in range(100):
        (root / str(folder)).mkdir()
        for number in range(500):
            (root / str(folder) / f"m{number}.py").write_text(f"x = {number}\n")
    cold = verify(check(scope=Scope.FILE))
    warm = verify(check(scope=Scope.FILE))
    assert (cold.verdict, warm.verdict, warm.files.seen, warm.results[0].cached) == ("pass", "pass", 50_000, True)
    assert cold.seconds < 60


def test_what_left_all_out_says_nothing_of_how_long_it_takes(write: Write, verify: Verify, settings: Settings) -> None:
    """Else a suite of tests would wait until the end, because some other project had none."""

    def nothing(_: Context) -> Iterator[Item]:
        yield Gap("there is nothing to do", Status.SKIPPED)

    write({"a.py": "x = 1\n"})
    verify(check("idle", run=nothing))
    verify(check("busy"))
    with sqlite3.connect(settings.home / "cache" / "verify.sqlite") as database:
        assert {key.partition(" ")[0] for (key,) in database.execute("SELECT key FROM durations")} == {"busy"}
