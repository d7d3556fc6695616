"""Commands in the sandbox, and the environment that they get."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from omni.kernel.errors import Exit, OmniError, declare
from omni.verify import config
from omni.verify.check import Check, Context, Item, Metric, Output
from omni.verify.config import ProjectConfig
from omni.verify.environment import find_environment
from omni.verify.report import Report, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
Verify = Callable[..., Report]
AddTool = Callable[[str, str], None]

NO_SANDBOX = declare("TEST-V1", "No sandbox", Exit.INCOMPLETE, "Install one.")


def sandboxed(*argv: str, **fields: object) -> Check:
    def run(context: Context) -> Iterator[Item]:
        result = context.run_in_sandbox(argv)
        yield Metric("exit", result.exit_code if result.exit_code is not None else -1)
        yield context.finding("said", result.stdout.strip())

    declared = {"id": "own", "title": "own", "tier": 2, "languages": ("python",), "run": run}
    return Check.model_validate(declared | fields)


@pytest.mark.host
def test_the_projects_code_runs_on_a_copy_in_full_isolation(write: Write, verify: Verify) -> None:
    root = write({"a.py": "x = 1\n"})
    report = verify(sandboxed("sh", "-c", "pwd; ls; rm a.py; cat /etc/shadow; env | grep -c SECRET; exit 3"))
    assert report.isolation == "full"
    assert report.results[0].metrics == {"exit": 3}
    assert report.findings[0].message == "/work\na.py\n0"
    assert (root / "a.py").exists()


@pytest.mark.host
def test_what_takes_too_long_in_the_sandbox_is_incomplete(write: Write, verify: Verify) -> None:
    write({"a.py": "x = 1\n"})
    (result,) = verify(sandboxed("sleep", "60", timeout=1)).results
    assert (result.status, result.reason) == (Status.INCOMPLETE, "it took longer than 1 s and was stopped")


@pytest.mark.host
def test_a_tool_that_executes_the_projects_configuration_runs_in_the_sandbox(
    write: Write, verify: Verify, add_tool: AddTool
) -> None:
    def parse(context: Context, output: Output) -> Iterator[Item]:
        path, message = output.stdout.strip().split(" ", 1)
        yield context.finding("said", message, path, 1)

    write({"a.py": "x = 1\n"})
    add_tool("linter", 'echo "$1 $(id -u) $(pwd)"; exit 1')
    declared = {"run": None, "tool": "linter", "argv": ("{root}/a.py",), "parse": parse, "sandboxed": True}
    (finding,) = verify(sandboxed(**declared)).findings
    assert finding.path == "a.py"
    assert finding.message.split(" ")[1] == "/work"


def test_without_a_sandbox_it_is_incomplete(write: Write, verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_settings: object) -> None:
        raise OmniError(NO_SANDBOX, "bubblewrap is not installed")

    monkeypatch.setattr("omni.sandbox.choose", refuse)
    write({"a.py": "x = 1\n"})
    report = verify(sandboxed("true"))
    (result,) = report.results
    assert (result.status, result.reason) == (
        Status.INCOMPLETE,
        "the sandbox can't run it: bubblewrap is not installed",
    )
    assert report.isolation == "none"


def test_tools_that_can_not_be_set_up_are_said_once_to_each_check(
    write: Write, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def fail(*_: object) -> None:
        tries.append(1)
        raise OmniError(NO_SANDBOX, "the package index can't be reached")

    monkeypatch.setattr("omni.verify.tools.open_tools", fail)
    write({"a.py": "x = 1\n"})
    checks = [
        Check(id=name, title=name, tier=1, languages=("python",), tool="linter", argv=("{files}",))
        for name in ("a", "b")
    ]
    report = verify(*checks)
    reason = "linter is not there: the package index can't be reached"
    assert [(each.status, each.reason) for each in report.results] == [(Status.INCOMPLETE, reason)] * 2
    assert len(tries) == 1


def environment(folder: Path, target: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").touch()
    (folder / "bin" / "python").symlink_to(target)
    return folder


def test_the_environment_is_what_was_asked_for_or_the_projects_own(root: Path, tmp_path: Path) -> None:
    assert find_environment(root, None, ProjectConfig()) is None
    assert find_environment(root, tmp_path / "given", ProjectConfig()) == tmp_path / "given"
    own = environment(root / ".venv", sys._base_executable)
    assert find_environment(root, None, ProjectConfig()) == own
    named = environment(root / "env", sys._base_executable)
    assert find_environment(root, None, ProjectConfig(tests=config.Tests(environment="env"))) == named


@pytest.mark.parametrize("target", ["../../../secret/bin/python", "python", "/nowhere/bin/python"])
def test_an_environment_that_would_show_other_folders_to_the_sandbox_is_not_believed(
    root: Path, tmp_path: Path, target: str
) -> None:
    (tmp_path / "secret" / "bin").mkdir(parents=True)
    (tmp_path / "secret" / "bin" / "python").touch()
    environment(root / ".venv", target)
    assert find_environment(root, None, ProjectConfig()) is None
