"""Keys: UUID version 7 (RFC 9562, section 5.7), which sort by the time at which they were made."""

from __future__ import annotations

import os
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """A new key, greater than every key that this process made before."""
    global _last  # noqa: PLW0603 - one clock for the process
    with _lock:
        stamp = max(time.time_ns() // 1_000_000 << 12 | int.from_bytes(os.urandom(2)) >> 4, _last + 1)
        _last = stamp
    tail = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
    return uuid.UUID(int=(stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | tail)
