"""Runs inside the sandbox: one Atheris harness for a while, then each input that broke it, made as small as possible.

`argv` is the harness and the seconds. Corpora are the folders `corpora` of the job, the first of which is written to.
What came of it goes to `report` as JSON. Atheris runs libFuzzer, whose options are at
https://llvm.org/docs/LibFuzzer.html#options.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import re
import runpy
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypedDict

Target = Callable[[bytes], object]
HANG = 10
"""Seconds after which one input counts as a hang."""
SMALLER = 20.0
"""Seconds spent on making one input smaller."""


class Job(TypedDict):
    harness: str
    seconds: int
    corpora: list[str]
    """Existing folders; the first one takes what is new."""
    found: str
    """Folder for inputs that broke it."""
    report: str


class Broken(TypedDict):
    kind: str
    """`crash`, `timeout` or `oom`; libFuzzer's words."""
    error: str
    """Type and message of the exception."""
    stack: list[str]
    places: list[tuple[str, int]]
    """(file, line), the innermost first."""
    data: str
    """The input, Base64."""
    original: int
    """Bytes before it was made smaller."""


class Report(TypedDict):
    built: bool
    """Whether it could be compiled; else `said` holds why not."""
    exit_code: int
    """Of the harness; libFuzzer ends with 0 when the time is over and nothing broke."""
    executions: int
    seconds: float
    inputs: int
    """In the corpus now."""
    slowest: float
    """Seconds that the slowest input of the corpus takes."""
    slow: str
    """That input, Base64, its first 4 KiB."""
    broken: list[Broken]
    said: str
    """The end of what the harness printed."""


def main() -> None:
    job: Job = json.load(sys.stdin)
    for folder in (*job["corpora"][:1], job["found"]):
        Path(folder).mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    done = subprocess.run(
        [
            sys.executable,
            job["harness"],
            f"-max_total_time={job['seconds']}",
            f"-timeout={HANG}",
            "-rss_limit_mb=1600",
            "-print_final_stats=1",
            f"-artifact_prefix={job['found']}/",
            *job["corpora"],
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = done.stdout.decode("utf-8", "replace")
    report: Report = {
        "built": True,
        "exit_code": done.returncode,
        "executions": executions(said),
        "seconds": round(time.monotonic() - started, 1),
        "inputs": sum(len(list(Path(each).iterdir())) for each in job["corpora"]),
        "slowest": 0.0,
        "slow": "",
        "broken": [],
        "said": said[-2000:],
    }
    inputs = [path for path in sorted(Path(job["found"]).iterdir()) if not path.name.startswith("slow-unit")]
    try:
        target = target_of(job["harness"])
    except BaseException as problem:
        report["said"] += f"\n{type(problem).__name__}: {problem}"
    else:
        report["broken"] = [broken(target, path, said) for path in inputs]
        if not inputs:
            report["slowest"], report["slow"] = slowest(target, job["corpora"])
    Path(job["report"]).write_text(json.dumps(report), "utf-8")


def executions(said: str) -> int:
    """By the final statistics, or the last status line: `#12345 pulse …`, or Go's `fuzz: elapsed: 3s, execs: 12345`."""
    final = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
    lines: list[str] = re.findall(r"^(?:#|fuzz: elapsed: .*, execs: )(\d+)", said, re.MULTILINE)
    return int(final[1]) if final else int(lines[-1]) if lines else 0


def target_of(harness: str) -> Target:
    """The function that the harness gives to Atheris. Raises whatever the harness raises."""
    library: Any = importlib.import_module("atheris")
    given: list[Target] = []

    def setup(_argv: list[str], target: Target, **_options: object) -> list[str]:
        given.append(target)
        return []

    library.Setup, library.Fuzz = setup, lambda: None
    library.instrument_imports = lambda *_args, **_options: contextlib.nullcontext()
    library.instrument_func = lambda function: function
    library.instrument_all = lambda: None
    sys.argv = [harness]
    sys.path.insert(0, str(Path(harness).parent))
    runpy.run_path(harness, run_name="__main__")
    return given[0]


class HungError(BaseException):
    """Not an Exception: what is fuzzed must not catch it."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    def stop(_signal: int, _frame: object) -> None:
        raise HungError(f"no end within {seconds:g} s")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def failure(target: Target, data: bytes, seconds: float = HANG) -> BaseException | None:
    try:
        with limited(seconds):
            target(data)
    except BaseException as problem:  # anything at all is what is looked for
        return problem
    return None


def places(problem: BaseException) -> list[tuple[str, int]]:
    frames = traceback.extract_tb(problem.__traceback__)
    return [
        (frame.filename, frame.lineno or 0)
        for frame in reversed(frames)
        if frame.filename != places.__code__.co_filename
    ]


def same(one: BaseException, other: BaseException | None) -> bool:
    """The same fault: of the same type, raised at the same place; two hangs are the same anywhere."""
    if type(one) is not type(other) or other is None:
        return False
    return isinstance(one, HungError | RecursionError) or places(one)[:1] == places(other)[:1]


def broken(target: Target, path: Path, said: str = "") -> Broken:
    """The input made smaller. One that breaks nothing here has what the fuzzer `said` last for a stack."""
    data = path.read_bytes()
    kind = path.name.partition("-")[0]
    problem = failure(target, data)
    small = data
    if problem is not None:
        first = problem
        small = minimised(lambda part: same(first, failure(target, part, 3.0)), data)
        problem = failure(target, small) or problem
    stack = traceback.format_exception(problem) if problem else told(said)
    return {
        "kind": kind,
        "error": f"{type(problem).__name__}: {problem}"[:300] if problem else f"{kind}, only seen by the fuzzer itself",
        "stack": [line[:400] for line in stack[-12:]],
        "places": places(problem)[:20] if problem else [],
        "data": base64.b64encode(small).decode(),
        "original": len(data),
    }


def told(said: str) -> list[str]:
    """The lines with which libFuzzer or Atheris said why it stopped, without the statistics after them."""
    lines = said.splitlines(keepends=True)
    first = (at for at, line in enumerate(lines) if "Uncaught Python exception" in line or re.match(r"==\d+==", line))
    at = next(first, len(lines))
    return [line for line in lines[at : at + 40] if not line.startswith("stat::")]


def minimised(fails: Callable[[bytes], bool], data: bytes) -> bytes:
    """ddmin on bytes: leave out ever smaller pieces as long as it fails (Zeller and Hildebrandt, 2002)."""
    deadline = time.monotonic() + SMALLER
    size = max(1, len(data) // 2)
    while size and time.monotonic() < deadline:
        at, shorter = 0, False
        while at < len(data) and time.monotonic() < deadline:
            candidate = data[:at] + data[at + size :]
            if fails(candidate):
                data, shorter = candidate, True
            else:
                at += size
        size = min(size, len(data)) if shorter and size == 1 else size // 2
    return data


def slowest(target: Target, corpora: list[str]) -> tuple[float, str]:
    """(seconds, the input) of what takes longest, each of the corpus run once."""
    worst, slow = 0.0, b""
    for path in (each for folder in corpora for each in sorted(Path(folder).iterdir())):
        data = path.read_bytes()
        started = time.perf_counter()
        failure(target, data)
        seconds = time.perf_counter() - started
        if seconds > worst:
            worst, slow = seconds, data
    return round(worst, 4), base64.b64encode(slow[:4096]).decode()


if __name__ == "__main__":
    main()
