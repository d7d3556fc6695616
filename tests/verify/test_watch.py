"""Verification that stays: each change is answered with what a cold verification says of the same files."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.verify.check import Check, Context, Item, Scope
from omni.verify.engine import verify
from omni.verify.files import Known, examine
from omni.verify.plan import Options
from omni.verify.watch import Events, Round, watch

Write = Callable[[Mapping[str, str | bytes]], Path]
Git = Callable[..., str]


def bad_lines(context: Context) -> Iterator[Item]:
    for file in context.files:
        for number, line in enumerate(context.text(file).splitlines(), 1):
            if "BAD" in line:
                yield context.finding("bad", "it is BAD", file.path, number)


CHECK = Check(id="own", title="own", tier=1, languages=("python",), scope=Scope.FILE, run=bad_lines)


@pytest.fixture
def rounds(root: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Iterator[Round]]:
    for module in ("watch", "engine"):
        monkeypatch.setattr(f"omni.verify.{module}.checks", lambda *_: (CHECK,))
    return lambda **options: watch(root, Options(tiers=(1,), **options), settings, lambda _event: None)


def said(each: Round) -> tuple[tuple[str, ...], str, int]:
    return each.changed, each.report.verdict if each.report else "none", len(each.report.findings) if each.report else 0


def test_each_change_is_a_round_that_says_what_a_cold_verification_says(
    write: Write, root: Path, settings: Settings, rounds: Callable[..., Iterator[Round]]
) -> None:
    write({"a.py": "x = 1\n", "deep/b.py": "y = 2\n"})
    told = rounds()
    assert said(next(told)) == (("a.py", "deep/b.py"), "pass", 0)
    write({"deep/b.py": "BAD\n"})
    second = next(told)
    assert said(second) == (("deep/b.py",), "fail", 1)
    cold = verify(root, Options(tiers=(1,)), settings.model_copy(update={"home": root.parent / "other"}))
    assert second.report
    assert second.report.findings == cold.findings
    write({"new/folder/c.py": "BAD\nBAD\n"})
    assert said(next(told)) == (("new/folder/c.py",), "fail", 3)
    write({"new/folder/d.py": "z = 1\n"})
    assert said(next(told)) == (("new/folder/d.py",), "fail", 3)
    (root / "deep" / "b.py").unlink()
    assert said(next(told)) == (("deep/b.py",), "fail", 2)
    told.close()  # type: ignore[attr-defined]


def test_a_deleted_folder_is_a_round_without_a_report_until_it_is_back(
    write: Write, root: Path, rounds: Callable[..., Iterator[Round]]
) -> None:
    write({"a.py": "x = 1\n"})
    told = rounds()
    next(told)
    shutil.rmtree(root)
    gone = next(told)
    assert said(gone) == (("a.py",), "none", 0)
    assert gone.problem
    assert gone.problem.kind.code == "V006"
    write({"a.py": "BAD\n"})
    assert said(next(told)) == (("a.py",), "fail", 1)


def test_a_broken_configuration_is_said_and_its_repair_is_noticed(
    write: Write, rounds: Callable[..., Iterator[Round]]
) -> None:
    write({"a.py": "x = 1\n"})
    told = rounds()
    next(told)
    write({"omni.toml": "[verify"})
    broken = next(told)
    assert broken.problem
    assert broken.problem.kind.code == "V005"
    write({"omni.toml": '[[verify.exclude]]\npath = "a.py"\nbecause = "an example of ours"\n'})
    mended = next(told)
    assert mended.report
    assert mended.report.files.skipped["a.py"] == "an example of ours"


def test_switching_the_branch_is_one_change_of_many_files(
    write: Write, git: Git, rounds: Callable[..., Iterator[Round]]
) -> None:
    write({"a.py": "x = 1\n"})
    git("add", "-A")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "other")
    write({f"many/f{number}.py": "BAD\n" for number in range(300)})
    git("add", "-A")
    git("commit", "-qm", "two")
    told = rounds()
    assert said(next(told))[1:] == ("fail", 300)
    git("checkout", "-q", "main")
    last = next(told)
    while last.report is None or last.report.findings:  # a slow checkout may be seen half done
        last = next(told)
    assert said(last)[1] == "pass"


def test_a_folder_that_is_not_there_is_an_error_at_once(root: Path, settings: Settings) -> None:
    with pytest.raises(OmniError, match="nothing to verify"):
        next(watch(root / "nowhere", Options(tiers=(1,)), settings, lambda _event: None))


def test_without_events_the_times_of_files_tell(
    write: Write, rounds: Callable[..., Iterator[Round]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni.verify.watch._events", lambda _folders: None)
    write({"a.py": "x = 1\n"})
    told = rounds()
    next(told)
    write({"a.py": "BAD\n"})
    assert said(next(told)) == (("a.py",), "fail", 1)


def test_only_what_may_have_changed_is_read_again(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counting(root: Path, path: str) -> object:
        read.append(path)
        return examine(root, path)

    root = write({"a.py": "x = 1\n", "b.py": "y = 1\n"})
    known = Known()
    monkeypatch.setattr("omni.verify.files.examine", counting)
    monkeypatch.setattr("omni.verify.marks.SETTLED", -1)
    before = [known.examine(root, path) for path in ("a.py", "b.py")]
    assert [known.examine(root, path) for path in ("a.py", "b.py")] == before
    write({"b.py": "y = 2\n"})
    after = known.examine(root, "b.py")
    assert after != before[1]
    assert read == ["a.py", "b.py", "b.py"]
    (root / "b.py").unlink()
    assert known.examine(root, "b.py") is None


def test_folders_that_vanish_end_no_wait(tmp_path: Path) -> None:
    events = Events()
    assert events.cover(tmp_path, None)
    assert not events.cover(tmp_path, None)
    tmp_path.rmdir()
    events.wait(0.2)


def test_the_command_prints_rounds_and_ends_cleanly(write: Write, root: Path, tmp_path: Path) -> None:
    write({"a.py": "x = 1\n"})
    command = [sys.executable, "-m", "omni", "verify", str(root), "--watch", "--json", "--only", "conflict-markers"]
    env = {"OMNI_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout
        rows = []
        for text in process.stdout:
            rows.append(json.loads(text))
            if rows[-1]["type"] == "result" and rows[-1]["verdict"] == "pass":
                write({"a.py": "<<<<<<< ours\nx = 1\n=======\nx = 2\n>>>>>>> theirs\n"})
            elif rows[-1]["type"] == "result":
                process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    assert [(row["number"], row["changed"]) for row in rows if row["type"] == "round"] == [(1, ["a.py"]), (2, ["a.py"])]
    assert [row["verdict"] for row in rows if row["type"] == "result"] == ["pass", "fail"]
    assert rows[-1] == {"type": "end", "reason": "stopped"}
