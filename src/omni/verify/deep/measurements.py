"""What a benchmark wrote: pytest-benchmark's JSON, hyperfine's JSON, or `{"name": [seconds, …]}`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping

COUNTED = re.compile(r"^==\d+== I\s+refs:\s+([\d,]+)", re.MULTILINE)
COUNTER = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
"""Before a command: counts its instructions (https://valgrind.org/docs/manual/cg-manual.html)."""


class BadMeasurementError(ValueError):
    """It can't be read; the message says why."""


def read_measurements(text: str) -> Mapping[str, float]:
    """Name → the least of its seconds: what disturbs a machine only ever makes a run slower.

    Raises BadMeasurementError.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise BadMeasurementError(f"it is not JSON: {problem}") from problem
    found = {name: min(samples) for name, samples in _samples(content) if samples}
    if not found:
        raise BadMeasurementError("it names no measurement")
    for name, seconds in found.items():
        if not (math.isfinite(seconds) and seconds > 0):
            raise BadMeasurementError(f"{name} has {seconds} seconds")
    return found


def _samples(content: object) -> Iterator[tuple[str, list[float]]]:
    if not isinstance(content, dict):
        raise BadMeasurementError("it is no object")
    if isinstance(content.get("benchmarks"), list):
        for each in content["benchmarks"]:  # pytest-benchmark: the rounds are in `data` where they were kept
            stats = _object(_object(each).get("stats"))
            yield str(each.get("fullname") or each.get("name")), _numbers(stats.get("data") or [stats.get("min")])
    elif isinstance(content.get("results"), list):
        for each in content["results"]:  # hyperfine
            yield str(_object(each).get("command")), _numbers(each.get("times") or [each.get("min")])
    else:
        for name, samples in content.items():
            yield name, _numbers(samples)


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadMeasurementError("a benchmark in it is no object")
    return value


def _numbers(value: object) -> list[float]:
    numbers = []
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, int | float) or isinstance(each, bool):
            raise BadMeasurementError("its seconds are no numbers")
        numbers.append(float(each))
    return numbers


def read_count(said: str) -> float:
    """The instructions that valgrind counted. Raises BadMeasurementError."""
    found = COUNTED.search(said)
    if not found:
        raise BadMeasurementError("valgrind printed no count")
    return float(found[1].replace(",", ""))
