"""`.omni/quarantine.toml`: tests that sometimes fail. They run, their failures are told, and do not block.

A test leaves it by day (`until`), or when it did not fail in any repetition; one that always fails is not flaky.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from omni.kernel.errors import OmniError
from omni.kernel.files import write_atomic
from omni.verify.config import BAD_CONFIG
from omni.verify.report import CheckResult, Model

FILE = ".omni/quarantine.toml"
DAYS = 30
"""Days after which a test has to be mended, or to be found flaky again."""
METRIC = "tests.flaky."
"""Start of the metric that names a flaky test; its value is the share of runs that failed."""


class Quarantined(Model):
    test: str
    """As pytest names it: `tests/test_a.py::test_b`."""
    rate: Annotated[float, Field(ge=0, le=1)]
    """Share of the runs that failed, when it was last seen."""
    since: date
    until: date


def load(text: str) -> Mapping[str, Quarantined]:
    """Test → its entry. Raises `V005`."""
    try:
        entries = [Quarantined.model_validate(each) for each in tomllib.loads(text).get("test", ())]
    except (ValueError, TypeError, AttributeError, RecursionError) as problem:
        raise OmniError(BAD_CONFIG, " ".join(str(problem).split())[:300], where=FILE) from problem
    return {entry.test: entry for entry in entries}


def record(root: Path, results: Iterable[CheckResult], today: date) -> tuple[str, ...]:
    """Write the flaky tests of these results into the project's quarantine; returns those that are new there.

    An entry that is known gets the new rate and keeps its days, so that nothing stays there for ever. Raises `V005`.
    """
    path = root / FILE
    known = dict(load(path.read_text("utf-8"))) if path.is_file() else {}
    seen = {
        name.removeprefix(METRIC): rate
        for result in results
        for name, rate in result.metrics.items()
        if name.startswith(METRIC)
    }
    if not seen:
        return ()
    fresh = tuple(sorted(seen.keys() - known.keys()))
    for test, rate in seen.items():
        before = known.get(test)
        since, until = (before.since, before.until) if before else (today, today + timedelta(days=DAYS))
        known[test] = Quarantined(test=test, rate=rate, since=since, until=until)
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, _toml(known.values()))
    return fresh


def _toml(entries: Iterable[Quarantined]) -> str:
    head = "# Tests that sometimes fail: they run and are reported, and do not block until the day given.\n"
    return head + "".join(
        f"\n[[test]]\ntest = {_quoted(each.test)}\nrate = {each.rate}\nsince = {each.since}\nuntil = {each.until}\n"
        for each in sorted(entries, key=lambda each: each.test)
    )


def _quoted(text: str) -> str:
    """A basic string of TOML 1.0: JSON's, but with DEL escaped and no surrogates."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
