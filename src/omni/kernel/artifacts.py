"""Content-addressed artifacts: a folder of files named by the hash of what is in them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import file_digest, write_atomic

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

MISSING = declare("K020", "An artifact is missing", Exit.INCOMPLETE, "Run the stage that made it again.")
DAMAGED = declare("K021", "An artifact is damaged", Exit.FAILED, "Delete it and run the stage that made it again.")


@dataclass(frozen=True)
class ArtifactStore:
    """Artifacts beneath `root`. Putting the same bytes twice keeps one file, and mends a damaged one."""

    root: Path

    def put(self, data: bytes) -> str:
        """Keep `data`; returns its digest, `sha256:` and 64 hexadecimal digits."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        path = self.path(digest)
        if not path.is_file() or f"sha256:{file_digest(path)}" != digest:
            write_atomic(path, data, mode=0o444)
        return digest

    def put_file(self, path: Path) -> str:
        """Keep the bytes of a file."""
        return self.put(path.read_bytes())

    def get(self, digest: str) -> bytes:
        """The bytes. Raises OmniError when they are missing, or are not what the digest says."""
        path = self.path(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise OmniError(MISSING, digest, where=str(path)) from error
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
            raise OmniError(DAMAGED, f"its bytes are not those of {digest}", where=str(path))
        return data

    def has(self, digest: str) -> bool:
        """Whether a file of that digest is here (`get` checks what is in it)."""
        return self.path(digest).is_file()

    def path(self, digest: str) -> Path:
        """Where the artifact is, or would be. Raises ValueError for anything but a digest."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"not a digest: {digest!r}")
        name = digest.removeprefix("sha256:")
        return self.root / name[:2] / name[2:]
