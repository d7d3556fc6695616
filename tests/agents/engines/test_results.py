"""Results of engines, kept and compared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from sqlalchemy import Engine

from omni.agents.engines.results import FEWEST, KIND, Choice, Figures, Result, choose, figures, keep
from omni.kernel import events


def _ran(engine: str, tokens: int, *, passed: bool, kind: str = "bugfix", model: str = "local/m") -> Result:
    return Result(
        engine=engine,
        version="1",
        kind=kind,
        model=model,
        passed=passed,
        ended="done",
        tokens=tokens,
        seconds=tokens / 100,
    )


def test_results_are_summed_by_kind_engine_and_model(engine: Engine) -> None:
    keep(engine, "run-1", _ran("aider", 100, passed=True))
    keep(engine, "run-1", _ran("aider", 900, passed=False))  # of the same run: told again after a kill
    keep(engine, "run-2", _ran("aider", 300, passed=False))
    keep(engine, "", _ran("aider", 200, passed=True, model="local/n"))
    keep(engine, "", _ran("native", 50, passed=True, kind="feature"))
    events.append(engine, "run-4", KIND, {"of": "an older Omni"})
    events.append(engine, "run-4", "run.created", {})
    assert [tuple(each.model_dump().values()) for each in figures(engine)] == snapshot(
        [
            ("aider", "bugfix", "local/m", 2, 1, 200, 2.0),
            ("aider", "bugfix", "local/n", 1, 1, 200, 2.0),
            ("native", "feature", "local/m", 1, 1, 50, 0.5),
        ]
    )


def _did(engine: str, passed: int, runs: int, tokens: int = 100, model: str = "local/m") -> Figures:
    return Figures(engine=engine, kind="bugfix", model=model, runs=runs, passed=passed, tokens=tokens, seconds=1)


HERE = ("native", "aider", "cline", "lucky")


def _chosen(*found: Figures, model: str = "auto", kind: str = "bugfix") -> Choice:
    return choose(found, kind, model, HERE, "native")


def test_the_one_of_which_most_is_proved_is_chosen_and_the_choice_explained() -> None:
    found = (_did("native", 9, 10), _did("aider", 19, 20), _did("lucky", 4, 4), _did("gone", 99, 99))
    assert _chosen(*found) == Choice(
        engine="aider",
        why="bugfix, any model: native passed 9 of 10, 60% proved; aider passed 19 of 20, 76% proved; "
        "lucky passed 4 of 4, 51% proved",
    )
    assert _chosen(*found, _did("cline", 19, 20, tokens=90)).engine == "cline"
    assert _chosen(_did("aider", 9, 10, tokens=1), _did("native", 9, 10)).engine == "native"


def test_what_is_not_proved_is_left_to_omni_s_own() -> None:
    assert _chosen(_did("aider", 8, 10), _did("lucky", 4, 4)) == Choice(
        engine="native",
        why="bugfix, any model: aider passed 8 of 10, 49% proved; lucky passed 4 of 4, 51% proved; "
        "nobody has 5 results and more than 50% proved",
    )
    assert _chosen(_did("aider", 9, 9), kind="feature").why.startswith("feature, any model: no results yet; nobody")


def test_a_named_model_is_judged_by_its_own_results() -> None:
    found = (_did("aider", 9, 9), _did("cline", 9, 9, model="hosted/n"), _did("native", 8, 8))
    assert [_chosen(*found, model=name).engine for name in ("m", "local", "local/m", "hosted", "n", "other")] == [
        "aider",
        "aider",
        "aider",
        "cline",
        "cline",
        "native",
    ]
    split = (_did("aider", 3, 3), _did("aider", 3, 3, model="hosted/n"))
    assert [_chosen(*split).engine, _chosen(*split, model="m").engine] == ["aider", "native"]


@given(st.integers(1, 400), st.data())
def test_what_is_proved_is_less_than_what_was_seen_and_grows_with_it(runs: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, runs))
    seen = _did("aider", passed, runs)
    assert 0 <= seen.proved <= passed / runs
    assert _did("aider", passed * 2, runs * 2).proved >= seen.proved
    assert _did("aider", FEWEST, FEWEST).proved > 0.5 > _did("aider", FEWEST - 1, FEWEST).proved
