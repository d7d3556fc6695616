"""Fixtures for verification: a target made of files, a git repository, tools that behave as a test says."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from omni.kernel.settings import Settings
from omni.verify import engine
from omni.verify.check import Check
from omni.verify.plan import Options
from omni.verify.report import Report
from omni.verify.tools import Tools

Write = Callable[[Mapping[str, str | bytes]], Path]
Verify = Callable[..., Report]
AddTool = Callable[[str, str], None]
Git = Callable[..., str]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", database_url="sqlite://")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty target."""
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def write(root: Path) -> Write:
    """Write files into the target: path → content."""

    def write_files(files: Mapping[str, str | bytes]) -> Path:
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write_files


@pytest.fixture
def git(root: Path) -> Git:
    """Run git in the target, which is a repository."""

    def run(*argv: str) -> str:
        who = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *argv], cwd=root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    run("init", "-q", "-b", "main")
    return run


@pytest.fixture
def add_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddTool:
    """Put a shell script into the tools environment, which then holds nothing else."""
    folder = tmp_path / "tools" / "bin"
    folder.mkdir(parents=True)
    monkeypatch.setattr("omni.verify.tools.open_tools", lambda *_: Tools(folder.parent))

    def add(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return add


@pytest.fixture
def verify(root: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Verify:
    """Verify the target with these checks and no others."""

    def run(*checks: Check, settings: Settings = settings, target: Path = root, **options: object) -> Report:
        monkeypatch.setattr(engine, "checks", lambda *_: checks)
        monkeypatch.setattr("omni.verify.registry.checks", lambda *_: checks)
        return engine.verify(target, Options(**options), settings)  # type: ignore[arg-type]

    return run


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user can reach."""
    with tempfile.TemporaryDirectory(prefix="omni-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def _without_rights() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def ordinary_user() -> Callable[[], AbstractContextManager[None]]:
    """Within it, file modes mean something, also when the tests run as root."""
    return _without_rights
