from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from omni.kernel.settings import Settings
from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]

PARSER = """def parse(data: bytes) -> int:
    if data[:2] == b"PN":
        return data[2]
    return 0
"""
HARNESS = """import sys

import atheris

with atheris.instrument_imports():
    from app.parser import parse


def target(data: bytes) -> None:
    parse(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
"""
FILES = {
    "src/app/__init__.py": "",
    "src/app/parser.py": PARSER,
    "fuzz/fuzz_parser.py": HARNESS,
    "fuzz/corpus/parser/long": "PNxyzzy and more of it",
    "omni.toml": "[verify.fuzzing]\nseconds = 3\n",
}


@pytest.mark.host
@pytest.mark.slow
def test_a_planted_crash_is_found_made_small_kept_and_tried_again(look: Look, settings: Settings) -> None:
    result = look("fuzzing", FILES)
    (finding,) = result.findings
    assert (finding.rule, finding.severity, finding.path, finding.line) == ("broken", "error", "src/app/parser.py", 3)
    assert finding.message.startswith(
        "IndexError: index out of range, by fuzz/fuzz_parser.py, with the input b'PN' (2 b"
    )
    (kept,) = (settings.home / "cache" / "checks" / "fuzzing").rglob("crash-*")
    assert kept.read_bytes() == b"PN"
    assert str(kept) in finding.fix
    again = look("fuzzing", {"fuzz/corpus/parser/long": "nothing"})
    assert again.metrics["fuzzing.executions"] < 10
    assert again.findings[0].line == 3


@pytest.mark.host
@pytest.mark.slow
def test_clean_twin(look: Look) -> None:
    result = look("fuzzing", FILES | {"src/app/parser.py": PARSER.replace("data[2]", "len(data)")})
    assert (result.status, result.findings) == (Status.PASS, ())
    assert result.metrics["fuzzing.executions"] > 100
    assert result.metrics["fuzzing.broken"] == 0


@pytest.mark.host
@pytest.mark.slow
def test_a_harness_that_does_not_start_is_incomplete(look: Look) -> None:
    result = look("fuzzing", FILES | {"fuzz/fuzz_parser.py": "import atheris\nimport nothing_of_that_name\n"})
    assert result.status is Status.INCOMPLETE
    assert "executed 0 inputs and ended with exit code 1" in result.reason
    assert "nothing_of_that_name" in result.reason


def test_no_target(look: Look, root: Path) -> None:
    assert look("fuzzing", {"fuzz/notes.py": "x = 1\n"}).status is Status.SKIPPED
    assert root.is_dir()
