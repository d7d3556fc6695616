from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.deep.measurements import BadMeasurementError, read_count, read_measurements


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"a": [3, 2.5, 4], "b": 1}, {"a": 2.5, "b": 1.0}),
        ({"benchmarks": [{"fullname": "t.py::a", "stats": {"data": [2, 1], "min": 9}}]}, {"t.py::a": 1.0}),
        ({"benchmarks": [{"name": "a", "stats": {"min": 0.5}}]}, {"a": 0.5}),
        ({"results": [{"command": "ls", "times": [0.2, 0.1]}]}, {"ls": 0.1}),
    ],
)
def test_formats(content: object, expected: dict[str, float]) -> None:
    assert read_measurements(json.dumps(content)) == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["benchmarks", "results", "stats", "data", "times", "name"]), inner, max_size=3
        )
    ),
)


@given(VALUES)
def test_anything_else_is_refused(content: object) -> None:
    try:
        found = read_measurements(json.dumps(content))
    except BadMeasurementError:
        return
    assert all(seconds > 0 for seconds in found.values())


def test_count() -> None:
    assert read_count("==7== Command: x\n==7== \n==7== I   refs:      110,563\n") == 110563
    with pytest.raises(BadMeasurementError):
        read_count("no valgrind")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is not JSON: "),
        ("[1]", "it is no object"),
        ("{}", "it names no measurement"),
        ('{"a": []}', "it names no measurement"),
        ('{"a": 0}', "a has 0.0 seconds"),
        ('{"a": [1, -1]}', "a has -1.0 seconds"),
        ('{"a": Infinity}', "a has inf seconds"),
        ('{"a": "1"}', "its seconds are no numbers"),
        ('{"a": true}', "its seconds are no numbers"),
        ('{"benchmarks": [1]}', "a benchmark in it is no object"),
        ('{"benchmarks": [{"name": "a"}]}', "a benchmark in it is no object"),
        ('{"benchmarks": [{"name": "a", "stats": {}}]}', "its seconds are no numbers"),
        ('{"results": ["a"]}', "a benchmark in it is no object"),
        ('{"results": [{"command": "a"}]}', "its seconds are no numbers"),
    ],
)
def test_why_it_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadMeasurementError) as caught:
        read_measurements(text)
    assert str(caught.value).startswith(why)


def test_the_rounds_come_before_the_least_and_the_full_name_before_the_short() -> None:
    rounds = '{"benchmarks": [{"fullname": "f", "name": "n", "stats": {"data": [3, 2], "min": 1}}]}'
    assert read_measurements(rounds) == {"f": 2.0}
    assert read_measurements('{"results": [{"command": "c", "times": [3, 2], "min": 1}]}') == {"c": 2.0}
    assert read_measurements('{"results": [{"command": "c", "min": 1}]}') == {"c": 1.0}
