"""A program for the Python of the tools: asks pip which of the packages named on its command line an index has.

Prints one JSON array a name: the name, and true, false, or null when there is no answer. One process for all of them,
since most of the time of a `pip` goes into its start.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
from collections.abc import Callable


def main() -> None:
    pip: Callable[[list[str]], int] = importlib.import_module("pip._internal.cli.main").main
    for name in sys.argv[1:]:
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            # A package for a newer Python, or one that has had no final release, is there too.
            code = pip(["index", "versions", "--ignore-requires-python", "--pre", name])
        there = True if code == 0 else False if "No matching distribution found" in said.getvalue() else None
        print(json.dumps([name, there]), flush=True)  # noqa: T201 - a program


if __name__ == "__main__":
    main()
