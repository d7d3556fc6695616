from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from omni.models.gpu import IDLE, Action, Gpu, Job, Scheduler

ONE = (Gpu(name="cuda:0", free_gb=24.0),)
CODER = Job(id="a", model="qwen3-coder:30b", vram_gb=19)
OSS = Job(id="b", model="gpt-oss:20b", vram_gb=14)


def told(actions: list[Action]) -> list[str]:
    return [" ".join(filter(None, (each.kind, each.job, each.model))) for each in actions]


def test_two_jobs_one_gpu() -> None:
    """The second waits and is told so; it starts when the first is over, and its model goes after 600 s."""
    gpus = Scheduler(ONE)
    assert told(gpus.submit(CODER, 0)) == ["load a qwen3-coder:30b", "start a qwen3-coder:30b"]
    (queued,) = gpus.submit(OSS, 1)
    assert (queued.kind, queued.job, queued.why) == ("queue", "b", "the GPUs are taken; 0 before it")
    assert told(gpus.finish("a", 10)) == ["unload qwen3-coder:30b", "load b gpt-oss:20b", "start b gpt-oss:20b"]
    gpus.finish("b", 20)
    assert gpus.tick(20 + IDLE - 0.1) == []
    assert told(gpus.tick(20 + IDLE)) == ["unload gpt-oss:20b"]
    assert gpus.loaded() == {}


def test_a_loaded_model_serves_again_without_loading() -> None:
    gpus = Scheduler(ONE)
    gpus.submit(CODER, 0)
    gpus.finish("a", 5)
    assert told(gpus.submit(CODER.model_copy(update={"id": "c"}), 6)) == ["start c qwen3-coder:30b"]


def test_what_can_never_fit_is_refused() -> None:
    (refused,) = Scheduler(ONE).submit(Job(id="x", model="devstral-2:123b", vram_gb=75), 0)
    assert (refused.kind, refused.why) == ("refuse", "it needs 75 GB, and the GPUs have 24 GB for it")


def test_a_model_goes_into_the_fullest_gpu_that_has_room_else_over_several() -> None:
    gpus = Scheduler((Gpu(name="big", free_gb=24), Gpu(name="small", free_gb=16)))
    gpus.submit(OSS, 0)
    assert gpus.loaded() == {"gpt-oss:20b": {"small": 14}}
    gpus = Scheduler((Gpu(name="big", free_gb=24), Gpu(name="small", free_gb=16)))
    gpus.submit(Job(id="w", model="wide", vram_gb=36), 0)
    assert gpus.loaded() == {"wide": {"big": 24, "small": 12}}


@pytest.mark.parametrize(("size", "served"), [(14, 2), (20, 3), (36, 2)], ids=["on slow", "on fast", "on both"])
def test_a_model_serves_as_many_at_a_time_as_each_gpu_where_it_lies(size: float, served: int) -> None:
    gpus = Scheduler((Gpu(name="fast", free_gb=24, jobs=3), Gpu(name="slow", free_gb=16, jobs=2)))
    for number in range(4):
        gpus.submit(Job(id=f"{number}", model="m", vram_gb=size), 0)
    assert len(gpus.running()) == served


def test_other_gpus_may_be_declared_while_models_are_loaded() -> None:
    """What was loaded where nothing is declared now takes no room, and goes in its time; a smaller one is full."""
    before = Scheduler((Gpu(name="old", free_gb=24), Gpu(name="kept", free_gb=16)))
    before.submit(CODER, 0)
    before.submit(OSS, 0)
    cards = Gpu(name="new", free_gb=24), Gpu(name="kept", free_gb=8), Gpu(name="third", free_gb=4)
    after = Scheduler(cards, state=before.state)
    done = after.submit(Job(id="c", model="another", vram_gb=26), 1)
    assert (told(done), after.loaded()["another"]) == (["load c another", "start c another"], {"new": 24, "third": 2})
    assert told(after.finish("a", 2)) == []
    assert told(after.tick(2 + IDLE)) == ["unload qwen3-coder:30b"]


def test_a_critical_job_takes_the_place_of_one_that_is_not() -> None:
    gpus = Scheduler(ONE)
    gpus.submit(CODER, 0)
    done = gpus.submit(OSS.model_copy(update={"critical": True}), 1)
    assert told(done) == [
        "preempt a qwen3-coder:30b",
        "unload qwen3-coder:30b",
        "load b gpt-oss:20b",
        "start b gpt-oss:20b",
    ]
    assert gpus.waiting() == ["a"]
    assert gpus.submit(CODER.model_copy(update={"id": "c", "critical": True}), 2)[-1].kind == "queue"
    assert gpus.waiting() == ["c", "a"]
    assert told(gpus.finish("b", 3))[-1] == "start c qwen3-coder:30b"
    assert told(gpus.finish("c", 4)) == ["start a qwen3-coder:30b"]


def test_the_most_urgent_is_next_and_among_equals_the_oldest() -> None:
    gpus = Scheduler(ONE)
    gpus.submit(CODER, 0)
    for number, priority in enumerate((0, 5, 0, 5)):
        gpus.submit(OSS.model_copy(update={"id": f"w{number}", "priority": priority}), 1)
    assert gpus.waiting() == ["w1", "w3", "w0", "w2"]
    gpus.finish("w3", 2)
    assert gpus.waiting() == ["w1", "w0", "w2"]


def test_a_model_that_could_not_be_loaded_makes_room_for_the_next() -> None:
    gpus = Scheduler(ONE)
    gpus.submit(CODER, 0)
    gpus.submit(OSS, 0)
    assert told(gpus.failed("a", 1)) == ["load b gpt-oss:20b", "start b gpt-oss:20b"]
    assert (gpus.running(), gpus.waiting()) == ({"b": "gpt-oss:20b"}, [])


SIZES = {"small": 4.0, "middle": 9.0, "large": 15.0, "wide": 22.0}
CARDS = (Gpu(name="one", free_gb=16, jobs=3), Gpu(name="two", free_gb=10, jobs=2))


class Machine(RuleBasedStateMachine):
    """Any jobs at any times: what the actions say is what the scheduler holds, and no rule is ever broken."""

    def __init__(self) -> None:
        super().__init__()
        self.gpus = Scheduler(CARDS)
        self.now = 0.0
        self.jobs: dict[str, Job] = {}
        self.running: dict[str, str] = {}
        self.loaded: dict[str, float] = {}
        """Model → since when nobody uses it."""

    @rule(model=st.sampled_from(sorted(SIZES)), priority=st.integers(0, 2), critical=st.booleans())
    def submit(self, model: str, priority: int, critical: bool) -> None:
        job = Job(id=f"j{len(self.jobs)}", model=model, vram_gb=SIZES[model], priority=priority, critical=critical)
        self.jobs[job.id] = job
        self.follow(self.gpus.submit(job, self.now))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(sorted(self.running)))
        self.leave(job)
        del self.jobs[job]
        self.jobs[f"{job} is over"] = Job(id="-", model="-", vram_gb=0)
        self.follow(self.gpus.finish(job, self.now))

    @rule(seconds=st.floats(0, 900))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        stale = {model for model, since in self.loaded.items() if self.idle(model) and self.now - since >= IDLE}
        done = self.gpus.tick(self.now)
        assert stale <= {each.model for each in done if each.kind == "unload"}
        self.follow(done)

    def idle(self, model: str) -> bool:
        return model not in self.running.values()

    def leave(self, job: str) -> None:
        self.loaded[self.running.pop(job)] = self.now

    def follow(self, actions: list[Action]) -> None:
        for each in actions:
            if each.kind == "load":
                assert each.model not in self.loaded
                self.loaded[each.model] = self.now
            elif each.kind == "unload":
                assert self.idle(each.model)
                del self.loaded[each.model]
            elif each.kind == "start":
                assert each.model in self.loaded
                assert each.job not in self.running
                self.running[each.job] = each.model
            elif each.kind == "preempt":
                assert not self.jobs[each.job].critical
                self.leave(each.job)

    @invariant()
    def nothing_is_lost_or_done_twice(self) -> None:
        assert self.gpus.running() == self.running
        assert set(self.gpus.loaded()) == set(self.loaded)
        waiting = self.gpus.waiting()
        assert sorted([*waiting, *self.running]) == sorted(job for job in self.jobs if " " not in job)
        turns = [(not self.jobs[job].critical, -self.jobs[job].priority) for job in waiting]
        assert turns == sorted(turns)

    @invariant()
    def no_gpu_is_overfull(self) -> None:
        for gpu in CARDS:
            taken = sum(parts.get(gpu.name, 0) for parts in self.gpus.loaded().values())
            assert taken <= gpu.free_gb + 1e-9
        for model, parts in self.gpus.loaded().items():
            assert sum(parts.values()) == pytest.approx(SIZES[model])
            most = min(gpu.jobs for gpu in CARDS if gpu.name in parts)
            assert sum(running == model for running in self.running.values()) <= most

    def teardown(self) -> None:
        """Nobody starves: when the running ones end, every job has its turn."""
        for _ in range(4 * len(self.jobs) + 4):
            if not self.running:
                break
            job = next(iter(self.running))
            self.leave(job)
            del self.jobs[job]
            self.follow(self.gpus.finish(job, self.now))
        assert not self.running
        assert self.gpus.waiting() == []


TestMachine = Machine.TestCase


@given(st.lists(st.sampled_from(sorted(SIZES)), max_size=12))
def test_the_head_of_the_queue_is_never_passed(models: list[str]) -> None:
    gpus = Scheduler(CARDS)
    done: list[Action] = []
    for number, model in enumerate(models):
        done += gpus.submit(Job(id=f"{number:02}", model=model, vram_gb=SIZES[model]), 0)
    while gpus.running():
        done += gpus.finish(next(iter(gpus.running())), 1)
    assert [each.job for each in done if each.kind == "start"] == [f"{number:02}" for number in range(len(models))]
