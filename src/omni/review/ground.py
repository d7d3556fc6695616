"""Where what a model claims is tried: a copy of the project in the sandbox, with its own environment."""

from __future__ import annotations

import inspect
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from omni.review import inside
from omni.sandbox.job import Driver, Job, JobResult, Limits
from omni.sandbox.mounts import python_mounts

INSIDE = "omni_inside.py"
REPORT = "omni-report.json"
LIMITS = Limits(wall=60, memory=2048, disk=512, processes=256)
"""Of one run of one claim: a file of tests, or a script."""
NOT_COPIED = shutil.ignore_patterns(
    ".git", "__pycache__", ".venv", "venv", "node_modules", ".mypy_cache", ".ruff_cache"
)


class Lenient(BaseModel):
    """What comes out of the sandbox was written beside foreign code: it is read, and believed as far as it fits."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class TestResult(Lenient):
    __test__ = False  # it is no class of tests

    test: str
    when: str
    error: str
    """Name of the exception; empty: the test passed."""
    said: str = ""
    raised_in: str = ""
    """The file of the project in which it was raised."""


class Watched(Lenient):
    results: tuple[TestResult, ...] = ()
    lines: tuple[int, ...] = ()
    """Lines of the cited file that ran."""
    seconds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Ground:
    """`environment`: the virtual environment in which the project's tests run; it has pytest.

    Nothing here is trusted: what a model wrote runs with full isolation, or not at all.
    """

    project: Path
    environment: Path
    driver: Driver

    @contextmanager
    def copy(self, files: Mapping[str, str]) -> Iterator[Path]:
        """A copy of the project with these files added or replaced; gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="omni-ground-") as folder:
            place = Path(folder, "project")
            shutil.copytree(self.project, place, symlinks=True, ignore=NOT_COPIED)
            for path, text in {INSIDE: inspect.getsource(inside), **files}.items():
                target = place / path
                if not target.resolve().is_relative_to(place.resolve()):
                    raise ValueError(f"{path} leads out of the project")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                target.write_text(text, "utf-8")
            yield place

    def run(
        self, place: Path, argv: Sequence[str], env: Mapping[str, str], wall: float = LIMITS.wall
    ) -> tuple[JobResult, str]:
        """The command's end, and what `inside` reported; empty when it reported nothing."""
        with tempfile.TemporaryDirectory(prefix="omni-ground-") as into:
            job = Job(
                argv=tuple(argv),
                workspace=place,
                env={
                    "PATH": f"{self.environment / 'bin'}:/usr/local/bin:/usr/bin:/bin",
                    "PYTHONPATH": "/work:/work/src",
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "SECRET_KEY": "of-the-sandbox-alone-and-worth-nothing",
                    "CI": "1",
                    **env,
                },
                mounts=python_mounts(self.environment),
                limits=replace(LIMITS, wall=wall),
                collect=(REPORT,),
                into=Path(into),
            )
            result = self.driver.run(job)
            report = Path(into, REPORT)
            return result, report.read_text("utf-8", "replace") if report.is_file() else ""

    def test(self, path: str, text: str, cited: str, changed: Mapping[str, str]) -> tuple[JobResult, Watched]:
        """Run one file of tests, other files changed as given, and watch which lines of `cited` it reaches."""
        with self.copy({**changed, path: text}) as place:
            argv = (
                "python",
                "-m",
                "pytest",
                "-q",
                "-o",
                "addopts=",
                "-p",
                "no:cacheprovider",
                "-p",
                "omni_inside",
                path,
            )
            result, report = self.run(place, argv, {"OMNI_CITED": cited})
        return result, watched(report)


def watched(report: str) -> Watched:
    """Nothing where the report can't be read."""
    try:
        return Watched.model_validate_json(report)
    except ValidationError:
        return Watched()
