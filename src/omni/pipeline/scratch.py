"""Temporary files of a run: all in one folder, so that the next process can sweep what a killed one left."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch(run_id: str) -> Iterator[Path]:
    """Make this process put its temporary files into a fresh folder of the run. Hold the run's lock around it."""
    before = tempfile.gettempdir()
    folder = Path(before) / f"omni-run-{run_id}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    tempfile.tempdir = str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)
