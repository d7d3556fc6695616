"""What durability costs: the same build by durable steps and by bare calls, in turns.

.venv/bin/python benchmarks/workflow.py [rounds]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from omni.kernel.settings import load_settings

REQUEST = "a command line tool to keep my reading list with title, author and pages"
PLAIN = "from omni.pipeline.runner import Runner, call_plainly; print(call_plainly(Runner(run, settings, engine)))"
DURABLE = (
    "from omni.pipeline.workflow import start; runner = start(run.id, settings, engine); runner.stopped.wait();"
    " print(load(engine, run.id).verdict)"
)
COMMON = """
import os, sys
from pathlib import Path
from omni.kernel.database import open_database
from omni.kernel.settings import load_settings
from omni.pipeline.run import RunOptions, create, load
settings = load_settings({{"home": {home!r}}})
engine = open_database(settings)
run = create(engine, {request!r}, RunOptions(out={out!r}))
{body}
sys.stdout.flush()
os._exit(0)
"""


def seconds(body: str) -> float:
    """One build in an Omni home of its own; the environments are shared."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        (home / "envs").symlink_to(load_settings().home / "envs")
        code = COMMON.format(home=str(home), request=REQUEST, out=f"{folder}/out", body=body)
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        took = time.perf_counter() - began
        if done.stdout.strip() != "pass":
            raise SystemExit(f"the build did not pass: {done.stdout} {done.stderr}")
        return took


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    plain, durable = [], []
    for _ in range(rounds):
        plain.append(seconds(PLAIN))
        durable.append(seconds(DURABLE))
    print(f"bare calls       {median(plain):6.2f} s")
    print(f"durable steps    {median(durable):6.2f} s")
    print(f"ratio            {median(durable) / median(plain):6.2f}   (at most 1.1)")


if __name__ == "__main__":
    main()
