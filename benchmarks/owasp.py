"""The check `dataflow` on OWASP BenchmarkPython, beside ruff's security rules and bandit in the same run.

    .venv/bin/python benchmarks/owasp.py CHECKOUT

CHECKOUT is a clone of OWASP-Benchmark/BenchmarkPython. For each category of its expected results: how many of the
vulnerable programs were found (TPR), how many of the others were accused (FPR). A finding counts for a program when it
lies in its file and its CWE is of the program's category. The last lines compare the three tools over all programs.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from omni.verify.analysis.fstrings import parse_any
from omni.verify.checks.security_python import WEAKNESSES
from omni.verify.dataflow.analysis import analyse
from omni.verify.dataflow.model import load

BIN = Path(sys.executable).parent
BANDIT = "bandit==1.9.1"
NEAR = {94: (95, 78), 328: (327, 326), 330: (338, 331), 643: (91,), 611: (20, 776, 827), 78: (77,), 614: (1004,)}
"""CWEs that tools give for the same fault, beside the one of the benchmark."""

Found = set[tuple[str, int]]
"""(name of the program, CWE)"""


@dataclass(frozen=True)
class Program:
    name: str
    category: str
    vulnerable: bool
    cwe: int

    def accused(self, found: Found) -> bool:
        return any((self.name, cwe) in found for cwe in (self.cwe, *NEAR.get(self.cwe, ())))


def programs(checkout: Path) -> list[Program]:
    """The expected results. Raises StopIteration when there are none."""
    path = next(iter(sorted(checkout.glob("expectedresults-*.csv"))))
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if row and not row[0].startswith("#")]
    return [Program(name, category, real == "true", int(cwe)) for name, category, real, cwe, *_ in rows]


def omni(checkout: Path) -> Found:
    trees = [
        (str(path.relative_to(checkout)), parse_any(path.read_text("utf-8"))) for path in sorted(checkout.rglob("*.py"))
    ]
    weaknesses = load().weaknesses
    return {
        (PurePath(hit.sink.path).stem, int(weaknesses[hit.weakness].cwe.removeprefix("CWE-")))
        for hit in analyse(trees).hits
    }


def ruff(checkout: Path) -> Found:
    cwes = {rule: int(entry.cwe.removeprefix("CWE-")) for rule, entry in WEAKNESSES.items()} | {"S608": 89}
    argv = [
        str(BIN / "ruff"),
        "check",
        "--isolated",
        "--no-cache",
        "--exit-zero",
        "--select",
        "S",
        "--output-format",
        "json",
    ]
    done = subprocess.run([*argv, "."], cwd=checkout, capture_output=True, text=True, check=True)
    found: Found = set()
    for each in json.loads(done.stdout):
        fitting = [start for start in cwes if (each["code"] or "").startswith(start)]
        if fitting:
            found.add((PurePath(each["filename"]).stem, cwes[max(fitting, key=len)]))
    return found


def bandit(checkout: Path) -> Found:
    argv = [str(BIN / "uv"), "tool", "run", "-q", BANDIT, "-q", "-r", ".", "-f", "json", "--exit-zero"]
    done = subprocess.run(argv, cwd=checkout, capture_output=True, text=True, check=True)
    return {
        (PurePath(each["filename"]).stem, int(each["issue_cwe"].get("id", 0)))
        for each in json.loads(done.stdout)["results"]
    }


@dataclass(frozen=True)
class Score:
    tp: int
    fn: int
    fp: int
    tn: int

    @property
    def tpr(self) -> float:
        return self.tp / max(1, self.tp + self.fn)

    @property
    def fpr(self) -> float:
        return self.fp / max(1, self.fp + self.tn)

    def __str__(self) -> str:
        return f"{self.tp:5} {self.fn:5} {self.fp:5} {self.tn:5} {self.tpr:7.1%} {self.fpr:7.1%}"


def score(cases: Iterable[Program], found: Found) -> Score:
    counted = Counter((case.vulnerable, case.accused(found)) for case in cases)
    return Score(counted[True, True], counted[True, False], counted[False, True], counted[False, False])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--wrong", action="store_true", help="name the programs that are judged wrongly")
    given = parser.parse_args()
    cases = programs(given.checkout)
    by_category: dict[str, list[Program]] = defaultdict(list)
    for case in cases:
        by_category[case.category].append(case)
    started = time.perf_counter()
    ours = omni(given.checkout)
    seconds = time.perf_counter() - started
    print(f"{'category':16} {'TP':>5} {'FN':>5} {'FP':>5} {'TN':>5} {'TPR':>7} {'FPR':>7}")
    for category, its in sorted(by_category.items()):
        print(f"{category:16} {score(its, ours)}")
    if given.wrong:
        for case in cases:
            if case.accused(ours) is not case.vulnerable:
                print(f"{'missed' if case.vulnerable else 'accused'} {case.category} {case.name}")
        return
    print(f"\n{len(cases)} programs, analysed in {seconds:.1f} s")
    total = score(cases, ours)
    for name, found in (("omni dataflow", ours), ("ruff S", ruff(given.checkout)), ("bandit", bandit(given.checkout))):
        result = score(cases, found)
        ratio = f"found {total.tpr / result.tpr:.1f} times as many" if found is not ours and result.tpr else ""
        print(f"{name:16} {result}  {ratio}")


if __name__ == "__main__":
    main()
