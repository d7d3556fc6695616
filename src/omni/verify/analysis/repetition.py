"""Failed tests, run again by themselves: one that passes now and then is flaky, whatever it tests."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from omni.verify.analysis.junit import BadReportError, Case, read_junit
from omni.verify.check import Failed

if TYPE_CHECKING:
    from omni.verify.check import Context

TIMES = 5
"""How often a failed test is run again."""
MOST = 20
"""Failed tests that are run again; more of them than that are no matter of chance."""
LOOP = (
    "i=0; while [ $i -lt {times} ]; do python -m pytest -q -p no:cacheprovider -p no:randomly --no-cov -o junit_family="
    'xunit1 --junitxml=reports/omni-repeat-$i.xml "$@" >/dev/null 2>&1; i=$((i+1)); done'
)


@dataclass(frozen=True)
class Repeated:
    """Without the first run, whose failure is why it was repeated."""

    runs: int
    failures: int


def node_id(case: Case) -> str:
    """As pytest names it: file, classes, function."""
    module = ".".join(PurePosixPath(case.path).with_suffix("").parts)
    inner = case.classname.removeprefix(module).strip(".")
    return "::".join([case.path, *filter(None, inner.split(".")), case.name])


def repeat(context: Context, failed: Sequence[Case], env: Mapping[str, str]) -> Mapping[str, Repeated]:
    """Node id → what came of running the failed ones again, without the rest; nothing where that can't be told."""
    names = sorted({node_id(case) for case in failed if case.path})
    if not names or len(names) > MOST:
        return {}
    failures: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="omni-tests-") as folder:
        argv = ("sh", "-c", LOOP.format(times=TIMES), "sh", *names)
        try:
            context.run_in_sandbox(argv, collect=("reports/omni-repeat-*.xml",), into=Path(folder), **env)
        except Failed:  # no time is left for it: then they failed, and nothing more is known
            return {}
        for report in sorted(Path(folder).glob("reports/*.xml")):
            try:
                cases = read_junit(report.read_bytes())
            except (BadReportError, OSError):
                continue
            for case in cases:
                runs[node_id(case)] += case.outcome != "skipped"
                failures[node_id(case)] += case.outcome == "failed"
    return {name: Repeated(runs[name], failures[name]) for name in names if runs[name]}
