"""Results of engines, kept and compared."""

from __future__ import annotations

from inline_snapshot import snapshot
from sqlalchemy import Engine

from omni.agents.engines.contract import Ended, EngineResult
from omni.agents.engines.results import KIND, Figures, choose, figures, keep
from omni.kernel import events
from omni.models.wire import Usage


def _ran(engine: str, tokens: int, ended: Ended = "done") -> EngineResult:
    return EngineResult(engine=engine, version="1", ended=ended, usage=Usage(prompt=tokens), seconds=tokens / 100)


def test_results_are_summed_by_kind_and_engine(engine: Engine) -> None:
    keep(engine, "run-1", "bugfix", _ran("aider", 100), passed=True)
    keep(engine, "run-2", "bugfix", _ran("aider", 300), passed=False)
    keep(engine, "run-3", "bugfix", _ran("aider", 200, "budget"), passed=True)
    keep(engine, "run-3", "feature", _ran("native", 50), passed=True)
    events.append(engine, "run-4", KIND, {"of": "an older Omni"})
    events.append(engine, "run-4", "run.created", {})
    assert [each.model_dump() for each in figures(engine)] == snapshot(
        [
            {"engine": "aider", "kind": "bugfix", "runs": 3, "passed": 1, "tokens": 200, "seconds": 2.0},
            {"engine": "native", "kind": "feature", "runs": 1, "passed": 1, "tokens": 50, "seconds": 0.5},
        ]
    )


def _did(engine: str, runs: int, passed: int, tokens: int = 100, kind: str = "bugfix") -> Figures:
    return Figures(engine=engine, kind=kind, runs=runs, passed=passed, tokens=tokens, seconds=1)


def test_the_one_that_did_such_tasks_best_is_chosen() -> None:
    found = [
        _did("native", 10, 6),
        _did("aider", 10, 8),
        _did("cline", 10, 8, tokens=90),
        _did("lucky", 2, 2),
        _did("gone", 10, 10),
        _did("opencode", 10, 10, kind="feature"),
    ]
    here = ["native", "aider", "cline", "lucky", "opencode"]
    assert choose(found, "bugfix", here, "native") == "cline"
    assert choose(found, "feature", here, "native") == "opencode"
    assert choose(found, "refactor", here, "native") == "native"
    assert choose([_did("aider", 3, 3), _did("native", 3, 3, tokens=900)], "bugfix", here, "native") == "native"
    assert choose([_did("aider", 3, 0)], "bugfix", here, "native") == "aider"
