"""Which runs a benchmark has, and what comes of what they measure: the runs themselves are played."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import Played, context_of

from omni.verify.check import Context, Failed
from omni.verify.deep import race as module
from omni.verify.deep.declared import Benchmark
from omni.verify.deep.play import Done, Outcome, Step
from omni.verify.deep.race import BaseFailed, Race, copy_project, is_critical

Write = Callable[[Mapping[str, str]], Path]
Measured = Callable[..., Race]


@pytest.fixture
def performed() -> list[list[Step]]:
    return []


@pytest.fixture
def measured(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, performed: list[list[Step]]) -> Measured:
    """A race in which the base takes a second, and the work tree what a test says; or one of them fails."""

    def put(head: object, fails: str = "", exit_code: int = 1, **benchmark: object) -> Race:
        def perform(_: Context, servers: object, steps: Iterable[Step], *, into: Path, **__: object) -> Outcome:
            performed.append(list(steps))
            done = []
            for step in performed[-1]:
                failed = exit_code if step.name == fails else 0
                done.append(Done(name=step.name, exit=failed, said="bad", seconds=0.5))
                written = into / (step.out or step.argv[-1]).removeprefix("/work/")
                if written.suffix == ".json":
                    seconds = head if "head" in step.name else 1.0
                    written.parent.mkdir(parents=True, exist_ok=True)
                    written.write_text(seconds if isinstance(seconds, str) else json.dumps({"total": [seconds]}))
                if failed:
                    break
            return Outcome(steps=tuple(done))

        monkeypatch.setattr(module, "perform", perform)
        played = Played()
        played.seconds_left = lambda _: 1000.0  # type: ignore[attr-defined]
        context = context_of(write({"bench.py": ""}), "benchmarks", played)
        return Race(context, Benchmark(command=("bench", "it"), **benchmark), tmp_path)  # type: ignore[arg-type]

    return put


def test_pairs_of_runs_alternate_after_one_that_warms_up(measured: Measured, performed: list[list[Step]]) -> None:
    (found,) = measured(1.0).run().values()
    assert (found.verdict, found.ratio, found.pairs) == ("fine", 1.0, 10)
    warm, runs = performed
    assert [each.name for each in warm] == ["head", "base"]
    assert [each.name for each in runs] == ["head", "base", "base", "head"] * 5
    assert [each.out for each in runs] == [f"/work/omni-deep/{number}.json" for number in range(20)]
    assert {(each.argv, each.name, each.cwd, each.env["PYTHONPATH"]) for each in runs} == {
        (("bench", "it"), side, f"/work/{side}", f"/work/{side}") for side in ("base", "head")
    }


@pytest.mark.parametrize(("seconds", "verdict"), [(1.2, "slower"), (0.8, "fine"), (1.04, "fine"), (1.06, "slower")])
def test_what_takes_too_much_longer_is_slower(measured: Measured, seconds: float, verdict: str) -> None:
    race = measured(seconds)
    found = race.run()
    assert {name: (each.verdict, round(each.ratio, 2), each.pairs) for name, each in found.items()} == {
        "total": (verdict, seconds, 10)
    }
    assert (race.before, race.after) == ({"total": [1.0] * 10}, {"total": [seconds] * 10})
    assert race.seconds == 1.0


def test_a_report_of_its_own_is_kept_from_each_run(measured: Measured, performed: list[list[Step]]) -> None:
    (found,) = measured(1.5, report="out/report.json").run().values()
    assert (found.verdict, found.pairs) == ("slower", 10)
    assert [(each.name, each.argv, each.out) for each in performed[0]] == [
        ("head", ("bench", "it"), ""),
        ("keep head", ("mv", "out/report.json", "/work/omni-deep/0.json"), ""),
        ("base", ("bench", "it"), ""),
        ("keep base", ("mv", "out/report.json", "/work/omni-deep/1.json"), ""),
    ]


@pytest.mark.parametrize("fails", ["base", "keep base"])
def test_what_the_base_can_not_run_may_be_new(measured: Measured, fails: str) -> None:
    with pytest.raises(BaseFailed, match=r"^`bench it` failed with exit code 3: bad$"):
        measured(1.0, fails, 3, report="r.json").run()


@pytest.mark.parametrize("fails", ["head", "keep head"])
def test_what_the_work_tree_can_not_run(measured: Measured, fails: str) -> None:
    with pytest.raises(Failed, match=r"^`bench it` failed with exit code 1: bad$"):
        measured(1.0, fails, report="r.json").run()


def test_what_can_not_be_read_measures_nothing(measured: Measured) -> None:
    with pytest.raises(Failed, match=r"^what the benchmark of the head wrote can't be read: "):
        measured("{").run()


def test_too_little_time_measures_nothing(measured: Measured) -> None:
    with pytest.raises(Failed, match=r"^10 pairs of runs take some 11 s, and it has 5$"):
        measured(1.0, seconds=5).run()


def test_globs_name_what_is_critical() -> None:
    benchmark = Benchmark(command=("x",), critical=("parse*", "Total"))
    assert [name for name in ("parse_all", "parse", "Total", "total", "reparse") if is_critical(benchmark, name)] == [
        "parse_all", "parse", "Total",
    ]  # fmt: skip


def test_a_copy_has_the_projects_own_files(write: Write, tmp_path: Path) -> None:
    root = write({"a.py": "a", "lib/b.txt": "b", "gone": ""})
    (root / "link").symlink_to("a.py")
    context = context_of(root, "benchmarks")
    (root / "gone").unlink()
    (root / "later").touch()
    copy_project(context, tmp_path / "in" / "copy")
    copy = tmp_path / "in" / "copy"
    assert {path.relative_to(copy).as_posix() for path in copy.rglob("*")} >= {"a.py", "lib", "lib/b.txt"}
    assert (copy / "lib/b.txt").read_text() == "b"
    assert not (copy / "gone").exists()
    assert not (copy / "later").exists()
