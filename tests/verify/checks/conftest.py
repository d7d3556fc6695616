"""Checks are tested whole: files in, the engine's result out, with the real tools of tools.lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from omni.kernel.settings import Settings, load_settings
from omni.verify import engine, registry
from omni.verify.plan import Options
from omni.verify.report import CheckResult, Finding
from omni.verify.tools import BASE, Tools, installed, open_tools

Write = Callable[[Mapping[str, str | bytes]], Path]
Look = Callable[..., CheckResult]
Found = Callable[..., list[str]]


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
        return [shape(finding) for finding in look(check, files, **options).findings]

    return run


def shape(finding: Finding) -> str:
    return f"{finding.severity} {finding.rule} {finding.path}:{finding.line}"
