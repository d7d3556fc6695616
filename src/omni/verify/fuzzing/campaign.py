"""One fuzz target: run in the sandbox on the corpus that was kept, and what it found kept again."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, Field, ValidationError

from omni.sandbox.job import Mount
from omni.verify.check import Context, Failed
from omni.verify.fuzzing.engine import KEPT, OUT, Engine, Target
from omni.verify.fuzzing.guest import Broken, Report
from omni.verify.report import Model, Status

PART = 1800
"""Seconds after which a long campaign keeps what it has, so that whoever ends it loses no more."""
WRONG = re.compile(
    r"^panic: |failure while|multiple definition|undefined reference|\berror\b(?!: linker command)|\bno such\b",
    re.IGNORECASE,
)


def _decodes(text: str) -> str:
    base64.b64decode(text, validate=True)
    return text


class _Broken(Model):
    kind: Literal["crash", "timeout", "oom", "leak"]
    error: str
    stack: list[str]
    places: list[tuple[str, int]]
    data: Annotated[str, AfterValidator(_decodes)]
    original: int


class _Report(Model):
    """What has to hold of a `Report`, since the program that is fuzzed might have written it."""

    built: bool
    exit_code: int
    executions: Annotated[int, Field(ge=0)]
    seconds: float
    inputs: int
    slowest: float
    slow: str
    broken: list[_Broken]
    said: str


@dataclass(frozen=True)
class Found:
    """What broke the target, with the file in which its input is kept."""

    broken: Broken
    file: Path

    @property
    def data(self) -> bytes:
        return base64.b64decode(self.broken["data"])


@dataclass(frozen=True)
class Campaign:
    context: Context
    engine: Engine
    target: Target

    @property
    def kept(self) -> Path:
        """What earlier runs found interesting; it outlives the run, so a long campaign goes on where it was."""
        project = hashlib.sha256(str(self.context.root).encode()).hexdigest()[:12]
        return self.context.cache / project / (self.target.kept or self.target.name)

    def run(self, seconds: int) -> tuple[Report, list[Found]]:
        """In parts, until something breaks it. Raises `Failed`."""
        corpus, found = self.kept / "corpus", self.kept / "broken"
        corpus.mkdir(parents=True, exist_ok=True)
        found.mkdir(exist_ok=True)
        done: list[Report] = []
        for part in parts(seconds):
            with tempfile.TemporaryDirectory(prefix="omni-fuzz-") as folder:
                done.append(self._in_sandbox(part, Path(folder)))
                for path in (each for each in Path(folder, OUT, "corpus").rglob("*") if each.is_file()):
                    shutil.copyfile(path, corpus / path.name)
            if done[-1]["broken"]:
                break
        return together(done), [self._keep(each, found) for each in done[-1]["broken"]]

    def _in_sandbox(self, seconds: int, into: Path) -> Report:
        job = self.engine.job(self.context, self.target, seconds)
        mounts = (*job.mounts, Mount(self.kept, KEPT))
        result = self.context.execution.run_job(replace(job, mounts=mounts, collect=(OUT,), into=into))
        written = into / OUT / "report.json"
        if not written.is_file():
            ended = {"memory": f"it took more than {job.limits.memory} MiB of memory"}.get(result.ended, result.ended)
            said = (result.stdout + result.stderr).strip()
            why = telling(said) if said else ended
            raise Failed(f"{self.target.path} could not be run: {why}", Status.INCOMPLETE)
        try:
            report = cast("Report", _Report.model_validate_json(written.read_bytes()).model_dump())
        except ValidationError as problem:
            first = problem.errors(include_url=False)[0]["msg"]
            raise Failed(
                f"{self.target.path} left a report that can't be read: {first}", Status.INCOMPLETE
            ) from problem
        if not report["built"]:
            raise Failed(f"{self.target.path} could not be built: {telling(report['said'])}", Status.INCOMPLETE)
        if (report["exit_code"] != 0 or not report["executions"]) and not report["broken"]:
            how = f"executed {report['executions']} inputs and ended with exit code {report['exit_code']}"
            raise Failed(f"{self.target.path} {how}: {telling(report['said'])}", Status.INCOMPLETE)
        return report

    def _keep(self, broken: Broken, folder: Path) -> Found:
        data = base64.b64decode(broken["data"])
        path = folder / f"{broken['kind']}-{hashlib.sha256(data).hexdigest()[:16]}"
        path.write_bytes(data)
        return Found(broken, path)


def parts(seconds: int) -> Iterator[int]:
    """The seconds of each part."""
    while seconds > PART:
        yield PART
        seconds -= PART
    yield seconds


def together(reports: list[Report]) -> Report:
    """The last part's, with what all of them took."""
    executions, seconds = (sum(each["executions"] for each in reports), sum(each["seconds"] for each in reports))
    return {**reports[-1], "executions": executions, "seconds": round(seconds, 1)}


def telling(said: str) -> str:
    """The first lines that say what went wrong, or else the last ones."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    wrong = [line for line in lines if WRONG.search(line)][:2]
    return " / ".join(wrong or lines[-3:])[:400] or "it said nothing"
