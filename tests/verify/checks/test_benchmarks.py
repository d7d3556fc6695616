"""Both trees really run in the sandbox. Where seconds are compared the benchmark prints fixed ones; counts are real."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.verify import machine
from omni.verify.deep.base import Base
from omni.verify.deep.play import Step
from omni.verify.deep.race import Race
from omni.verify.deep.statistics import Comparison
from omni.verify.report import CheckResult, Finding, Status
from omni.verify.repository import NO_REVISION

Look = Callable[..., CheckResult]
Git = Callable[..., str]

needs_valgrind = pytest.mark.skipif(machine.find("valgrind") is None, reason="valgrind is not on this machine")

ENVIRONMENT = Path(sys.prefix)
CONFIG = '[[verify.benchmarks]]\ncommand = ["python", "bench.py"]\ncritical = ["total"]\n'
PRINTS = "import json\n\nfrom shop import SECONDS\n\nprint(json.dumps(SECONDS))\n"


def shop(total: float, other: float = 1.0) -> dict[str, str]:
    seconds = {"total": [total * 1.5, total], "other": [other]}
    return {"omni.toml": CONFIG, "bench.py": PRINTS, "shop.py": f"# The prices.\nSECONDS = {seconds!r}\n"}


@pytest.fixture
def commit(root: Path, git: Git) -> Callable[[dict[str, str]], None]:
    def write_and_commit(files: dict[str, str]) -> None:
        for path, text in files.items():
            (root / path).write_text(text)
        git("add", "-A")
        git("commit", "-q", "-m", "change")

    return write_and_commit


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (shop(1.06), ["error slower shop.py:2"]),
        (shop(1.04), []),
        (shop(0.5), []),
        (shop(1.0, 1.3), ["warning slower shop.py:2"]),
    ],
)
def test_seconds(
    found: Callable[..., list[str]], commit: Callable[..., None], now: dict[str, str], expected: list[str]
) -> None:
    commit(shop(1.0))
    assert found("benchmarks", now, environment=ENVIRONMENT) == expected


COUNT = CONFIG.replace('["total"]', '["*"]') + 'measure = "instructions"\n'
WORK = "def total():\n    for _ in range({}000):\n        pass\n\n\ntotal()\n"


@pytest.mark.host
def test_without_what_counts_nothing_is_known(
    look: Look, commit: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit({"omni.toml": COUNT, "bench.py": WORK.format(1000)})
    monkeypatch.setattr(machine, "find", lambda _name: None)
    result = look("benchmarks", {"bench.py": WORK.format(1120)}, environment=ENVIRONMENT)
    said = "valgrind is not on PATH. Type: apt install valgrind"
    assert (result.status, result.reason) == (Status.INCOMPLETE, said)


@needs_valgrind
@pytest.mark.host
@pytest.mark.slow
@pytest.mark.parametrize(("now", "blocked"), [(1120, True), (1010, False)])
def test_instructions(look: Look, commit: Callable[..., None], now: int, blocked: bool) -> None:
    """Of the whole program, the start of Python among it, which is why it takes 12 % here."""
    commit({"omni.toml": COUNT, "bench.py": WORK.format(1000)})
    result = look("benchmarks", {"bench.py": WORK.format(now)}, environment=ENVIRONMENT)
    assert [(each.path, each.line) for each in result.findings] == ([("bench.py", 2)] if blocked else [])
    assert result.reason == ""


@pytest.mark.host
@pytest.mark.slow
def test_a_new_benchmark(look: Look, commit: Callable[..., None]) -> None:
    commit({"omni.toml": CONFIG})
    result = look("benchmarks", shop(1.0), environment=ENVIRONMENT)
    assert result.status is Status.SKIPPED
    assert "can't run the benchmark, so there is nothing to compare with" in result.reason


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.parametrize(
    ("bench", "said"),
    [
        ("print('fast')\n", "it is not JSON"),
        ("print('{\"total\": [-1]}')\n", "total has -1.0 seconds"),
        ("raise SystemExit(3)\n", "failed with exit code 3"),
    ],
)
def test_what_measures_nothing(look: Look, commit: Callable[..., None], bench: str, said: str) -> None:
    commit(shop(1.0))
    result = look("benchmarks", {"bench.py": bench}, environment=ENVIRONMENT)
    assert result.status is Status.INCOMPLETE
    assert said in result.reason


def test_nothing_declared(look: Look) -> None:
    assert look("benchmarks", {"a.py": "X = 1\n"}).reason == "omni.toml declares no benchmarks"


Stage = Callable[..., list[object]]


def measured(stage: Stage, base: dict[str, float] | None, head: dict[str, float]) -> None:
    """As if each run had measured these seconds; None: it does not run."""

    def does(step: Step, work: Path) -> tuple[int, str]:
        seconds = base if step.name == "base" else head
        if seconds is None:
            return 3, "no such program\n"
        kept = work / step.out.removeprefix("/work/")
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps({name: [each] for name, each in seconds.items()}))
        return 0, ""

    stage("deep.race", does)


def shown(each: Finding) -> tuple[str, str, str, int | None, str]:
    return str(each.severity), each.rule, each.path, each.line, each.snippet


def test_what_is_critical_blocks_and_what_is_not_warns(
    look: Look, commit: Callable[..., None], stage: Stage, git: Git
) -> None:
    """At the largest change of the program: those of tests and of what is no program are not what made it slow."""
    commit({**shop(1.0), "test_shop.py": "A = 1\n", "notes.md": "a\n", "z.py": "Z = 1\n"})
    measured(stage, {"total": 1.0, "other": 1.0, "same": 1.0, "gone": 1.0}, {"total": 1.06, "other": 2.0, "same": 1.04})
    now = {
        "shop.py": "# The prices.\nimport json\n\nSECONDS = json\n",
        "z.py": "Z = 1\nY = 2\n",
        "test_shop.py": "B = 2\n" * 9,
        "notes.md": "b\n" * 99,
    }
    result = look("benchmarks", now)
    base = git("rev-parse", "HEAD")[:12]
    assert [shown(each) for each in result.findings] == [
        ("warning", "slower", "shop.py", 2, "import json"),
        ("error", "slower", "shop.py", 2, "import json"),
    ]
    assert [each.message for each in result.findings] == [
        f"other is slower than in {base}: +100.0 % (between +100.0 % and +100.0 %, 10 pairs)",
        f"total is slower than in {base}: +6.0 % (between +6.0 % and +6.0 %, 10 pairs)",
    ]
    assert (result.status, result.reason) == (Status.FAIL, "")
    assert {name: round(value, 3) for name, value in result.metrics.items()} == {
        "benchmark.other": 2.0,
        "benchmark.same": 1.04,
        "benchmark.total": 1.06,
    }


@pytest.mark.parametrize(
    ("then", "now", "place"),
    [
        ({"a.py": "A = 1\nB = 2\n"}, {"a.py": "A = 1\n"}, ("a.py", 1)),
        ({"a.py": "A = 1\n"}, {"a.py": ""}, ("a.py", 1)),
        ({}, {"b.py": "A = 1\n", "test_a.py": "A = 1\nB = 1\n"}, ("b.py", 1)),
        ({}, {"test_a.py": "A = 1\n"}, ("test_a.py", 1)),
        ({}, {"b.md": "text\n"}, ("omni.toml", 2)),
    ],
    ids=["the end is gone", "all is gone", "a new file", "a test alone", "no program"],
)
def test_where_it_became_slow(
    look: Look, commit: Callable[..., None], stage: Stage, then: dict[str, str], now: dict[str, str], place: object
) -> None:
    """Where no program changed: at the benchmark's declaration."""
    commit({**shop(1.0), **then})
    measured(stage, {"total": 1.0}, {"total": 2.0})
    (finding,) = look("benchmarks", now).findings
    assert (finding.path, finding.line) == place


def test_what_noise_can_explain_is_undecided(look: Look, commit: Callable[..., None], stage: Stage) -> None:
    """It counts against the check only where it is critical."""
    commit({**shop(1.0), "omni.toml": CONFIG + "seconds = 1\n"})
    runs = iter(range(1000))

    def does(step: Step, work: Path) -> tuple[int, str]:
        kept = work / step.out.removeprefix("/work/")
        kept.parent.mkdir(exist_ok=True)
        noise = 1.05 + (next(runs) % 7 - 3) / 10 if step.name == "head" else 1.0
        kept.write_text(json.dumps({"total": [noise], "other": [noise]}))
        return 0, ""

    stage("deep.race", does)
    result = look("benchmarks", {"shop.py": "SECONDS = {}\n"})
    assert (result.status, result.findings) == (Status.INCOMPLETE, ())
    assert result.reason.startswith("total: ")
    assert "other: " not in result.reason
    assert ": it may be more than 5% slower or not; some " in result.reason
    assert result.reason.endswith(
        " pairs of runs would tell. Raise `seconds`, let each run measure for longer, or count instructions"
    )


def test_both_trees_lie_where_the_benchmark_runs(
    look: Look, commit: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a base that git can't read is said to be so."""
    commit(shop(1.0))
    seen: list[tuple[str, str]] = []

    def run(race: Race) -> dict[str, Comparison]:
        before, after = (race.workspace / side / "shop.py" for side in ("base", "head"))
        seen.append((before.read_text(), after.read_text()))
        return {}

    monkeypatch.setattr(Race, "run", run)
    look("benchmarks", {"shop.py": "A = 1\n"})
    assert seen == [(shop(1.0)["shop.py"], "A = 1\n")]

    def unreadable(_base: Base, _into: Path) -> None:
        raise OmniError(NO_REVISION, "an object is missing")

    monkeypatch.setattr(Base, "export", unreadable)
    result = look("benchmarks", {"shop.py": "A = 2\n"})
    said = "the base commit can't be read: an object is missing"
    assert (result.status, result.reason) == (Status.INCOMPLETE, said)


def test_nothing_to_compare(look: Look, commit: Callable[..., None], stage: Stage, git: Git) -> None:
    first = look("benchmarks", shop(1.0))
    said = "there is no earlier commit to compare with"
    assert (first.status, first.reason) == (Status.SKIPPED, said)
    commit(shop(1.0))
    base = git("rev-parse", "HEAD")[:12]
    measured(stage, None, {"total": 1.0})
    said = "`python bench.py` failed with exit code 3: no such program"
    result = look("benchmarks", {"shop.py": "A = 1\n"})
    assert (result.status, result.reason) == (
        Status.SKIPPED,
        f"{base} can't run the benchmark, so there is nothing to compare with: {said}",
    )
    measured(stage, {"before": 1.0}, {"total": 1.0})
    result = look("benchmarks", {"shop.py": "A = 2\n"})
    assert (result.status, result.reason) == (
        Status.INCOMPLETE,
        f"{base} and the work tree measure nothing of the same name",
    )
