"""How this machine reaches its package registries, told to uv and npm as well as to pip.

uv reads neither pip's configuration nor, like npm, the system's certificates by itself. This module needs nothing but
the standard library, since `scripts/setup` runs it as a program before Omni's libraries are there: it then prints
`export` lines for a shell.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
INDEX = re.compile(r"^[\w:]+\.index-url='([^']+)'$", re.MULTILINE)
"""A line of `pip config list`, which knows pip's files and its environment."""

_STARTS = (
    "PIP_",
    "UV_",
    "NPM_CONFIG_",
    "SSL_CERT_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "NODE_EXTRA",
)


def variables() -> dict[str, str]:
    """The environment's variables about registries, and what is to be added to them for uv and npm."""
    given = {name: value for name, value in os.environ.items() if name.upper().startswith(_STARTS)}
    return added(given) | given


def added(given: dict[str, str]) -> dict[str, str]:
    """What uv and npm have to be told beyond `given`."""
    wanted = {"UV_SYSTEM_CERTS": "true"}
    if CERTIFICATES.exists():
        wanted["NODE_EXTRA_CA_CERTS"] = str(CERTIFICATES)
    if "UV_DEFAULT_INDEX" not in given and (index := pip_index()):
        wanted["UV_DEFAULT_INDEX"] = index
    return {name: value for name, value in wanted.items() if name not in given}


@cache
def pip_index() -> str:
    """The index that pip is configured to use, by this interpreter's pip or else the base one's; empty: the default."""
    for python in dict.fromkeys((sys.executable, str(Path(sys.base_prefix) / "bin" / "python3"))):
        argv = [python, "-I", "-m", "pip", "config", "list"]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            found = INDEX.search(done.stdout)
            return found[1] if found else ""
    return ""


if __name__ == "__main__":
    for name, value in added(dict(os.environ)).items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
