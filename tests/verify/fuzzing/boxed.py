"""In the place of the sandbox: what is asked of it is kept, and what it answers is the test's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from omni.sandbox.job import Job, JobResult, Limits
from omni.verify.check import Context
from omni.verify.fuzzing.engine import OUT
from omni.verify.fuzzing.guest import Report
from omni.verify.tools import Tools

REPORT: Report = {
    "built": True, "exit_code": 0, "executions": 40, "seconds": 1.5, "inputs": 2, "slowest": 0.0, "slow": "",
    "broken": [], "said": "",
}  # fmt: skip


@dataclass
class Box:
    """In the place of the sandbox."""

    answers: list[Report | JobResult] = field(default_factory=list)
    """Reports that are left, or how a job ends that leaves none; the last one is for all that follow."""
    leaves: dict[str, bytes] = field(default_factory=dict)
    """Files of the corpus that come back."""
    jobs: list[Job] = field(default_factory=list)
    node: Path = Path("/tools/jazzer/node_modules")

    def job(
        self, _context: Context, argv: tuple[str, ...], env: Mapping[str, str], *, tools: object = None, timeout: float
    ) -> Job:
        return Job(argv, Path("/project"), {"PATH": "/usr/bin", **env}, limits=Limits(wall=timeout))

    def tools(self, _toolset: str) -> Tools:
        return Tools(self.node, (self.node / ".bin", Path("/usr/bin")))

    def run_job(self, job: Job) -> JobResult:
        self.jobs.append(job)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, JobResult):
            return answer
        assert job.into is not None
        for name, data in self.leaves.items():
            path = job.into / OUT / "corpus" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (job.into / OUT).mkdir(parents=True, exist_ok=True)
        (job.into / OUT / "report.json").write_text(json.dumps(answer))
        return JobResult(0, "exited", "", "", False, 1.0, "full")
