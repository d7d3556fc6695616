"""Who gets one's own GPUs: which models are loaded, what waits, what is unloaded. Pure: the time comes in as seconds.

A job needs a model. Is it loaded with a place free, the job starts; is there room, the model is loaded; can room be
made of models that nobody uses, or for a critical job of models whose jobs are not critical, it is made; else the job
waits: critical ones first, then the most urgent, among equals the oldest. A model that nobody used for ten minutes is
unloaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from omni.models.wire import Model

IDLE = 600.0
"""Seconds after which a model that nobody uses is unloaded."""


class Gpu(Model):
    name: str
    free_gb: float
    """GiB that models of this scheduler may take: what the card has, less what others use."""
    jobs: int = 1
    """That a model loaded there serves at a time; one that lies on several GPUs: the fewest of theirs."""


class Job(Model):
    id: str
    model: str
    vram_gb: float
    """GiB that the model takes."""
    priority: int = 0
    """Higher is more urgent."""
    critical: bool = False
    """It takes the place of jobs that aren't, and nobody takes its own."""


class Action(Model):
    """What is to be done, or to be told, in this order."""

    kind: Literal["load", "unload", "start", "preempt", "queue", "refuse"]
    model: str
    job: str = ""
    why: str = ""


@dataclass
class Loaded:
    """A model in memory: how much of which GPU it takes, who uses it, and since when nobody does."""

    model: str
    parts: dict[str, float]
    jobs: dict[str, Job] = field(default_factory=dict)
    idle_since: float = 0.0


@dataclass
class State:
    """Everything that a scheduler knows; data, so that it can be kept and taken up again."""

    loaded: dict[str, Loaded] = field(default_factory=dict)
    waiting: dict[str, Job] = field(default_factory=dict)
    arrived: dict[str, int] = field(default_factory=dict)
    """Job → its place in line, which it keeps when another takes its GPU."""
    arrivals: int = 0


class Scheduler:
    """Every method returns what to do."""

    def __init__(self, gpus: Iterable[Gpu], idle: float = IDLE, state: State | None = None) -> None:
        self._gpus = tuple(gpus)
        self._idle = idle
        self.state = state or State()

    def submit(self, job: Job, now: float) -> list[Action]:
        """A new job: it starts, waits, or is refused because all GPUs together are too small."""
        whole = sum(gpu.free_gb for gpu in self._gpus)
        if job.vram_gb > whole:
            why = f"it needs {job.vram_gb:g} GB, and the GPUs have {whole:g} GB for it"
            return [Action(kind="refuse", model=job.model, job=job.id, why=why)]
        self.state.arrivals += 1
        self.state.arrived[job.id] = self.state.arrivals
        self.state.waiting[job.id] = job
        done = self._serve(now)
        if job.id in self.state.waiting:
            ahead = self.waiting().index(job.id)
            done.append(Action(kind="queue", model=job.model, job=job.id, why=f"the GPUs are taken; {ahead} before it"))
        return done

    def finish(self, job_id: str, now: float) -> list[Action]:
        """A job is over, or does not wait any more."""
        self.state.waiting.pop(job_id, None)
        self.state.arrived.pop(job_id, None)
        for loaded in self.state.loaded.values():
            if loaded.jobs.pop(job_id, None) and not loaded.jobs:
                loaded.idle_since = now
        return self._serve(now)

    def tick(self, now: float) -> list[Action]:
        """Time has passed: models that were idle for too long go."""
        stale = [each for each in self.state.loaded.values() if not each.jobs and now - each.idle_since >= self._idle]
        return [self._unload(each, f"idle for {now - each.idle_since:.0f} s") for each in stale] + self._serve(now)

    def failed(self, job_id: str, now: float) -> list[Action]:
        """The model of a running job could not be loaded: that job is over, others of the model wait again."""
        gone = self.state.loaded.pop(self.running()[job_id])
        del gone.jobs[job_id], self.state.arrived[job_id]
        self.state.waiting |= gone.jobs
        return self._serve(now)

    def waiting(self) -> list[str]:
        """Ids of the jobs that wait, next one first."""
        return [job.id for job in sorted(self.state.waiting.values(), key=self._turn)]

    def running(self) -> dict[str, str]:
        """Job → model."""
        return {job: loaded.model for loaded in self.state.loaded.values() for job in loaded.jobs}

    def loaded(self) -> dict[str, dict[str, float]]:
        """Model → GPU → GiB."""
        return {loaded.model: dict(loaded.parts) for loaded in self.state.loaded.values()}

    def _turn(self, job: Job) -> tuple[bool, int, int]:
        """Critical ones first, then the most urgent, then the oldest."""
        return not job.critical, -job.priority, self.state.arrived[job.id]

    def _serve(self, now: float) -> list[Action]:
        """Start the jobs that wait, in order, until one can't: a later one must not take the room it waits for."""
        done: list[Action] = []
        while self.state.waiting:
            job = min(self.state.waiting.values(), key=self._turn)
            started = self._start(job, now)
            if not started:
                break
            del self.state.waiting[job.id]
            done += started
        return done

    def _start(self, job: Job, now: float) -> list[Action]:
        """What starts it; nothing when it has to wait."""
        done: list[Action] = []
        if job.model not in self.state.loaded:
            done += self._make_room(job, now)
            parts = self._fit(job.vram_gb)
            if parts is None:
                return []
            self.state.loaded[job.model] = Loaded(job.model, parts, idle_since=now)
            done.append(Action(kind="load", model=job.model, job=job.id))
        loaded = self.state.loaded[job.model]
        if len(loaded.jobs) >= self._places(loaded):
            weaker = next((each for each in loaded.jobs.values() if job.critical and not each.critical), None)
            if weaker is None:
                return []
            done.append(self._preempt(loaded, weaker, job))
        loaded.jobs[job.id] = job
        return [*done, Action(kind="start", model=job.model, job=job.id)]

    def _places(self, loaded: Loaded) -> int:
        return min((gpu.jobs for gpu in self._gpus if gpu.name in loaded.parts), default=1)

    def _make_room(self, job: Job, now: float) -> list[Action]:
        """Unload idle models, the longest idle first, and for a critical job others too; nothing if it is no use."""
        idle = sorted((each for each in self.state.loaded.values() if not each.jobs), key=lambda each: each.idle_since)
        used = [each for each in self.state.loaded.values() if each.jobs]
        weaker = [each for each in used if job.critical and not any(other.critical for other in each.jobs.values())]
        going: list[Loaded] = []
        for candidate in [*idle, *weaker]:
            if self._fit(job.vram_gb, without=going) is not None:
                break
            going.append(candidate)
        if self._fit(job.vram_gb, without=going) is None:
            return []
        done: list[Action] = []
        for each in going:
            done += [self._preempt(each, other, job) for other in list(each.jobs.values())]
            done.append(self._unload(each, f"room for {job.model}, idle for {now - each.idle_since:.0f} s"))
        return done

    def _preempt(self, loaded: Loaded, weaker: Job, job: Job) -> Action:
        self.state.waiting[weaker.id] = loaded.jobs.pop(weaker.id)
        return Action(kind="preempt", model=loaded.model, job=weaker.id, why=f"{job.id} is critical")

    def _unload(self, loaded: Loaded, why: str) -> Action:
        del self.state.loaded[loaded.model]
        return Action(kind="unload", model=loaded.model, why=why)

    def _fit(self, size: float, without: Iterable[Loaded] = ()) -> dict[str, float] | None:
        """Where a model of this size goes: into the fullest GPU that has room, else over several; None: nowhere."""
        gone = {each.model for each in without}
        free = {gpu.name: gpu.free_gb for gpu in self._gpus}
        for loaded in self.state.loaded.values():
            for name in loaded.parts.keys() & free if loaded.model not in gone else ():  # it may not be declared now
                free[name] = max(0.0, free[name] - loaded.parts[name])
        if whole := [name for name in free if free[name] >= size]:
            return {min(whole, key=lambda name: free[name]): size}
        parts: dict[str, float] = {}
        for name in sorted(free, key=lambda name: -free[name]):
            if rest := min(free[name], size - sum(parts.values())):
                parts[name] = rest
        return parts if sum(parts.values()) >= size else None
