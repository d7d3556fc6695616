"""How many small changes of Omni's own code its tests notice: `python benchmarks/mutation.py kernel [sandbox verify]`.

Prints the score of the room, module by module, and every change that stayed unnoticed. What was tried is kept in the
Omni home, so a run that was killed goes on where it was, and after a change only what it touches is tried again.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from omni.kernel.settings import load_settings
from omni.verify import engine
from omni.verify.config import Mutation, ProjectConfig
from omni.verify.plan import Options

ROOT = Path(__file__).parent.parent
FAST = ("-m", "not host and not slow")


def room(name: str) -> Mutation:
    """`kernel`, or a part of a room such as `verify/analysis`; its tests lie at the same place below `tests`."""
    paths = (f"src/omni/{name}/**",) if (ROOT / "src/omni" / name).is_dir() else (f"src/omni/{name}.py",)
    folder, _, module = name.rpartition("/")
    tests = f"tests/{name}" if (ROOT / "tests" / name).is_dir() else f"tests/{folder}/test_{module}.py"
    return Mutation(paths=paths, tests=(tests,), options=FAST)


def main() -> None:
    for name in sys.argv[1:] or ["kernel"]:
        config = ProjectConfig(mutation=room(name))
        options = Options(only=("mutation",), config=config, environment=Path(sys.prefix))
        report = engine.verify(ROOT, options, load_settings(), lambda event: print(event.message, flush=True))
        (result,) = report.results
        for finding in result.findings:
            print(f"{finding.path}:{finding.line}: {finding.rule}: {finding.message}")
        missed = Counter(finding.path for finding in result.findings if finding.rule == "survived")
        for path, count in missed.most_common():
            print(f"{count:5} survived  {path}")
        print(f"{name}: {result.status} {result.reason} {dict(result.metrics)} {result.seconds:.0f} s")


if __name__ == "__main__":
    main()
