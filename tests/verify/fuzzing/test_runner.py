"""The runner with a fuzzer that is a shell script: it tries the files of its corpus, and says what libFuzzer would."""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.verify.fuzzing import runner
from omni.verify.fuzzing.guest import Report
from omni.verify.fuzzing.runner import Plan

FUZZER = r"""#!/bin/sh
here=$(dirname "$0")
try() {
    echo "$1" | grep -q input && echo tried >> "$here/tried"
    if grep -q bad "$1"; then
        echo "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x60"
        echo "    #0 0x55 in parse /work/src/parse.c:$(grep -c line "$1")"
        return 1
    fi
    if grep -q broken-tool "$1"; then echo "libc.so.6: version not found"; return 1; fi
}
leak() {
    if grep -q L "$1"; then balance="2 1 (DIFFERENT)"; else balance="1 1 (same)"; fi
    for run in 1 2 3 4; do
        printf 'MallocFreeTracer: START\nMALLOC[0] 0x6%s 3\n    #7 0x55 in f /work/a.c:4:1\n' "$run"
        echo "MallocFreeTracer: STOP $balance"
    done
}
case "$1" in
fuzz)
    echo "#2	INITED"
    printf new > "$here/corpus/new"
    for file in "$here"/corpus/*; do
        if ! try "$file"; then
            cp "$file" "$here/found/crash-1"
            cp "$file" "$here/found/slow-unit-1"
            exit 77
        fi
    done
    echo "stat::number_of_executed_units: 41"
    ;;
trace) leak "$2" ;;
*) try "$1" || exit 77 ;;
esac
"""

Run = Callable[..., Report]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """What the runner reports. Arguments are other fields of the plan."""
    fuzzer = str(tmp_path / "fuzzer")
    Path(fuzzer).write_text(FUZZER)
    Path(fuzzer).chmod(0o755)
    for folder in ("seeds", "broken"):
        (tmp_path / folder).mkdir()

    def reported(**changes: object) -> Report:
        plan: Plan = {
            "build": [["true"]], "cwd": str(tmp_path), "env": {"LC_ALL": "C"}, "fuzz": [fuzzer, "fuzz"], "seconds": 3,
            "replay": [fuzzer, f"{tmp_path}/made/input"], "input": f"{tmp_path}/made/input",
            "found": f"{tmp_path}/found", "corpus": f"{tmp_path}/corpus", "known": [f"{tmp_path}/seeds"],
            "broken": f"{tmp_path}/broken", "traced": [], "smaller": True, "report": f"{tmp_path}/report.json",
        }  # fmt: skip
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(plan | changes)))
        runner.main()
        report: Report = json.loads((tmp_path / "report.json").read_text())
        return report

    return reported


def faults(report: Report) -> list[tuple[str, str, bytes, int]]:
    return [
        (each["kind"], each["error"], base64.b64decode(each["data"]), each["original"]) for each in report["broken"]
    ]


OVERFLOW = "AddressSanitizer: heap-buffer-overflow"


def test_nothing_breaks_it_and_what_is_new_remains(run: Run, tmp_path: Path) -> None:
    (tmp_path / "seeds" / "one").write_bytes(b"one")
    report = run()
    assert (report["built"], report["exit_code"], report["executions"], report["broken"]) == (True, 0, 41, [])
    assert [path.name for path in (tmp_path / "corpus").iterdir()] == ["new"]
    assert report["inputs"] == 1


def test_what_breaks_it_is_made_small_as_long_as_it_is_the_same_fault(run: Run, tmp_path: Path) -> None:
    (tmp_path / "seeds" / "one").write_bytes(b"so bad\nline\n")
    report = run()
    assert faults(report) == [("crash", OVERFLOW, b"badline", 12)]
    assert [tuple(place) for place in report["broken"][0]["places"]] == [("/work/src/parse.c", 1)]
    assert (report["exit_code"], report["broken"][0]["stack"][0][:8]) == (77, "==7==ERR")


def test_an_input_that_may_not_be_cut_stays(run: Run, tmp_path: Path) -> None:
    (tmp_path / "seeds" / "one").write_bytes(b"very bad")
    assert faults(run(smaller=False)) == [("crash", OVERFLOW, b"very bad", 8)]


def test_what_broke_it_before_is_tried_first_and_found_at_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken" / "crash-1").write_bytes(b"bad")
    (tmp_path / "broken" / "crash-2").write_bytes(b"mended")
    report = run()
    assert faults(report) == [("crash", OVERFLOW, b"bad", 3)]
    assert report["executions"] == 0
    (tmp_path / "broken" / "crash-1").write_bytes(b"mended, too")
    assert run()["executions"] == 41


def test_a_fuzzer_that_fails_is_no_fault_of_the_program(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken" / "crash-1").write_bytes(b"broken-tool")
    report = run()
    assert report["broken"][0]["error"] == "", "the fuzzer left it, and could not try it again"
    assert (tmp_path / "tried").read_text().count("tried") == 2
    report = run(fuzz=["false"])
    assert (report["exit_code"], report["broken"]) == (1, [])


def test_what_breaks_nothing_again_has_the_words_of_the_fuzzer(run: Run, tmp_path: Path) -> None:
    (tmp_path / "seeds" / "one").write_bytes(b"bad")
    report = run(replay=["true"])
    assert faults(report) == [("crash", OVERFLOW, b"bad", 3)]
    assert report["broken"][0]["stack"][0] == "#2\tINITED\n"


def test_files_of_the_project_in_the_folder_of_finds_are_no_finds(run: Run, tmp_path: Path) -> None:
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "seed").write_bytes(b"bad")
    assert run()["broken"] == []


def test_what_leaks_each_time_is_found_made_small_and_tried_again(run: Run, tmp_path: Path) -> None:
    traced = [str(tmp_path / "fuzzer"), "trace", str(tmp_path / "made" / "input")]
    (tmp_path / "seeds" / "one").write_bytes(b"aLong")
    report = run(traced=traced)
    assert faults(report) == [("leak", "3 bytes are never freed", b"L", 5)]
    assert [tuple(place) for place in report["broken"][0]["places"]] == [("/work/a.c", 4)]
    (tmp_path / "broken" / "leak-1").write_bytes(b"L")
    again = run(traced=traced)
    assert (again["executions"], faults(again)) == (0, [("leak", "3 bytes are never freed", b"L", 1)])
    (tmp_path / "seeds" / "one").unlink()
    (tmp_path / "broken" / "leak-1").write_bytes(b"mended")
    assert run(traced=traced)["broken"] == []


def test_what_can_not_be_built_says_why(run: Run) -> None:
    report = run(build=[["true"], ["sh", "-c", "echo a.c:3: error: expected; exit 2"], ["touch", "never"]])
    assert (report["built"], report["exit_code"], report["said"]) == (False, 2, "a.c:3: error: expected\n")
    report = run(build=[["no-such-compiler"]])
    assert (report["exit_code"], report["said"]) == (127, "error: no-such-compiler: No such file or directory")


def test_a_command_that_hangs_is_ended_with_all_that_it_started(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "REPLAY", 0.2)
    report = run(fuzz=["sh", "-c", "echo asleep; sleep 60 & sleep 60"], seconds=0)
    assert (report["exit_code"], report["said"]) == (-9, "asleep\n")
