"""Feeds every parser that reads foreign output with all kinds of input: `python benchmarks/fuzz.py 60 [name …]`.

The targets are in `fuzz/`; each runs in the sandbox for that many seconds, on what earlier runs kept. Prints what each
executed, what broke it, and the input of its corpus that takes longest. Exit code 1 when something broke.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from omni.kernel.settings import load_settings
from omni.verify import registry
from omni.verify.cache import Cache
from omni.verify.check import Failed
from omni.verify.config import ProjectConfig
from omni.verify.fuzzing.campaign import Campaign
from omni.verify.fuzzing.languages import PYTHON
from omni.verify.plan import Options
from omni.verify.session import Session

ROOT = Path(__file__).parent.parent


def main() -> int:
    seconds, wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 60, sys.argv[2:]
    settings = load_settings()
    broken = 0
    with tempfile.TemporaryDirectory() as scratch, Cache(settings.home / "cache" / "verify.sqlite") as cache:
        options = Options(environment=Path(sys.prefix))
        session = Session(options, settings, ProjectConfig(), cache, Path(scratch), lambda _event: None)
        (context,) = session.contexts([registry.get("fuzzing")], ROOT)
        print(f"{'target':<14}{'executions':>12}{'a second':>10}{'corpus':>8}{'slowest':>12}  broken", flush=True)
        for target in PYTHON.targets(context):
            if wanted and target.name not in wanted:
                continue
            try:
                report, found = Campaign(context, PYTHON, target).run(seconds)
            except Failed as problem:
                print(f"{target.name:<14}{problem.why}", flush=True)
                broken += 1
                continue
            broken += len(found)
            rate = report["executions"] / max(report["seconds"], 0.1)
            numbers = f"{report['executions']:>12}{rate:>10.0f}{report['inputs']:>8}{1000 * report['slowest']:>9.1f} ms"
            print(f"{target.name:<14}{numbers}  {len(found)}", flush=True)
            for each in found:
                print(f"  {each.broken['error']}\n  {each.file}\n  {each.data[:200]!r}")
                print("".join(each.broken["stack"]), flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
