from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.fuzzing.guest import (
    HungError,
    Report,
    broken,
    executions,
    failure,
    main,
    minimised,
    places,
    same,
)


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


ATHERIS = '''"""What a harness asks of Atheris: it tries the inputs of its corpora, as libFuzzer does first."""
import contextlib, pathlib, sys

def Setup(argv, target, **options):
    Setup.given = argv, target

def instrument_imports(**options):
    return contextlib.nullcontext()

def instrument_func(function):
    return function

def instrument_all():
    pass

def Fuzz():
    argv, target = Setup.given
    prefix = next(each for each in argv if each.startswith("-artifact_prefix=")).partition("=")[2]
    print(" ".join(each for each in argv if each.startswith("-") and "artifact" not in each))
    tried = [path for each in argv if not each.startswith("-") for path in sorted(pathlib.Path(each).iterdir())]
    for path in tried:
        try:
            target(path.read_bytes())
        except Exception as problem:
            print(" === Uncaught Python exception: ===", type(problem).__name__)
            pathlib.Path(prefix + "crash-" + path.name).write_bytes(path.read_bytes())
            pathlib.Path(prefix + "slow-unit-" + path.name).write_bytes(b"")
            sys.exit(77)
    print(f"stat::number_of_executed_units: {len(tried)}")
'''
HARNESS = """import sys
import atheris

with atheris.instrument_imports():
    import parser_of_harness

atheris.instrument_all()

@atheris.instrument_func
def one(data):
    parser_of_harness.parse(data)

atheris.Setup(sys.argv[1:], one)
atheris.Fuzz()
"""
PARSER = """import time

def parse(data):
    if b"bad" in data:
        raise KeyError("bad")
    if data == b"slow":
        time.sleep(0.05)
"""


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A harness with its parser, a corpus to write to, and one that was there before."""
    before = set(sys.modules)
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "atheris.py").write_text(ATHERIS)
    (tmp_path / "fuzz_it.py").write_text(HARNESS)
    (tmp_path / "parser_of_harness.py").write_text(PARSER)
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "one").write_bytes(b"one")
    (tmp_path / "seeds" / "two").write_bytes(b"slow")
    monkeypatch.syspath_prepend(str(tmp_path / "library"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "library"))
    monkeypatch.setattr(sys, "argv", ["guest"])
    yield tmp_path
    for name in set(sys.modules) - before:
        if name in {"atheris", "parser_of_harness"}:
            del sys.modules[name]


def report_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """What the guest reports of the harness."""
    job = {
        "harness": f"{folder}/fuzz_it.py", "seconds": 7, "corpora": [f"{folder}/new/corpus", f"{folder}/seeds"],
        "found": f"{folder}/new/found", "report": f"{folder}/report.json",
    }  # fmt: skip
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(job)))
    main()
    report: Report = json.loads((folder / "report.json").read_text())
    assert 0 <= report["seconds"] < 60
    return report


def test_a_harness_that_breaks_nothing(harness: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = report_of(harness, monkeypatch)
    assert (report["exit_code"], report["executions"], report["inputs"], report["broken"]) == (0, 2, 2, [])
    assert base64.b64decode(report["slow"]) == b"slow"
    assert 0.05 <= report["slowest"] < 10
    options = "-max_total_time=7 -timeout=10 -rss_limit_mb=1600 -print_final_stats=1"
    assert report["said"].splitlines()[0] == options


def test_what_breaks_it_is_told_with_the_smallest_input(harness: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (harness / "seeds" / "three").write_bytes(b"very bad input")
    report = report_of(harness, monkeypatch)
    (found,) = report["broken"]
    stack, places = found.pop("stack"), found.pop("places")  # type: ignore[misc]
    assert found == {
        "kind": "crash",
        "error": "KeyError: 'bad'",
        "data": base64.b64encode(b"bad").decode(),
        "original": 14,
    }
    assert stack[-1] == "KeyError: 'bad'\n"
    assert [tuple(place) for place in places[:2]] == [
        (f"{harness}/parser_of_harness.py", 5),
        (f"{harness}/fuzz_it.py", 11),
    ]
    assert (report["exit_code"], report["slowest"], report["slow"]) == (77, 0.0, "")


def test_a_harness_that_can_not_be_loaded_says_why(harness: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (harness / "parser_of_harness.py").write_text("raise ImportError('no such part')\n")
    report = report_of(harness, monkeypatch)
    assert (report["exit_code"], report["executions"], report["broken"]) == (1, 0, [])
    assert report["said"].endswith("\nImportError: no such part")
