"""The virtual environment with the project's own dependencies, for type checkers and tests."""

from __future__ import annotations

import os
from pathlib import Path

from omni.verify.config import ProjectConfig


def find_environment(root: Path, given: Path | None, project: ProjectConfig) -> Path | None:
    """What was asked for, else what the project names, else its `.venv`; None when there is none.

    One that lies in the target is believed only if its interpreter leads to real Python installations: its links say
    what of the host is shown to the sandbox, and the target may be hostile.
    """
    if given is not None:
        return given.absolute()
    inside = root / (project.tests.environment or ".venv")
    return inside if (inside / "pyvenv.cfg").is_file() and _leads_to_python(inside) else None


def _leads_to_python(environment: Path) -> bool:
    program = environment / "bin" / "python"
    for _ in range(10):
        if not program.is_symlink():
            return program.is_file() and _is_installation(program, environment)
        program = Path(os.path.normpath(program.parent / program.readlink()))
        if not _is_installation(program, environment):
            return False
    return False


def _is_installation(program: Path, environment: Path) -> bool:
    prefix = program.parent.parent
    return prefix == environment or any(prefix.glob("lib/python3*/os.py"))
