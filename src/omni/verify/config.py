"""`[verify]` of the target's `omni.toml`: what the project says about its own verification.

It can only narrow what is looked at, each time with a reason that the report shows; it can't execute anything.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from omni.kernel.errors import Exit, OmniError, declare
from omni.verify.check import Tier
from omni.verify.deep.declared import Benchmark, Build, Integration, Migrations, Serve, Service
from omni.verify.report import Model, Severity

BAD_CONFIG = declare("V005", "The project's omni.toml can't be used", Exit.USAGE, "Correct the file.")

FILE = "omni.toml"

Reason = Annotated[str, Field(min_length=8)]


class Disabled(Model):
    check: str
    because: Reason


class Excluded(Model):
    path: str
    """A glob; `**` crosses folders."""
    because: Reason


class Waiver(Model):
    """Findings that someone accepts, until a day."""

    rule: str
    """`check` or `check/rule`."""
    path: str = "**"
    who: Annotated[str, Field(min_length=1)]
    because: Reason
    until: date


class Tests(Model):
    """How the project's own tests are run. Default: pytest, with JUnit and coverage reports."""

    command: tuple[str, ...] = ()
    environment: str = ""
    """Virtual environment with the project's dependencies, relative to the target; default `.venv`."""
    setup: str = ""
    """What a newcomer types to have what the tests and the type checker need. It is shown where something is missing,
    and never run."""


class Mutation(Model):
    """What mutation testing changes, and with which tests. Default: the whole program, and all tests."""

    paths: tuple[str, ...] = ()
    """Globs of the modules to change."""
    tests: tuple[str, ...] = ()
    """Files and folders for pytest."""
    options: tuple[str, ...] = ()
    """Further arguments for pytest, such as `-m`, `not slow`."""
    sample: Annotated[int, Field(ge=0)] = 0
    """So many mutants, drawn at random, of a program too large to try them all; 0: all."""
    seed: int = 0
    """Another one draws others."""


class Fuzzing(Model):
    seconds: Annotated[int, Field(ge=1, le=86400)] = 60
    """How long each fuzz target runs."""
    build: str = ""
    """How its targets in C or C++ are compiled, for `sh` (fuzzing/languages.py). Default: with all of its sources."""


class ArchitectureRule(Model):
    """Who may import whom; see checks/architecture.py. Modules are dotted names, folders or globs of files."""

    name: str
    """Shown with each violation: `no controller imports a repository`."""
    type: Literal["layers", "forbidden", "independence", "acyclic"]
    layers: tuple[str, ...] = ()
    """The highest first; `a | b` may not import each other."""
    source_modules: tuple[str, ...] = ()
    forbidden_modules: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    """Of `independence`; of `acyclic`, where none means all."""


class OwnGate(Model):
    """What the project asks of a gate instead of Omni. Where it asks for less, it says why, and the report shows it."""

    refuse: Severity | None = None
    required: tuple[str, ...] = ()
    """Besides those that Omni requires."""
    at_least: Mapping[str, float] = Field(default_factory=dict)
    because: str = ""


class ProjectConfig(Model):
    tiers: tuple[Tier, ...] = (1, 2)
    source_roots: tuple[str, ...] = ()
    """Folders that imports start at; default `src` if there is one, else the target itself."""
    disabled: tuple[Disabled, ...] = ()
    exclude: tuple[Excluded, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    require: tuple[str, ...] = ()
    """Checks that must not be skipped for want of their tool: without it they are `incomplete`."""
    tests: Tests = Tests()
    mutation: Mutation = Mutation()
    fuzzing: Fuzzing = Fuzzing()
    services: tuple[Service, ...] = ()
    """Servers that the tests of tier 3 need."""
    integration: Integration = Integration()
    serve: Serve | None = None
    build: Build | None = None
    benchmarks: tuple[Benchmark, ...] = ()
    migrations: Migrations | None = None
    profiles: tuple[str, ...] = ()
    """Ids of the profiles it has to keep; see profile.py."""
    architecture: tuple[ArchitectureRule, ...] = ()
    gates: Mapping[str, OwnGate] = Field(default_factory=dict)
    """By the name of Omni's gate that it changes."""


def load_config(root: Path) -> ProjectConfig:
    """`[verify]` of `root/omni.toml`; the defaults when there is none. Raises `V005` with the first problem."""
    path = root / FILE
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return ProjectConfig()
    except (OSError, ValueError, RecursionError) as problem:
        raise OmniError(BAD_CONFIG, str(problem), where=str(path)) from problem
    try:
        return ProjectConfig.model_validate(content.get("verify", {}))
    except ValidationError as problem:
        raise OmniError(BAD_CONFIG, _first(problem), where=str(path)) from problem


def _first(problem: ValidationError) -> str:
    """`verify.waivers.0.until: Field required`"""
    error = problem.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in ("verify", *error["loc"]))
    if error["type"] == "extra_forbidden":
        known = ", ".join(ProjectConfig.model_fields)
        return f"{where}: there is no such key" + (f"; known here: {known}" if len(error["loc"]) == 1 else "")
    return f"{where}: {error['msg']}"
