"""Checks are tested whole: files in, the engine's result out, with the real tools of tools.lock."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePath

import pytest

from omni.kernel.settings import Settings, load_settings
from omni.sandbox.job import JobResult
from omni.verify import engine, machine, registry
from omni.verify.check import Context, Runner
from omni.verify.deep.play import Done, Outcome, Server, Step
from omni.verify.plan import Options
from omni.verify.report import CheckResult, Finding, Status
from omni.verify.tools import BASE, Tools, installed, open_tools

Write = Callable[[Mapping[str, str | bytes]], Path]
Look = Callable[..., CheckResult]
Found = Callable[..., list[str]]
Told = Callable[..., str]
Replay = Callable[..., CheckResult]
Answer = Callable[..., list[tuple[str, ...]]]
Does = Callable[[Step, Path], tuple[int, str]]
Stage = Callable[[str, Does], list[Server | Step]]


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The tools environment of this machine's Omni home, set up once and used by all tests."""
    settings = load_settings()
    return open_tools(settings.home, settings.offline, print)


@pytest.fixture
def look(write: Write, settings: Settings, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Write files into the target and run one check on it."""
    here = load_settings()

    def opened(_home: Path, _offline: bool, progress: Callable[[str], None], toolset: str = BASE) -> Tools:
        return tools if toolset == BASE else open_tools(here.home, here.offline, progress, toolset)

    monkeypatch.setattr("omni.verify.tools.open_tools", opened)
    monkeypatch.setattr("omni.verify.tools.installed", lambda name, _home: installed(name, here.home))

    def run(check: str, files: Mapping[str, str | bytes], **options: object) -> CheckResult:
        offline = bool(options.pop("offline", False))
        home = settings.model_copy(update={"offline": offline})
        root = write(files)
        registry.get(check)  # a wrong name is the test's mistake
        report = engine.verify(root, Options(only=(check,), **options), home)  # type: ignore[arg-type]
        return report.results[0]

    return run


@pytest.fixture
def found(look: Look) -> Found:
    """The findings of one check as `severity rule path:line`, in order."""

    def run(check: str, files: Mapping[str, str | bytes], **options: object) -> list[str]:
        result = look(check, files, **options)
        assert result.status is not Status.ERROR, result.reason  # a check that crashes finds nothing
        return [shape(finding) for finding in result.findings]

    return run


@pytest.fixture
def replay(write: Write, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Replay:
    """Run a check with a program in the tool's place that prints this and ends so."""
    folder = tmp_path / "tools" / "bin"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr("omni.verify.tools.open_tools", lambda *_: Tools(folder.parent))
    monkeypatch.setattr("omni.verify.tools.installed", lambda *_: Tools(folder.parent))

    def replayed(
        check_id: str, files: Mapping[str, str], said: str, exit_code: int = 0, stream: int = 1, **changes: Runner
    ) -> CheckResult:
        root = write(files)
        # It prints what was recorded elsewhere, so it needs no sandbox.
        check = registry.get(check_id).model_copy(update={"sandboxed": False, **changes})
        (folder / "said").write_text(said.replace("{root}", str(root)).replace("/work/", f"{root}/"))
        (folder / check.tool).write_text(f"#!/bin/sh\ncat {folder}/said >&{stream}\nexit {exit_code}\n")
        (folder / check.tool).chmod(0o755)
        monkeypatch.setattr(engine, "checks", lambda *_: (check,))
        (result,) = engine.verify(root, Options(only=(check_id,)), settings).results
        return result

    return replayed


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Answer:
    """The sandbox leaves these files and says this; returns what it is asked to run. All programs are on PATH."""
    nowhere = tmp_path / "nowhere"
    monkeypatch.setattr(machine, "find", lambda _name: Path("/usr/bin/true"))

    def give(files: Mapping[str, str], said: str = "", exit_code: int = 0, errors: str = "") -> list[tuple[str, ...]]:
        asked: list[tuple[str, ...]] = []

        def run(
            _context: Context,
            argv: tuple[str, ...],
            *,
            into: Path = nowhere,
            collect: Iterable[str] = (),
            **_more: object,
        ) -> JobResult:
            asked.append(tuple(argv))
            patterns = tuple(collect)
            for path, text in (
                (path, text) for path, text in files.items() if any(map(PurePath(path).match, patterns))
            ):
                (into / path).parent.mkdir(parents=True, exist_ok=True)
                (into / path).write_text(text)
            return JobResult(exit_code, "exited", said, errors, False, 1.0, "full")

        monkeypatch.setattr(Context, "run_in_sandbox", run)
        return asked

    return give


@pytest.fixture
def told(look: Look) -> Told:
    """What people read of one check's findings: a line `severity rule path:line: message`, then the code it shows."""

    def run(check: str, files: Mapping[str, str | bytes], **options: object) -> str:
        findings = look(check, files, **options).findings
        return "".join(f"{shape(each)}: {each.message}\n    {each.snippet}\n" for each in findings)

    return run


def shape(finding: Finding) -> str:
    return f"{finding.severity} {finding.rule} {finding.path}:{finding.line}"


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    """Say what each step would do in the sandbox (its exit code and words, files below /work); get what was asked for.

    As there, the first step that fails is the last, and nothing comes back but what is collected.
    """
    asked: list[Server | Step] = []
    work = tmp_path / "work"

    def put(module: str, does: Does) -> list[Server | Step]:
        def perform(
            _context: Context,
            servers: Iterable[Server],
            steps: Iterable[Step],
            *,
            into: Path,
            collect: Iterable[str] = (),
            **_where: object,
        ) -> Outcome:
            asked.extend(servers)
            done: list[Done] = []
            work.mkdir()
            for step in steps:
                asked.append(step)
                exit_code, said = does(step, work)
                done.append(Done(name=step.name, exit=exit_code, said=said, seconds=0.01))
                if exit_code:
                    break
            for path in (each for pattern in collect for each in work.glob(pattern)):
                (into / path.relative_to(work)).parent.mkdir(parents=True, exist_ok=True)
                shutil.move(path, into / path.relative_to(work))
            shutil.rmtree(work)
            return Outcome(steps=tuple(done))

        monkeypatch.setattr(f"omni.verify.{module}.perform", perform)
        return asked

    return put
