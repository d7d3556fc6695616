from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.verify.played import Played, context_of

from omni.sandbox.engine import Engine
from omni.sandbox.job import JobResult
from omni.verify.check import Context, Failed, Output
from omni.verify.config import ProjectConfig
from omni.verify.deep import play, supervisor
from omni.verify.deep.contained import Contained, Running
from omni.verify.deep.play import Done, Outcome, Server, Step, last_words, perform, variables
from omni.verify.report import Status

Write = Callable[[Mapping[str, str]], Path]

DATABASE = Server("db", ("db", "start"), 1, prepare=(("db", "init"),), ready=("db", "ok"), gives={"DB": "db://"})
WEB = Server("web", ("web",), 2, health="/up", seconds=5.0, env={"A": "1"}, gives={"WEB": "http://"})
OUTCOME = "omni-deep/outcome.json"


def test_what_is_performed_and_what_comes_of_it(write: Write, tmp_path: Path) -> None:
    done = {"name": "one", "exit": 0, "said": "fine", "seconds": 0.5}
    outcome = {"service": "", "said": "", "steps": [done], "logs": {"db": "up"}}
    played = Played([Output(0, "", "")], {OUTCOME: json.dumps(outcome), "reports/a.xml": "<a/>", "else": ""})
    steps = [Step("one", ("do", "it"), env={"B": "2"}), Step("two", ("x",), "/work/a", out="/work/out")]
    context = context_of(write({"a.py": ""}), "integration-tests", played)
    told = perform(context, [DATABASE, WEB], steps, into=tmp_path / "into", collect=["reports/*"])
    assert told == Outcome(steps=(Done(**done),), logs={"db": "up"})  # type: ignore[arg-type]
    assert (told.step("one"), told.step("two")) == (Done(**done), None)  # type: ignore[arg-type]
    assert (tmp_path / "into/reports/a.xml").is_file()
    assert not (tmp_path / "into/else").exists()
    ((*argv, plan),) = played.asked
    assert argv == ["python3", "-I", "-S", "-c", inspect.getsource(supervisor)]
    assert json.loads(plan) == {
        "outcome": "/work/omni-deep/outcome.json",
        "services": [
            {
                "name": "db", "prepare": [["db", "init"]], "start": ["db", "start"], "port": 1, "health": "",
                "ready": ["db", "ok"], "seconds": 60.0, "env": {}, "cwd": "/work",
            },
            {
                "name": "web", "prepare": [], "start": ["web"], "port": 2, "health": "/up",
                "ready": [], "seconds": 5.0, "env": {"DB": "db://", "A": "1"}, "cwd": "/work",
            },
        ],
        "steps": [
            {
                "name": "one", "argv": ["do", "it"], "cwd": "/work",
                "env": {"DB": "db://", "WEB": "http://", "B": "2"}, "out": "",
            },
            {
                "name": "two", "argv": ["x"], "cwd": "/work/a",
                "env": {"DB": "db://", "WEB": "http://"}, "out": "/work/out",
            },
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("left", "output", "why"),
    [
        (None, Output(1, "out", ""), "it was stopped before it was done: out"),
        (None, Output(1, "out", "x" * 300 + "y"), f"it was stopped before it was done: {'x' * 299}y"),
        (None, Output(1, "", ""), "it was stopped before it was done: it ended by exited"),
        ("[]", Output(1, "", " bad "), "it was stopped before it was done: bad"),
        ('{"service": "db", "said": "no\\nroom"}', Output(0, "", ""), "db can't be had: no / room"),
    ],
)
def test_without_an_outcome_nothing_is_known(
    write: Write, tmp_path: Path, left: str | None, output: Output, why: str
) -> None:
    played = Played([output], {} if left is None else {OUTCOME: left})
    context = context_of(write({"a.py": ""}), "integration-tests", played)
    with pytest.raises(Failed) as failed:
        perform(context, (), (), into=tmp_path / "into")
    assert (str(failed.value), failed.value.status) == (why, Status.INCOMPLETE)


@pytest.mark.parametrize(
    ("files", "roots", "path"),
    [
        ({"a.py": ""}, (), "/work"),
        ({"src/a.py": ""}, (), "/work/src:/work"),
        ({"src/a.py": "", "lib/b.py": ""}, ("lib", "more"), "/work/lib:/work/more:/work"),
    ],
)
def test_imports_work_as_if_it_were_installed(
    write: Write, files: Mapping[str, str], roots: tuple[str, ...], path: str
) -> None:
    context = context_of(write(files), "integration-tests", project=ProjectConfig(source_roots=roots))
    assert variables(context) == {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    assert variables(context, "/x")["PYTHONPATH"] == path.replace("/work", "/x")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "it said nothing"), ("\n \n", "it said nothing"), ("a\nb \n\n c\nd\n", "b / c / d"), ("x" * 501, "x" * 500)],
)
def test_last_words(text: str, words: str) -> None:
    assert last_words(text) == words


class Reaching(Played):
    """Notes which ports of the host it may reach."""

    reached: tuple[int, ...] = ()

    def seconds_left(self, _check: object) -> float:
        return 7.0

    def run_sandboxed(self, context: Context, *given: Any, **more: Any) -> JobResult:
        self.reached = context.endpoints
        return super().run_sandboxed(context, *given, **more)


def test_what_runs_in_containers_is_reached_from_inside(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Contained("redis", Engine(Path("/bin/docker")), "redis:7", 6379, {})

    class Server7:
        def logs(self) -> str:
            return "up"

    @contextmanager
    def running(services: list[Contained], wall: float) -> Iterator[Running]:
        assert (services, wall) == ([cache], 7.0)
        yield Running({"CACHE": "redis://1"}, (4001,), {"redis": Server7()})  # type: ignore[dict-item]

    monkeypatch.setattr(play, "running", running)
    played = Reaching([Output(0, "", "")], {OUTCOME: '{"logs": {"db": "ok"}}'})
    context = context_of(write({"a.py": ""}), "integration-tests", played)
    told = perform(context, [DATABASE, cache], [Step("one", ("do",))], into=tmp_path / "into")
    assert (told.logs, played.reached) == ({"db": "ok", "redis": "up"}, (4001,))
    plan = json.loads(played.asked[0][-1])
    assert [each["name"] for each in plan["services"]] == ["db"]
    assert (plan["services"][0]["env"], plan["steps"][0]["env"]) == (
        {"CACHE": "redis://1"},
        {"CACHE": "redis://1", "DB": "db://"},
    )
