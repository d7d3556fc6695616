"""Commands in the sandbox, and the environment that they get."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from tests.verify.played import context_of

from omni.kernel.errors import Exit, OmniError, declare
from omni.sandbox.job import Driver, Isolation, Job, JobResult
from omni.verify import config, execution
from omni.verify.check import Check, Context, Failed, Item, Metric, Output
from omni.verify.config import ProjectConfig
from omni.verify.environment import find_environment
from omni.verify.execution import Execution, Resources
from omni.verify.report import Report, Status
from omni.verify.tools import Tools

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


TOOL = Check(id="own", title="own", tier=2, languages=("python",), config=("*.toml",), tool="linter", timeout=20)


class Recording:
    """A driver that keeps the jobs, and says that they ended so."""

    def __init__(self, ended: str = "exited", exit_code: int | None = 0, *, truncated: bool = False) -> None:
        self.jobs: list[tuple[Job, bool]] = []
        self.result = JobResult(exit_code, ended, "/work/a.py\n", "first\n last \n", truncated, 0.1, "reduced")  # type: ignore[arg-type]

    def run(self, job: Job, *, trusted: bool = False) -> JobResult:
        self.jobs.append((job, trusted))
        return self.result


@pytest.fixture
def here(write: Write, tmp_path: Path) -> Callable[..., Context]:
    """The context of a check whose tool is this shell script."""

    def make(script: str = "", driver: Recording | None = None, check: Check = TOOL, **more: object) -> Context:
        (tmp_path / "set" / "bin").mkdir(parents=True)
        program = tmp_path / "set" / "bin" / "linter"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        root = write({"a.py": "x = 1\n", "deep/b.py": "y = 1\n", "c.toml": "z = 1\n", "d.md": "no\n"})
        (tmp_path / "scratch").mkdir()
        given = {"trusted": more.pop("trusted", False)}
        resources = Resources(
            lambda _name: Tools(tmp_path / "set"),
            lambda: cast("Driver", driver or Recording()),
            tmp_path / "scratch",
            **given,  # type: ignore[arg-type]
        )
        execution = Execution(resources, float(more.pop("deadline", "inf")))  # type: ignore[arg-type]
        inputs = context_of(root, "syntax")
        files = tuple(file for file in inputs.files if file.language == "python")
        return replace(inputs, check=check, files=files, execution=execution, **more)  # type: ignore[arg-type]

    return make


def test_a_tool_sees_what_its_arguments_name_and_a_clean_environment(
    here: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    monkeypatch.setenv("PIP_INDEX_URL", "https://x.example")
    script = 'pwd; printf "%s\\n" "$1" "$2" "$3" "$4"; cd "$5"\n'
    script += 'find . -type f | sort; echo "$5"; env | sort; echo said >"$6"'
    context = here(script, environment=tmp_path / "venv", cache=tmp_path / "own cache")
    arguments = ("{root}/a", "{cache}", "{data}", "{environment}", "{tree}", "{report}")
    output = context.execute("linter", *arguments)
    lines = output.stdout.splitlines()
    data = Path(execution.__file__).with_name("data")
    root = context.root
    assert lines[:5] == [str(root), f"{root}/a", str(tmp_path / "own cache"), str(data), str(tmp_path / "venv")]
    assert lines[5:9] == ["./a.py", "./c.toml", "./deep/b.py", str(root)]
    told = dict(line.split("=", 1) for line in lines[9:])
    home = told.pop("HOME")
    assert home.startswith(f"{tmp_path}/scratch/own-")
    assert {name: told[name] for name in ("TMPDIR", "XDG_CONFIG_HOME", "LANG", "TZ", "NO_COLOR", "HTTPS_PROXY")} == {
        "TMPDIR": home,
        "XDG_CONFIG_HOME": home,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "NO_COLOR": "1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    assert told["PATH"] == f"{tmp_path}/set/bin:{tmp_path}/set/bin:{os.defpath}"
    assert {"TOKEN", "PIP_INDEX_URL"} & told.keys() == set()
    assert (output.exit_code, output.report) == (0, "said\n")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_check_of_the_network_learns_how_packages_are_reached_and_no_more(
    here: Callable[..., Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    monkeypatch.setenv("pip_index_url", "https://x.example")
    context = here("env; exit 3", check=TOOL.model_copy(update={"network": True}))
    output = context.execute("linter")
    told = dict(line.split("=", 1) for line in output.stdout.splitlines())
    assert (told["pip_index_url"], told.get("TOKEN"), output.exit_code) == ("https://x.example", None, 3)
    assert told.get("HTTP_PROXY") != "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("script", "why", "status"),
    [
        ("sleep 9", "linter took longer than 1 s and was stopped", Status.INCOMPLETE),
        (
            "echo one >&2; echo ' two ' >&2; echo >&2; kill -9 $$",
            "linter was killed by a signal (crash, or out of memory): two",
            Status.ERROR,
        ),
        ("kill -9 $$", "linter was killed by a signal (crash, or out of memory): it said nothing", Status.ERROR),
        (
            "head -c 2000000 /dev/zero",
            "linter printed more than 1 MiB, so not all of it could be read",
            Status.ERROR,
        ),
    ],
)
def test_a_tool_that_breaks_gives_no_result(
    here: Callable[..., Context], monkeypatch: pytest.MonkeyPatch, script: str, why: str, status: Status
) -> None:
    monkeypatch.setattr(execution, "OUTPUT", 1 << 20)
    with pytest.raises(Failed) as failed:
        here(script).execute("linter", timeout=1 if "sleep" in script else 20)
    assert (failed.value.why, failed.value.status) == (why, status)


def test_a_tool_that_is_not_there_or_has_no_time_left(here: Callable[..., Context]) -> None:
    context = here("true", deadline=time.monotonic() - 1)
    with pytest.raises(Failed, match=r"^other is not there: other is not in the tools environment$") as failed:
        context.execute("other")
    assert failed.value.status is Status.INCOMPLETE
    with pytest.raises(Failed, match=r"^tier 2 was out of time before it ran$") as failed:
        context.execute("linter")
    assert failed.value.status is Status.INCOMPLETE


def test_a_job_has_the_projects_environment_first_on_its_path(here: Callable[..., Context], tmp_path: Path) -> None:
    driver = Recording()
    context = here(driver=driver, environment=tmp_path / "venv", trusted=True)
    result = context.run_in_sandbox(["linter", "x"], toolset="set", collect=["*.xml"], into=tmp_path, KEY="value")
    assert result is driver.result
    ((job, trusted),) = driver.jobs
    assert (job.argv, job.workspace, job.collect, job.into) == (("linter", "x"), context.root, ("*.xml",), tmp_path)
    assert job.env == {"PATH": f"{tmp_path}/venv/bin:{tmp_path}/set/bin:/usr/local/bin:/usr/bin:/bin", "KEY": "value"}
    assert (trusted, job.limits.wall, context.execution.resources.isolation) == (True, 20, "reduced")
    context.run_in_sandbox(["true"])
    assert driver.jobs[1][0].env == {"PATH": f"{tmp_path}/venv/bin:/usr/local/bin:/usr/bin:/bin"}


def test_a_tool_in_the_sandbox_works_on_the_copy(here: Callable[..., Context], tmp_path: Path) -> None:
    driver = Recording(exit_code=1)
    context = here(driver=driver, check=TOOL.model_copy(update={"sandboxed": True}))
    output = context.execute("linter", "{root}/a.py")
    assert output == Output(1, f"{context.root}/a.py\n", "first\n last \n")
    assert driver.jobs[0][0].argv == (f"{tmp_path}/set/bin/linter", "/work/a.py")


@pytest.mark.parametrize(
    ("driver", "why", "status"),
    [
        (Recording("refused", None), "the sandbox refused to run it: last", Status.INCOMPLETE),
        (Recording("timeout", None), "it took longer than 20 s and was stopped", Status.INCOMPLETE),
        (Recording("memory", None), "linter ended by memory in the sandbox: last", Status.ERROR),
        (
            Recording(truncated=True),
            "linter printed too much in the sandbox, so not all of it could be read",
            Status.ERROR,
        ),
    ],
)
def test_a_tool_that_breaks_in_the_sandbox_gives_no_result(
    here: Callable[..., Context], driver: Recording, why: str, status: Status
) -> None:
    context = here(driver=driver, check=TOOL.model_copy(update={"sandboxed": True}))
    with pytest.raises(Failed) as failed:
        context.execute("linter")
    assert (failed.value.why, failed.value.status) == (why, status)


def test_a_set_that_can_not_be_had_is_tried_once_and_said_each_time(tmp_path: Path) -> None:
    tries: list[str] = []

    def fail(name: str) -> Tools:
        tries.append(name)
        raise OmniError(NO_SANDBOX, "no network")

    resources = Resources(fail, lambda: cast("Driver", Recording()), tmp_path)
    resources.prepare_tools(["one", "two"])
    assert tries == ["one", "two"]
    for _ in range(2):
        with pytest.raises(Failed, match=r"^the tools “one” are not there: no network$"):
            Execution(resources).tools("one")
    assert (tries, resources.isolation) == (["one", "two"], "none")


@pytest.mark.parametrize(("used", "weakest"), [({"full"}, "full"), ({"full", "reduced"}, "reduced")])
def test_the_weakest_isolation_counts(tmp_path: Path, used: set[Isolation], weakest: str) -> None:
    resources = Resources(lambda _: Tools(tmp_path), lambda: cast("Driver", Recording()), tmp_path)
    resources.used |= used
    assert resources.isolation == weakest
