"""The tools environment: the programs of tools.lock, at exactly these versions, in the home."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from omni.kernel.environments import ensure
from omni.kernel.errors import Exit, OmniError, declare

NO_TOOL = declare("V004", "A tool is missing", Exit.INCOMPLETE, "Type: omni doctor")

LOCK = Path(__file__).with_name("tools.lock")


@dataclass(frozen=True)
class Tools:
    root: Path

    def path(self, tool: str) -> Path:
        """The executable. Raises `V004`."""
        program = self.root / "bin" / tool
        if not program.is_file():
            raise OmniError(NO_TOOL, f"{tool} is not in the tools environment", where=str(self.root))
        return program


def open_tools(home: Path, offline: bool, progress: Callable[[str], None]) -> Tools:
    """The environment, set up on first use. Raises OmniError when that fails."""
    return Tools(ensure("tools", LOCK, home, offline, progress))


@cache
def versions() -> Mapping[str, str]:
    """Distribution → version, as locked."""
    return dict(re.findall(r"^([\w.-]+)==([^\s\\]+)", LOCK.read_text("utf-8"), re.MULTILINE))
