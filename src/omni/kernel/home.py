"""The folder that holds everything Omni keeps. Imports nothing of Omni's: what has to start fast asks for it, too."""

from __future__ import annotations

import os
import pwd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def default_home(environ: Mapping[str, str]) -> str:
    """`/var/lib/omni` for root, else `omni` in the user's data folder (XDG Base Directory Specification 0.8)."""
    if os.geteuid() == 0:
        return "/var/lib/omni"
    data = environ.get("XDG_DATA_HOME", "")
    base = data if data.startswith("/") else f"{environ.get('HOME') or pwd.getpwuid(os.getuid()).pw_dir}/.local/share"
    return f"{base}/omni"
