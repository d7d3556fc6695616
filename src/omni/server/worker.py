"""The one worker of the gate engine: from a job to its verdict."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from omni.kernel.errors import OmniError
from omni.kernel.files import write_atomic
from omni.kernel.settings import Settings
from omni.server import forge as forges
from omni.server.archive import unpack
from omni.server.config import Forge, GateConfig
from omni.server.jobs import ATTEMPTS, Job, Jobs
from omni.server.repositories import allowed_path, allowed_url, fetch
from omni.verify import repository
from omni.verify.check import Tier
from omni.verify.engine import Options, verify
from omni.verify.gate import Reason, decide, gates
from omni.verify.outputs import render

if TYPE_CHECKING:
    from omni.verify.engine import CheckEvent
    from omni.verify.report import Report

_LOG = logging.getLogger("omni.server")
DEADLINES = {1: 30.0, 2: 120.0, 3: 80.0}
"""Seconds a tier; with fetching, it stays under five minutes. What misses it is incomplete, and does not pass."""
UPLOAD = "upload"
"""Name of the archive in the job's folder."""


@dataclass
class Worker:
    jobs: Jobs
    config: GateConfig
    settings: Settings
    public: str = ""
    """URL under which people reach the engine, for links."""
    problem: str = ""
    """Why the last job could not be worked on, by no fault of its own; empty once one could."""
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Take jobs until `stop`. A job that ends this process is tried again, three times in all."""
        while not self._stop.is_set():
            job = None
            try:
                job = self.jobs.take()
                if job is None:
                    self.jobs.ready.wait(0.5)
                    continue
                self._do(job)
                self.problem = ""
            except Exception as problem:  # a bug is told as this job's result, and the next one is taken
                _LOG.exception("job %s", job.id if job else "none")
                self.problem = f"{type(problem).__name__}: {problem}"
                self._give_up(job)

    def _give_up(self, job: Job | None) -> None:
        """Tell of a fault of Omni where that can be told: a full disk takes no verdict either."""
        try:
            if job is not None:
                self._refuse(job, f"a fault of Omni: {self.problem}", "Report it, with the job's id.")
        except Exception as problem:  # the thread must live; `/health` says why nothing is done
            self.problem = f"{type(problem).__name__}: {problem}"
        self._stop.wait(0.5)

    def stop(self) -> None:
        self._stop.set()
        self.jobs.ready.set()

    def _do(self, job: Job) -> None:
        started = time.monotonic()
        if job.attempts > ATTEMPTS:
            self._refuse(job, f"the engine ended {ATTEMPTS} times while it ran", "Send less, or see the engine's log.")
            return
        self.jobs.tell(job.id, "started", attempt=job.attempts)
        host = self._forge(job)
        if host:
            self._answer(host, job, job.source.commit, "")
        try:
            with tempfile.TemporaryDirectory(prefix="omni-gate-", ignore_cleanup_errors=True) as scratch:
                root, commit = self._prepare(job, Path(scratch), host)
                report = self._verify(job, root)
        except OmniError as problem:
            self._refuse(job, f"{problem.kind.title}: {problem.why}", problem.fix)
            return
        done = self._conclude(job, report, time.monotonic() - started)
        if host:
            self._answer(host, done, commit, render(report, "comment"))

    def _prepare(self, job: Job, scratch: Path, host: Forge | None) -> tuple[Path, str]:
        """(the folder to verify, the commit if there is one). Raises OmniError."""
        source, files = job.source, scratch / "files"
        files.mkdir()
        if source.kind == "archive":
            return unpack(self.jobs.folder(job.id) / UPLOAD, files), ""
        if source.kind == "path":
            folder = allowed_path(source.place, self.config.paths)
            if not source.commit:
                return folder, ""
            commit = repository.commit(folder, source.commit)
            repository.export(folder, commit, files)
            return files, commit
        hosts = {*self.config.hosts, *(each.host for each in self.config.forges)}
        insecure = {each.host for each in self.config.forges if each.insecure}
        url = allowed_url(source.place, hosts, insecure)
        self.jobs.tell(job.id, "fetching", url=url, commit=source.commit)
        return files, fetch(url, source.commit, scratch, files, forges.header(host) if host else "")

    def _verify(self, job: Job, root: Path) -> Report:
        def told(event: CheckEvent) -> None:
            status = str(event.result.status) if event.result else ""
            self.jobs.tell(job.id, f"check.{event.kind}", check=event.check, message=event.message, status=status)

        deadlines = {
            tier: min(seconds, DEADLINES.get(tier, seconds)) for tier, seconds in self.settings.tier_deadlines.items()
        }
        settings = self.settings.model_copy(update={"tier_deadlines": deadlines})
        tiers: tuple[Tier, ...] = (1, 2, 3)
        report = verify(root, Options(tiers=tiers[: job.tier]), settings, told)
        return report.model_copy(update={"target": job.source.place or "archive"})

    def _conclude(self, job: Job, report: Report, seconds: float) -> Job:
        write_atomic(self.jobs.folder(job.id) / "report.json", report.model_dump_json(), 0o600)
        decision = decide(report, gates()[job.gate])
        done = self.jobs.update(
            job,
            state="done",
            verdict=report.verdict,
            passed=decision.passed,
            reasons=decision.reasons,
            seconds=round(seconds, 2),
        )
        self._end(done)
        return done

    def _refuse(self, job: Job, what: str, fix: str) -> None:
        """There is no report, so it did not pass."""
        reason = Reason(what=what, where=job.source.place, fix=fix)
        done = self.jobs.update(job, state="done", verdict="incomplete", passed=False, reasons=(reason,))
        self._end(done)
        if host := self._forge(done):
            self._answer(host, done, done.source.commit, "")

    def _end(self, job: Job) -> None:
        (self.jobs.folder(job.id) / UPLOAD).unlink(missing_ok=True)
        self.jobs.tell(job.id, "ended", verdict=job.verdict, passed=job.passed, reasons=len(job.reasons))

    def _forge(self, job: Job) -> Forge | None:
        origin = job.origin
        return next((each for each in self.config.forges if origin and each.host == origin.host), None)

    def _answer(self, host: Forge, job: Job, commit: str, comment: str) -> None:
        link = f"{self.public}/v1/jobs/{job.id}" if self.public else ""
        if problem := forges.answer(host, job, commit, comment, link):
            self.jobs.tell(job.id, "not-posted", why=problem)
