"""One fuzz target: run in the sandbox on the corpus that was kept, and what it found kept again."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from omni.sandbox.job import Mount
from omni.verify.check import Context, Failed
from omni.verify.fuzzing import guest
from omni.verify.fuzzing.guest import Broken, Job, Report
from omni.verify.interpreter import WORK, guest_environment
from omni.verify.report import Status

HARNESS = re.compile(r"^[ \t]*(import atheris\b|from atheris\b)", re.MULTILINE)
OUT = "reports/omni-fuzz"
KEPT = "/corpus"
START = 180.0
"""Seconds for the start, for the corpus that is known already and for making inputs smaller."""


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
    """`path` is the harness, relative to the target."""

    context: Context
    path: str

    @property
    def name(self) -> str:
        return Path(self.path).stem.removeprefix("fuzz_").removesuffix("_fuzzer")

    @property
    def kept(self) -> Path:
        """What earlier runs found interesting; it outlives the run, so a long campaign goes on where it was."""
        return self.context.cache / hashlib.sha256(str(self.context.root).encode()).hexdigest()[:12] / self.name

    def run(self, seconds: int) -> tuple[Report, list[Found]]:
        """Raises `Failed`."""
        corpus, found = self.kept / "corpus", self.kept / "broken"
        corpus.mkdir(parents=True, exist_ok=True)
        found.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="omni-fuzz-") as folder:
            report = self._in_sandbox(seconds, Path(folder))
            for path in Path(folder, OUT, "corpus").glob("*"):
                shutil.copyfile(path, corpus / path.name)
        return report, [self._keep(each, found) for each in report["broken"]]

    def _in_sandbox(self, seconds: int, into: Path) -> Report:
        execution = self.context.execution
        tools, env = guest_environment(self.context, "fuzz")
        command = ("python", "-c", Path(guest.__file__).read_text("utf-8"))
        whole = execution.job(self.context, command, env, tools=tools, timeout=seconds + START)
        seeds = [f"{WORK}/{each}" for each in self._seeds()]
        job: Job = {
            "harness": f"{WORK}/{self.path}",
            "seconds": seconds,
            "corpora": [f"{WORK}/{OUT}/corpus", f"{KEPT}/corpus", f"{KEPT}/broken", *seeds],
            "found": f"{WORK}/{OUT}/found",
            "report": f"{WORK}/{OUT}/report.json",
        }
        result = execution.run_job(
            replace(
                whole,
                mounts=(*whole.mounts, Mount(self.kept, KEPT)),
                stdin=json.dumps(job).encode(),
                collect=(OUT,),
                into=into,
            )
        )
        written = into / OUT / "report.json"
        if not written.is_file():
            said = " / ".join((result.stdout + result.stderr).split("\n")[-4:])[:400]
            raise Failed(f"{self.path} could not be run: {said or result.ended}", Status.INCOMPLETE)
        report: Report = json.loads(written.read_text("utf-8"))
        if (report["exit_code"] != 0 or not report["executions"]) and not report["broken"]:
            said = " / ".join(line for line in report["said"].splitlines()[-3:] if line.strip())
            how = f"executed {report['executions']} inputs and ended with exit code {report['exit_code']}"
            raise Failed(f"{self.path} {how}: {said[:400]}", Status.INCOMPLETE)
        return report

    def _seeds(self) -> list[str]:
        """Folders of inputs in the project, those that broke it once among them: `fuzz/corpus/<name>`."""
        folder = f"{str(Path(self.path).parent).removesuffix('.')}/corpus/{self.name}".lstrip("/")
        return [folder] if any(path.startswith(f"{folder}/") for path in self.context.inventory.by_path) else []

    def _keep(self, broken: Broken, folder: Path) -> Found:
        data = base64.b64decode(broken["data"])
        path = folder / f"{broken['kind']}-{hashlib.sha256(data).hexdigest()[:16]}"
        path.write_bytes(data)
        return Found(broken, path)
