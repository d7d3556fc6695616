"""API keys: found by their names when they are needed, and never written anywhere by Omni."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from omni.kernel.errors import Exit, OmniError, declare

UNSAFE_KEY = declare("M006", "A key can't be read", Exit.NOT_ALLOWED, "Make it readable by you alone: chmod 600 FILE")

FOLDER = "secrets"
"""In the Omni home: a file for each key, named as the reference is."""


def read_key(home: Path, name: str, environ: Mapping[str, str] | None = None) -> SecretStr | None:
    """The key called `name`: of the environment, else of the file; None when neither has it.

    Raises OmniError (M006) for a file that others may read, for a link, and for a name that is a path.
    """
    value = (os.environ if environ is None else environ).get(name, "").strip()
    if value:
        return SecretStr(value)
    path = home / FOLDER / name
    if path.parent != home / FOLDER or name in ("", ".", ".."):
        raise OmniError(UNSAFE_KEY, f"{name!r} is no name of a file", fix="Name an environment variable or a file.")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OmniError(UNSAFE_KEY, error.strerror or str(error), where=str(path)) from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
            raise OmniError(UNSAFE_KEY, "others may read it, or it is no plain file", where=str(path))
        return SecretStr(file.read().decode().strip())
