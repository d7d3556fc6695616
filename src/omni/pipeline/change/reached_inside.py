"""Runs inside the sandbox as a plug-in of pytest, by the standard library alone: which functions of some files run."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from types import FrameType

FILES = {f"/work/{name}": name for name in os.environ.get("OMNI_WATCHED", "").split(":") if name}
_seen: set[tuple[str, int]] = set()


def _call(frame: FrameType, _event: str, _arg: object) -> None:
    code = frame.f_code
    if code.co_filename in FILES:
        _seen.add((FILES[code.co_filename], code.co_firstlineno))


def pytest_configure() -> None:
    sys.settrace(_call)
    threading.settrace(_call)


def pytest_unconfigure() -> None:
    sys.settrace(None)
    place = Path("/work/reports")
    place.mkdir(exist_ok=True)
    (place / "omni-reached.json").write_text(json.dumps(sorted(_seen)))
