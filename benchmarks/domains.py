"""Builds an app of every known domain and of every template, and says what came out, as a table.

.venv/bin/python benchmarks/domains.py                     all of them (about half an hour on two cores)
.venv/bin/python benchmarks/domains.py todo recipes        some
.venv/bin/python benchmarks/domains.py --write             and put the table into docs/builds.md
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
REQUESTS = {
    row.split(":", 1)[0]: row.split(":", 1)[1].strip()
    for row in (ROOT / "benchmarks" / "requests.txt").read_text().splitlines()
    if row and not row.startswith("#")
}
HEAD = "| request | template | verdict | seconds | lines | tests | branch coverage | score | assumed | not delivered |"


def build(request: str) -> dict[str, object]:
    """The last line that `omni build --json` prints."""
    with tempfile.TemporaryDirectory() as out:
        command = [str(ROOT / "omni"), "build", request, "--yes", "--json", "--out", f"{out}/package"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines[-1] if lines else {"verdict": "error", "reasons": [done.stderr[-300:]]}


def row(request: str, result: dict[str, object]) -> str:
    assumed, missing = result.get("assumptions", []), result.get("not_delivered", [])
    cells = (
        request,
        result.get("template", ""),
        result.get("verdict", ""),
        result.get("seconds", ""),
        result.get("lines", ""),
        result.get("tests", ""),
        f"{result['coverage']:.1f} %" if result.get("coverage") else "",
        result.get("score", ""),
        len(assumed) if isinstance(assumed, list) else "",
        "; ".join(missing) if isinstance(missing, list) and missing else "nothing",
    )
    return "| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in cells) + " |"


def main() -> None:
    wanted = [name for name in sys.argv[1:] if not name.startswith("-")] or list(REQUESTS)
    table = [HEAD, "|" + "---|" * (HEAD.count("|") - 1)]
    print("\n".join(table), flush=True)
    for name in wanted:
        result = build(REQUESTS[name])
        table.append(row(REQUESTS[name], result))
        print(table[-1], flush=True)
        if result.get("verdict") != "pass":
            print(f"  {name}: {result.get('reasons') or result}", file=sys.stderr, flush=True)
    if "--write" in sys.argv:
        made = "Made by `.venv/bin/python benchmarks/domains.py --write`."
        intro = f"# What came out\n\nOne build a row, on two cores, without a model. {made}\n\n"
        (ROOT / "docs" / "builds.md").write_text(intro + "\n".join(table) + "\n")


if __name__ == "__main__":
    main()
