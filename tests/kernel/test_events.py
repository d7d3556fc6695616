from __future__ import annotations

import threading

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from omni.kernel.events import append, replay

_TEXT = st.text(st.characters(codec="utf-8"), max_size=10)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)


def test_replay_continues_after_an_id(engine: Engine) -> None:
    ids = [append(engine, run, "stage.started", {"n": n}) for n, run in enumerate(["a", "b", "a", ""])]
    assert ids == sorted(ids)
    assert [(event.run_id, event.kind, event.data) for event in replay(engine)] == [
        ("a", "stage.started", {"n": 0}),
        ("b", "stage.started", {"n": 1}),
        ("a", "stage.started", {"n": 2}),
        ("", "stage.started", {"n": 3}),
    ]
    assert [event.id for event in replay(engine, after=ids[1])] == ids[2:]
    assert [event.id for event in replay(engine, "a")] == [ids[0], ids[2]]
    assert [event.id for event in replay(engine, "a", after=ids[0], limit=1)] == [ids[2]]
    assert replay(engine)[0].at.tzinfo is not None


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.dictionaries(_TEXT, _JSON, max_size=3))
def test_any_json_comes_back_as_it_was(engine: Engine, data: dict[str, None]) -> None:
    number = append(engine, "r", "k", data)
    assert replay(engine, after=number - 1, limit=1)[0].data == data


def test_a_reader_never_misses_an_event_of_concurrent_writers(engine: Engine) -> None:
    writers, each = 4, 15

    def write() -> None:
        for _ in range(each):
            append(engine, "r", "k", {})

    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    while len(seen) < writers * each:
        alive = any(thread.is_alive() for thread in threads)
        new = [event.id for event in replay(engine, after=seen[-1] if seen else 0)]
        seen += new
        if not alive and not new:
            break
    for thread in threads:
        thread.join()
    assert seen == [event.id for event in replay(engine)]
    assert len(seen) == writers * each
