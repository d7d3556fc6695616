from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.fuzzing.guest import HungError, broken, executions, failure, minimised, places, same


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_what_is_made_smaller_still_fails_and_no_byte_can_go(before: bytes, middle: bytes, after: bytes) -> None:
    def fails(data: bytes) -> bool:
        return b"a" in data and b"b" in data

    small = minimised(fails, before + b"a" + middle + b"b" + after)
    assert sorted(small) == sorted(b"ab")


def breaks(data: bytes) -> None:
    if data == b"index":
        b""[0]
    if data == b"value":
        raise ValueError(data)
    while data == b"hang":
        pass


def test_failures_are_told_apart() -> None:
    index, value = failure(breaks, b"index"), failure(breaks, b"value")
    assert isinstance(index, IndexError)
    assert isinstance(value, ValueError)
    assert failure(breaks, b"fine") is None
    assert same(index, failure(breaks, b"index"))
    assert not same(index, value)
    assert not same(index, None)
    assert places(index)[0][0] == __file__


def test_a_hang_is_a_failure() -> None:
    assert isinstance(failure(breaks, b"hang", 0.05), HungError)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("#2\tINITED\n#65536\tpulse  cov: 3\n", 65536),
        ("#65536\tpulse\nstat::number_of_executed_units: 70000\n", 70000),
        ("Traceback", 0),
    ],
)
def test_executions(said: str, number: int) -> None:
    assert executions(said) == number


SAID = """#2\tINITED cov: 3
 === Uncaught Python exception: ===
MemoryError
Traceback (most recent call last):
==12== ERROR: libFuzzer: fuzz target exited
stat::number_of_executed_units: 70000
"""


def test_what_breaks_nothing_again_has_the_words_of_the_fuzzer(tmp_path: Path) -> None:
    (tmp_path / "crash-1").write_bytes(b"fine")
    (tmp_path / "crash-2").write_bytes(b"value")
    once, again = (broken(breaks, tmp_path / name, SAID) for name in ("crash-1", "crash-2"))
    assert (once["error"], once["places"]) == ("crash, only seen by the fuzzer itself", [])
    assert "".join(once["stack"]) == "\n".join(SAID.split("\n")[1:5]) + "\n"
    assert again["stack"][-1] == "ValueError: b'value'\n"
