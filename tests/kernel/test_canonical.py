from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.kernel.canonical import JsonValue, digest, dumps

_TEXT = st.text(st.characters(codec="utf-8"))
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT
_JSON = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner), max_leaves=20)


def _shuffled(value: object) -> object:
    if isinstance(value, dict):
        items = [(key, _shuffled(inner)) for key, inner in value.items()]
        random.shuffle(items)
        return dict(items)
    return [_shuffled(inner) for inner in value] if isinstance(value, list) else value


@given(_JSON)
def test_reading_and_writing_are_inverse_and_the_order_of_keys_does_not_matter(value: JsonValue) -> None:
    written = dumps(value)
    assert json.loads(written) == value
    assert dumps(json.loads(written)) == written
    assert digest(_shuffled(value)) == digest(value)  # type: ignore[arg-type]


def test_the_bytes_are_these() -> None:
    assert (
        dumps({"b": [1, 2.5, None, True], "a": 'π "x"\n', "": {}})
        == '{"":{},"a":"π \\"x\\"\\n","b":[1,2.5,null,true]}'.encode()
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_json_can_not_say_is_refused(value: JsonValue) -> None:
    with pytest.raises(ValueError, match=r"JSON|surrogates"):
        dumps(value)
