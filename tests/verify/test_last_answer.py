from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.verify.conftest import AddTool, Git, Write

from omni.kernel.settings import Settings, load_settings
from omni.verify import asked, last_answer, marks
from omni.verify.checks.vulnerabilities import snapshot_path
from omni.verify.engine import verify
from omni.verify.outputs import render
from omni.verify.plan import Options
from omni.verify.report import Report

WORDS = ("verify", ".", "--only", "conflict-markers")
Ask = Callable[[], Report]


@pytest.fixture
def ask(root: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Verify as the command does, in the target, and remember the answer."""
    assert git
    monkeypatch.chdir(root)
    monkeypatch.setenv("OMNI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(marks, "SETTLED", -(1 << 62))  # files of a test are always young

    def once() -> Report:
        settings: Settings = load_settings()
        question = asked.put(WORDS, Path(), None, settings)
        report = verify(Path(), Options(only=("conflict-markers",)), settings)
        question.answered(report, 7, lambda warm: render(warm, "ndjson"))
        return report

    return once


def known() -> bool:
    return last_answer.recall(WORDS) is not None


def test_the_answer_is_that_of_a_run_that_finds_everything_known(write: Write, ask: Ask) -> None:
    write({"a.py": "<<<<<<< a\n=======\n>>>>>>> b\n", "b.py": "x = 1\n"})
    ask()
    answer = last_answer.recall(WORDS)
    again = ask()
    assert answer == (7, render(again.model_copy(update={"seconds": 0.0}), "ndjson").encode())
    assert b'"cached": true' in answer[1]


def test_other_words_and_another_folder_have_no_answer(
    write: Write, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"a.py": "x = 1\n"})
    ask()
    assert known()
    assert last_answer.recall((*WORDS, "--json")) is None
    monkeypatch.chdir(tmp_path)
    assert not known()


def rewritten(root: Path) -> None:
    """Another content of the same size, at the same time as it says."""
    before = (root / "a.py").stat()
    (root / "a.py").write_text("x = 2\n")
    os.utime(root / "a.py", ns=(before.st_atime_ns, before.st_mtime_ns))


def committed(root: Path) -> None:
    who = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, "commit", "-qm", "x", "--allow-empty"], cwd=root, check=True)


def in_an_empty_folder(root: Path) -> None:
    (root / "empty" / "b.py").write_text("")


CHANGES: dict[str, Callable[[Path], object]] = {
    "content, with the old size and time": rewritten,
    "a new file": lambda root: (root / "new.py").write_text(""),
    "a new file in an empty folder": in_an_empty_folder,
    "a file that is gone": lambda root: (root / "a.py").unlink(),
    "a file that may be executed": lambda root: (root / "a.py").chmod(0o755),
    "a commit": committed,
    "a branch": lambda root: subprocess.run(["git", "branch", "other"], cwd=root, check=True),
    "configuration that git ignores": lambda root: (root / "omni.toml").write_text("[verify]\n"),
    "an environment": lambda root: (root / ".venv").mkdir(),
    "installed packages": lambda root: (root / "node_modules" / ".package-lock.json").write_text("{}"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_asks_anew(change: str, write: Write, ask: Ask, git: Git, root: Path) -> None:
    write({"a.py": "x = 1\n", ".gitignore": "omni.toml\nnode_modules\n.coverage\n", "node_modules/a/a.js": ""})
    (root / "empty").mkdir()
    git("add", "a.py", ".gitignore")
    git("commit", "-qm", "first")
    ask()
    assert known()
    (root / ".coverage").write_text("what is ignored changes nothing")
    assert known()
    if change == "an environment":
        (root / ".venv" / "bin").mkdir(parents=True)
        (root / ".venv" / "bin" / "python").symlink_to(sys.executable)
        (root / ".venv" / "pyvenv.cfg").write_text("")
    else:
        CHANGES[change](root)
    assert not known()


@pytest.mark.parametrize("name", ["LANG", "OMNI_OFFLINE", "PATH"])
def test_another_variable_asks_anew(name: str, write: Write, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    write({"a.py": "x = 1\n"})
    ask()
    monkeypatch.setenv("SHLVL", "9")
    assert known()
    monkeypatch.setenv(name, f"{os.environ.get(name, '')}:/x")
    assert not known()


def test_a_program_that_comes_to_path_asks_anew(
    write: Write, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    write({"a.py": "x = 1\n"})
    ask()
    assert known()
    (tmp_path / "bin" / "shellcheck").write_text("")
    assert not known()


def test_a_new_snapshot_of_vulnerabilities_asks_anew(write: Write, ask: Ask, tmp_path: Path) -> None:
    write({"a.py": "x = 1\n"})
    ask()
    assert known()
    snapshot_path(tmp_path / "home").parent.mkdir(parents=True)
    snapshot_path(tmp_path / "home").touch()
    assert not known()


def test_what_changed_while_it_was_looked_at_is_not_remembered(write: Write, ask: Ask, root: Path) -> None:
    write({"a.py": "x = 1\n"})
    question = asked.put(WORDS, Path(), None, load_settings())
    report = verify(root, Options(only=("conflict-markers",)), load_settings())
    write({"a.py": "x = 2\n"})
    question.answered(report, 0, lambda _: "pass")
    assert not known()


def test_what_changed_a_moment_ago_is_not_remembered(
    write: Write, ask: Ask, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another change within the same tick of the clock would leave the times alone."""
    write({"a.py": "x = 1\n"})
    monkeypatch.setattr(marks, "SETTLED", 10**9 * 60)
    ask()
    assert not known()


def test_an_answer_holds_for_as_long_as_its_checks(write: Write, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    write({"a.py": "x = 1\n"})
    report = ask()
    assert known()
    monkeypatch.setattr(time, "time", lambda: report.holds_until + 1)
    assert not known()


def test_a_tool_that_failed_is_tried_again(write: Write, ask: Ask, add_tool: AddTool) -> None:
    add_tool("ruff", "exit 3")
    write({"a.py": "x = 1\n"})
    settings = load_settings()
    question = asked.put(WORDS, Path(), None, settings)
    report = verify(Path(), Options(only=("ruff-lint",)), settings)
    question.answered(report, 3, lambda _: "incomplete")
    assert (report.verdict, report.holds_until) == ("incomplete", 0.0)
    assert not known()


def test_no_repository_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert last_answer.state(str(tmp_path), ()) == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert last_answer.state(str(tmp_path), ()) == ""


@pytest.mark.parametrize("damage", [b"", b"{}\nx", b"[1]\n", b"\x00\xff", b'{"until": 9e99, "root": 1}\n'])
def test_a_damaged_answer_is_none(damage: bytes, write: Write, ask: Ask, tmp_path: Path) -> None:
    write({"a.py": "x = 1\n"})
    ask()
    (kept,) = (tmp_path / "home" / "cache" / "answers").iterdir()
    kept.write_bytes(damage)
    assert not known()


def test_old_answers_go(write: Write, ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "cache" / "answers"
    folder.mkdir(parents=True)
    for number in range(100):
        (folder / str(number)).touch()
        os.utime(folder / str(number), (number, number))
    write({"a.py": "x = 1\n"})
    ask()
    assert known()
    kept = {path.name for path in folder.iterdir()}
    assert len(kept) == last_answer.MOST + 1
    assert "99" in kept
    assert "0" not in kept


def test_the_command_says_it_again_without_loading_itself(write: Write, git: Git, root: Path, tmp_path: Path) -> None:
    write({"a.py": "x = 1\n"})
    long_ago = time.time() - 3600
    for path in (root, *root.rglob("*")):
        os.utime(path, (long_ago, long_ago))
    program = (
        "import sys, omni.verify.marks as marks; marks.SETTLED = -(1 << 62)\n"
        "from omni.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, 'click' in sys.modules, file=sys.stderr)"
    )
    env = {"OMNI_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", program, "verify", ".", "--json", "--only", "conflict-markers"]
    first, second = (subprocess.run(command, cwd=root, env=env, capture_output=True, text=True) for _ in range(2))
    assert (first.stderr, second.stderr) == ("0 True\n", "0 False\n")
    rows = [[json.loads(line) for line in done.stdout.splitlines()] for done in (first, second)]
    assert [(row["type"], row.get("verdict")) for row in rows[0]] == [
        (row["type"], row.get("verdict")) for row in rows[1]
    ]
    assert rows[1][-1]["seconds"] == 0.0


def test_a_reader_that_leaves_is_no_error(write: Write, git: Git, root: Path, tmp_path: Path) -> None:
    write({"a.py": "x = 1\n"})
    program = (
        "import omni.verify.last_answer as answers; answers.recall = lambda _: (3, b'x' * 10**6)\n"
        "from omni.__main__ import main; main()"
    )
    command = f'{sys.executable} -c "{program}" verify . | head -c 1; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (3, "x", "")
