"""Tests that start containers by themselves. The sandbox has no engine for them; docs/decisions/0010 says why."""

from __future__ import annotations

import re

from omni.verify.analysis.junit import Case
from omni.verify.check import Context

USES = re.compile(r"^\s*(?:from|import)\s+testcontainers\b|['\"]@?testcontainers\b|org\.testcontainers", re.MULTILINE)
"""Of Python, JavaScript, Go, and Java or Kotlin."""
LANGUAGES = {"python", "javascript", "typescript", "go", "java", "kotlin"}
NO_ENGINE = re.compile(
    r"DockerException: Error while fetching server API version"  # Python
    r"|Could not find a working container runtime strategy"  # JavaScript
    r"|rootless Docker not found|Cannot connect to the Docker daemon"  # Go
    r"|Could not find a valid Docker environment"  # Java
)
"""How Testcontainers says that there is no engine."""


def users(context: Context) -> tuple[str, ...]:
    """The files that name it."""
    return tuple(
        file.path
        for file in context.inventory.files
        if file.language in LANGUAGES and not file.problem and USES.search(context.text(file))
    )


def wants_engine(case: Case) -> bool:
    """Whether the test failed because it found no engine: that tells nothing of the code."""
    return NO_ENGINE.search(f"{case.message}\n{case.details}") is not None


def advice(cases: list[Case], files: tuple[str, ...]) -> str:
    """What could not be seen, and how it can be."""
    names = ", ".join(case.name for case in cases[:5]) + (f" and {len(cases) - 5} more" if len(cases) > 5 else "")
    return (
        f"{names}: started by Testcontainers ({', '.join(files[:3])}), and no engine is within reach of the sandbox. "
        "Declare what they need with [[verify.services]] and an image, and let them take its URL from the environment"
    )
