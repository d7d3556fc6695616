from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from omni.kernel.settings import Settings
from omni.verify import machine
from omni.verify.check import Failed
from omni.verify.fuzzing.campaign import Campaign
from omni.verify.fuzzing.campaign import Found as Campaigned
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


def broken(data: bytes, *places: tuple[str, int]) -> dict[str, object]:
    return {
        "kind": "crash",
        "data": base64.b64encode(data).decode(),
        "original": 9,
        "error": "IndexError: out of range",
        "places": [(f"/work/{path}" if path[0] != "/" else path, line) for path, line in places],
    }


def test_each_campaign_is_reported_at_the_programs_own_innermost_line(
    look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the campaigns in the sandbox give is told here; those of one that could not run are missing, and said so."""
    reports = {
        "fuzz/fuzz_parser.py": [
            broken(
                b"PN", ("/usr/lib/json.py", 9), ("src/app/parser.py", 3), ("fuzz/fuzz_parser.py", 9), ("a", 1), ("b", 2)
            ),
            broken(b"", ("/usr/lib/json.py", 9), ("fuzz/fuzz_parser.py", 9)),
        ],
        "fuzz/more_fuzzer.py": [],
    }
    asked: list[tuple[str, int]] = []

    def run(campaign: Campaign, seconds: int) -> tuple[dict[str, object], list[Campaigned]]:
        asked.append((campaign.target.name, seconds))
        if campaign.target.path not in reports:
            raise Failed(f"{campaign.target.path} could not be run", Status.INCOMPLETE)
        found = reports[campaign.target.path]
        return {"executions": 40}, [Campaigned(each, tmp_path / "kept") for each in found]  # type: ignore[arg-type]

    monkeypatch.setattr(Campaign, "run", run)
    more = {"fuzz/more_fuzzer.py": HARNESS, "fuzz/broken_fuzzer.py": HARNESS, "fuzz/none.py": "x = 1\n"}
    result = look("fuzzing", FILES | more)
    assert asked == [("broken", 3), ("parser", 3), ("more", 3)]
    assert [(str(each.severity), each.path, each.line, each.snippet) for each in result.findings] == [
        ("error", "fuzz/fuzz_parser.py", 9, "def target(data: bytes) -> None:"),
        ("error", "src/app/parser.py", 3, "return data[2]"),
    ]
    assert [each.message.split("; ") for each in result.findings] == snapshot(
        [
            [
                "IndexError: out of range, by fuzz/fuzz_parser.py, with the input b'' (0 bytes, made smaller from 9)",
                "/usr/lib/json.py:9 ← fuzz/fuzz_parser.py:9",
            ],
            [
                "IndexError: out of range, by fuzz/fuzz_parser.py, with the input b'PN' (2 bytes, made smaller from 9)",
                "/usr/lib/json.py:9 ← src/app/parser.py:3 ← fuzz/fuzz_parser.py:9 ← a:1",
            ],
        ]
    )
    assert all(each.fix.endswith(f"It is at {tmp_path / 'kept'} now.") for each in result.findings)
    assert result.reason == "fuzz/broken_fuzzer.py could not be run"
    assert result.metrics == {"fuzzing.targets": 3, "fuzzing.executions": 80, "fuzzing.broken": 2}


C = {
    "fuzz/fuzz_it.c": "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)\n{\n  return 0;\n}\n",
    "src/it.c": "int it(int size)\n{\n  return 1 / size;\n}\n",
    "vendor/lib.c": "int lib;\n",
}


def test_a_target_whose_compiler_is_missing_was_not_run(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find", lambda _name: None)
    result = look("fuzzing-c", C)
    assert result.status is Status.INCOMPLETE
    how = "Type: apt-get install -y clang llvm libclang-rt-dev"
    assert result.reason == f"1 fuzz target in C or C++ was not run: clang is not on PATH. {how}"
    assert look("fuzzing-go", C).status is Status.SKIPPED


@pytest.mark.parametrize(
    ("kind", "error", "places", "expected"),
    [
        (
            "crash",
            "AddressSanitizer: SEGV",
            [("/work/vendor/lib.c", 1), ("/work/src/it.c", 3)],
            "broken CWE-476 src/it.c:3",
        ),
        ("crash", "division by zero", [("src/it.c", 3)], "broken CWE-369 src/it.c:3"),
        ("crash", "it.c: wrong", [("it.c", 3)], "broken CWE-20 src/it.c:3"),
        ("crash", "wrong", [("fuzz_it.c", 2)], "broken CWE-20 fuzz/fuzz_it.c:2"),
        ("timeout", "libFuzzer: timeout", [("/usr/include/x.h", 9)], "hang CWE-834 fuzz/fuzz_it.c:1"),
        ("oom", "libFuzzer: out-of-memory", [], "memory CWE-789 fuzz/fuzz_it.c:1"),
        ("leak", "3 bytes are never freed", [("/work/src/it.c", 1)], "leak CWE-401 src/it.c:1"),
        ("crash", "x", [("/work/src/it.c", 0), ("fuzz_it.c", 2)], "broken CWE-20 src/it.c:None"),
        ("crash", "", [], "broken CWE-20 fuzz/fuzz_it.c:1"),
    ],
)
def test_kinds_of_faults_are_rules_and_stand_at_the_projects_own_line(
    look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, error: str,
    places: list[tuple[str, int]], expected: str,
) -> None:  # fmt: skip
    broken = {"kind": kind, "error": error, "places": places, "data": "UE4=", "original": 2, "stack": []}
    monkeypatch.setattr(machine, "find", lambda name: Path("/usr/bin", name))
    monkeypatch.setattr(Campaign, "run", lambda *_: ({"executions": 4}, [Campaigned(broken, tmp_path / "kept")]))  # type: ignore[arg-type]
    result = look("fuzzing-c", C)
    (each,) = result.findings
    assert f"{each.rule} {each.cwe} {each.path}:{each.line}" == expected
    said = error or "crash, only seen by the fuzzer itself"
    assert each.message.startswith(f"{said}, by fuzz/fuzz_it.c, with the input b'PN' (2 bytes)")
    assert (each.check, result.metrics) == (
        "fuzzing-c", {"fuzzing.targets.c": 1, "fuzzing.executions.c": 4, "fuzzing.broken.c": 1},
    )  # fmt: skip


def test_a_place_in_java_is_found_by_its_package(look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    places = [("java/util/ArrayList.java", 427), ("com/shop/Orders.java", 2), ("com/shop/OrdersFuzzer.java", 1)]
    broken = {"kind": "crash", "error": "x", "places": places, "data": "", "original": 0, "stack": []}
    monkeypatch.setattr(machine, "find", lambda name: Path("/usr/bin", name))
    monkeypatch.setattr(Campaign, "run", lambda *_: ({"executions": 4}, [Campaigned(broken, tmp_path / "kept")]))  # type: ignore[arg-type]
    target = "class OrdersFuzzer { public static void fuzzerTestOneInput(byte[] data) {} }\n"
    files = {"src/test/java/com/shop/OrdersFuzzer.java": target, "src/main/java/com/shop/Orders.java": "//\n//\n"}
    (each,) = look("fuzzing-java", files).findings
    assert (each.path, each.line) == ("src/main/java/com/shop/Orders.java", 2)
