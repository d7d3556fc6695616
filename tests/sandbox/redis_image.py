"""A real Redis as an image, made of this machine's own program and its libraries: no registry is needed."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from omni.sandbox.engine import Engine

NAME = "omni-test-redis:1"


def redis_image(host: Engine) -> str:
    """Its name, once it is in the engine. Skips the test where there is no Redis."""
    programs = [shutil.which(name) for name in ("redis-server", "redis-cli")]
    if not all(programs):
        pytest.skip("Redis is not installed: apt-get install redis-server")
    if not host.has(NAME):
        start = ("-c", 'ENTRYPOINT ["/usr/bin/redis-server"]', "-c", 'CMD ["--save", ""]')
        host.ask("import", *start, "-", NAME, stdin=_archive([Path(each) for each in programs if each]))
    return NAME


def _archive(programs: list[Path]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        libraries: set[str] = set()
        for program in programs:
            tar.add(program.resolve(), f"usr/bin/{program.name}")
            told = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
            libraries |= set(re.findall(r"/\S+", told))
        for library in sorted(libraries):
            tar.add(Path(library).resolve(), library[1:])
    return archive.getvalue()
