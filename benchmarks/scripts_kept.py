"""What the check `dataflow-javascript` says of programs as they stand: each finding, and how many there are a severity.

    .venv/bin/python benchmarks/scripts_kept.py CHECKOUT…

Each CHECKOUT is a clone of a repository. The numbers that docs/precision.md gives are its last lines; whether a
finding is true, a person has to say.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from omni.verify.analysis.minified import MINIFIED
from omni.verify.dataflow.finding import findings
from omni.verify.dataflow_javascript.analysis import analyse, script
from omni.verify.dataflow_javascript.model import load

ENDINGS = {".js", ".ts", ".jsx", ".tsx", ".mjs", ".cjs", ".mts", ".cts"}


def texts(checkout: Path) -> dict[str, str]:
    found = {}
    for path in sorted(checkout.rglob("*")):
        name = str(path.relative_to(checkout))
        if path.suffix in ENDINGS and path.is_file() and "node_modules" not in name and not MINIFIED.search(name):
            found[name] = path.read_text("utf-8", "replace")
    return found


def main() -> None:
    total: Counter[str] = Counter()
    for checkout in map(Path, sys.argv[1:]):
        found, started = texts(checkout), time.process_time()
        analysis = analyse([script(path, text) for path, text in found.items()])
        seconds = time.process_time() - started
        said = [*findings("dataflow-javascript", analysis.hits, load().weaknesses)]
        for each in said:
            if each.severity != "note":
                print(f"  {each.severity} {each.path}:{each.line} {each.rule}: {each.message[:400]}")
        counts: Counter[str] = Counter(each.severity.value for each in said)
        lines = sum(text.count("\n") for text in found.values())
        partly = sum(not why.startswith("minified") for why in analysis.unseen.values())
        print(
            f"{checkout.name}: {lines} lines, {dict(counts)}, {partly} files not followed to the end, {seconds:.1f} s"
        )
        total.update(counts)
        total["lines"] += lines
    print(dict(total))


if __name__ == "__main__":
    main()
