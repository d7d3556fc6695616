"""The container engine of this machine: Docker, or Podman, which takes the same commands."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from omni.kernel.errors import OmniError
from omni.kernel.ids import uuid7
from omni.sandbox import cgroup
from omni.sandbox.errors import NOT_STARTED, UNAVAILABLE

PROGRAMS = ("docker", "podman")
LABEL = "omni-sandbox"
"""On every container of ours; whose it is, its name says."""
_NAME = "omni-"


@dataclass(frozen=True)
class Engine:
    program: Path

    def ask(self, *argv: str, stdin: bytes = b"") -> str:
        """One question. Raises OmniError with the answer when it refuses, and when it does not answer in a minute."""
        try:
            done = subprocess.run([self.program, *argv], input=stdin, capture_output=True, timeout=60, check=True)
        except subprocess.TimeoutExpired as error:
            raise OmniError(UNAVAILABLE, "the container engine does not answer") from error
        except subprocess.CalledProcessError as error:
            fix = "Start the engine (`systemctl start docker`) and join the group `docker`."
            raise OmniError(UNAVAILABLE, error.stderr.decode(errors="replace").strip(), fix=fix) from error
        return done.stdout.decode().strip()

    def plain(self) -> tuple[str, ...]:
        """Options of `run` against what only this engine adds: writable folders, and variables."""
        own = ("--read-only-tmpfs=false", "--unsetenv", "TERM", "--unsetenv", "container")
        return own if self.program.name == "podman" else ()

    def has(self, image: str) -> bool:
        return bool(self.ask("images", "--quiet", "--", image))

    def remove(self, name: str) -> None:
        with suppress(OmniError):
            self.ask("rm", "--force", "--volumes", name)

    def sweep(self) -> None:
        """Remove the containers of Omni processes that are gone (after a `kill -9`)."""
        for name in self.ask("ps", "--all", "--filter", f"label={LABEL}", "--format", "{{.Names}}").splitlines():
            if not cgroup.lives(name.removeprefix(_NAME).rpartition("-")[0]):
                self.remove(name)


def find() -> Engine:
    """The first engine that answers, with no containers of dead Omni processes. Raises OmniError when none does."""
    engines = [Engine(Path(found)) for name in PROGRAMS if (found := shutil.which(name))]
    if not engines:
        why = "neither `docker` nor `podman` is installed"
        raise OmniError(UNAVAILABLE, why, fix="Install Docker Engine 20.10 or Podman 4.3, or newer.")
    problems: list[OmniError] = []
    for engine in engines:
        try:
            engine.ask("version", "--format", "{{.Server.Version}}")
        except OmniError as problem:
            problems.append(problem)
        else:
            engine.sweep()
            return engine
    raise problems[0]


def new_name() -> str:
    """For a container of this process."""
    return f"{_NAME}{cgroup.owner()}-{uuid7().replace('-', '')}"


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[list[str]]:
    """The options that set the variables inside. Values are not on the command line, which every user of the machine
    can read, nor in the environment of the client, which would obey some of them.

    Raises OmniError for a value of several lines: the engine reads one a line.
    """
    if odd := next((key for key, value in variables.items() if "\n" in f"{key}{value}"), ""):
        raise OmniError(NOT_STARTED, f"the variable {odd!r} has several lines, which no container can be given")
    with NamedTemporaryFile("w", prefix="omni-environment-", encoding="utf-8") as file:  # it has mode 0600
        file.writelines(f"{key}={value}\n" for key, value in variables.items())
        file.flush()
        yield ["--env-file", file.name]
