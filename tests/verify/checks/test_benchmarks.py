"""Both trees really run in the sandbox. Where seconds are compared the benchmark prints fixed ones; counts are real."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.verify import machine
from omni.verify.report import CheckResult, Status

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
