"""Runs inside the sandbox: one fuzz target is built, tried on what broke it before, and fuzzed for a while.

What it is to do comes as JSON on stdin, what came of it goes to `report` as JSON. It knows no language: commands are
made in languages.py, and what fuzzers print is read by faults.py, which lies beside it in the sandbox, too.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TypedDict

from omni.verify.fuzzing.faults import KINDS, Fault, last_run, leaked, leaks, read
from omni.verify.fuzzing.guest import HANG, Broken, Report, executions, minimised

BUILD = 900.0
"""Seconds that one command of the build may take."""
REPLAY = 4.0 * HANG
"""Seconds after which a command is stopped that tries one input; the fuzzer itself sees a hang earlier."""
SAID = 24_000
"""Bytes, the last ones, of what a command printed."""
TRACED = 4 << 20
"""Likewise, with all that it allocated."""
LEAKS = 10.0
"""Seconds spent on looking for leaks."""


class Plan(TypedDict):
    build: list[list[str]]
    cwd: str
    env: dict[str, str]
    fuzz: list[str]
    seconds: int
    replay: list[str]
    """Tries the one input that lies at `input`; ends with 0 when nothing breaks."""
    input: str
    found: str
    """Folder in which the fuzzer leaves what broke it, perhaps beside files of the project."""
    corpus: str
    """Folder that the fuzzer reads and writes."""
    known: list[str]
    """Folders of inputs to begin with."""
    broken: str
    """Folder of what broke it in earlier runs, each named `<kind>-…`."""
    traced: list[str]
    """Tries it some times, given `-trace_malloc=`; empty where libFuzzer is not told of allocations."""
    smaller: bool
    """Whether an input may be cut anywhere; else the fuzzer makes it small itself."""
    report: str


def main() -> None:
    plan: Plan = json.load(sys.stdin)
    for folder in (plan["corpus"], plan["found"], Path(plan["input"]).parent):
        Path(folder).mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    exit_code, said = build(plan)
    built, broken = exit_code == 0, list[Broken]()
    if built:
        broken = again(plan)
    if built and not broken:
        exit_code, said, broken = fuzz(plan)
    report: Report = {
        "built": built,
        "exit_code": exit_code,
        "executions": executions(said),
        "seconds": round(time.monotonic() - started, 1),
        "inputs": len(files(plan["corpus"])),
        "slowest": 0.0,
        "slow": "",
        "broken": broken,
        "said": said[-4000:],
    }
    Path(plan["report"]).write_text(json.dumps(report), "utf-8")


def build(plan: Plan) -> tuple[int, str]:
    """(exit code, words) of the first command that fails, or of the last one."""
    done = 0, ""
    for argv in plan["build"]:
        done = run(plan, argv, BUILD)
        if done[0] != 0:
            break
    return done


def again(plan: Plan) -> list[Broken]:
    """What broke it before and still does. Without a fault it was the fuzzer that failed, which then says so itself."""
    found = []
    for path in files(plan["broken"]):
        data = path.read_bytes()
        if path.name.startswith("leak-"):
            found += [leak(plan, data)] if leaking(plan, data) else []
            continue
        exit_code, said = replay(plan, data)
        fault = read(said)
        if exit_code != 0 and fault.error:
            found.append(broken(path, data, fault, said))
    return found


def fuzz(plan: Plan) -> tuple[int, str, list[Broken]]:
    """(exit code, words, what broke it). Of the corpus what is new remains."""
    mine = {path.name for path in files(plan["found"])}
    seeds = [path for folder in (*plan["known"], plan["broken"]) for path in files(folder)]
    for path in seeds:
        shutil.copyfile(path, Path(plan["corpus"], path.name))
    exit_code, said = run(plan, plan["fuzz"], plan["seconds"] + REPLAY)
    leaks_found = leaky(plan) if exit_code == 0 else []
    for name in {path.name for path in seeds}:
        Path(plan["corpus"], name).unlink(missing_ok=True)
    new = [path for path in files(plan["found"]) if path.name not in mine and not path.name.startswith("slow-unit")]
    return exit_code, said, [*(looked_at(plan, path, said) for path in new), *leaks_found]


def looked_at(plan: Plan, path: Path, words: str) -> Broken:
    """The input made smaller. One that breaks nothing again has the fuzzer's `words`."""
    data = path.read_bytes()
    exit_code, said = replay(plan, data)
    small, fault = data, read(said)
    if exit_code == 0 or not fault.error:
        return broken(path, data, read(words), words)
    if plan["smaller"]:
        small = minimised(lambda part: read(replay(plan, part)[1]).same(fault), data)
        said = replay(plan, small)[1] if small != data else said
    return broken(path, small, read(said), said, len(data))


def leaky(plan: Plan) -> list[Broken]:
    """The smallest input of the corpus that leaks. LeakSanitizer would trace the process, which the sandbox forbids."""
    until = time.monotonic() + LEAKS
    for path in sorted(files(plan["corpus"]), key=lambda path: path.stat().st_size) if plan["traced"] else ():
        data = path.read_bytes()
        if leaking(plan, data):
            return [leak(plan, minimised(lambda part: leaking(plan, part), data), len(data))]
        if time.monotonic() > until:
            break
    return []


def leaking(plan: Plan, data: bytes) -> bool:
    return leaks(tried(plan, [*plan["traced"], "-trace_malloc=1"], data, TRACED)[1])


def leak(plan: Plan, data: bytes, original: int = 0) -> Broken:
    said = last_run(tried(plan, [*plan["traced"], "-trace_malloc=2"], data, TRACED)[1])
    return broken(Path("leak-"), data, leaked(said), said, original)


def broken(path: Path, data: bytes, fault: Fault, said: str, original: int = 0) -> Broken:
    name = path.name.partition("-")[0]
    return {
        "kind": fault.kind or (name if name in KINDS else "crash"),
        "error": fault.error,
        "stack": said.splitlines(keepends=True)[-200:],
        "places": list(fault.places[:20]),
        "data": base64.b64encode(data).decode(),
        "original": original or len(data),
    }


def replay(plan: Plan, data: bytes) -> tuple[int, str]:
    return tried(plan, plan["replay"], data, SAID)


def tried(plan: Plan, argv: list[str], data: bytes, last: int) -> tuple[int, str]:
    path = Path(plan["input"])
    path.write_bytes(data)
    done = run(plan, argv, REPLAY, last)
    path.unlink(missing_ok=True)
    return done


def run(plan: Plan, argv: list[str], seconds: float, last: int = SAID) -> tuple[int, str]:
    """(exit code, the end of what it printed). What it starts ends with it."""
    with tempfile.TemporaryFile() as out:
        try:
            process = subprocess.Popen(
                argv, cwd=plan["cwd"], env=os.environ | plan["env"], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
        except OSError as problem:
            return 127, f"error: {argv[0]}: {problem.strerror}"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        exit_code = process.wait()
        out.seek(max(0, out.seek(0, os.SEEK_END) - last))
        return exit_code, out.read().decode("utf-8", "replace")


def files(folder: str) -> list[Path]:
    return sorted(path for path in Path(folder).rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
