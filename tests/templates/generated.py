"""Rendered projects on disk, and running what they bring along, in the environment of their template."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from omni.kernel.environments import ensure
from omni.kernel.settings import load_settings
from omni.spec.model import Specification
from omni.templates.catalog import get
from omni.templates.render import Project, render


@dataclass(frozen=True)
class Written:
    project: Project
    root: Path
    python: Path
    """Of the template's environment."""

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A module of the environment, in the project's folder."""
        environ = {
            "PATH": f"{self.python.parent}:{os.environ['PATH']}",
            "HOME": str(self.root.parent),
            "LANG": "C.UTF-8",
        }
        command = [str(self.python), "-m", *arguments]
        return subprocess.run(command, cwd=self.root, env=environ, capture_output=True, text=True, timeout=600)


def write(project: Project, root: Path) -> None:
    for path, file in project.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(file.data)
        (root / path).chmod(0o755 if file.executable else 0o644)


def generate(spec: Specification, folder: Path) -> Written:
    """Render and write the project of a specification."""
    template, settings = get(spec.template), load_settings()
    project = render(spec, template)
    root = folder / spec.name
    write(project, root)
    environment = ensure(
        template.environment, template.environment_lock, settings.home, settings.offline, lambda _: None
    )
    return Written(project, root, environment / "bin" / "python")


def check_generated(written: Written) -> None:
    """The project's own tests are green with at least 90 % coverage and record every criterion; its lint is clean."""
    package = written.project.package
    coverage = ("--cov", "--cov-branch", "--cov-report=json:reports/coverage.json")
    tests = written.run("pytest", "-q", "--junitxml=reports/junit.xml", f"--cov={package}", *coverage)
    assert tests.returncode == 0, tests.stdout[-4000:] + tests.stderr[-2000:]
    totals = json.loads((written.root / "reports/coverage.json").read_text())["totals"]
    assert totals["percent_covered"] >= 90
    shown = re.findall(r'name="criterion" value="([^"]+)"', (written.root / "reports/junit.xml").read_text())
    assert set(shown) == set(written.project.trace)
    for command in (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)):
        done = written.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
