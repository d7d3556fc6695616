"""Diagrams in a project's documents, drawn from its code by the script that the project itself uses later."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

SCRIPT, DOCUMENT = "scripts/diagrams.py", "docs/architecture.md"


def draw(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files whose drawings change, by path; none when the project has no such script."""
    if SCRIPT not in files or DOCUMENT not in files:
        return {}
    with TemporaryDirectory(prefix="omni-diagrams-") as folder:
        root = Path(folder)
        for path in (SCRIPT, DOCUMENT, *(path for path in files if path.startswith("src/") and path.endswith(".py"))):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(files[path])
        subprocess.run([sys.executable, "-I", SCRIPT], cwd=root, check=True)
        return {DOCUMENT: (root / DOCUMENT).read_bytes()}
