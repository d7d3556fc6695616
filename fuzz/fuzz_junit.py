"""JUnit and coverage reports that the project'\''s tests left."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["omni"]):
    from omni.verify.analysis.junit import BadReportError, read_coverage, read_junit


def target(data: bytes) -> None:
    for read in (read_junit, read_coverage):
        try:
            read(data)
        except BadReportError:
            continue


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
