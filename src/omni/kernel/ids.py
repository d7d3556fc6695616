"""Identifiers that sort by the time they were made."""

from __future__ import annotations

import secrets
import threading
import time
import uuid

_lock = threading.Lock()
_last_ms = 0
_last_random = 0
_RANDOM_BITS = 74  # rand_a (12) and rand_b (62), read as one counter


def uuid7() -> str:
    """A UUIDv7 (RFC 9562, section 5.7, monotonic by section 6.2, method 2): 48 bits of Unix milliseconds, then random.

    Within a process each is greater than the one before it, as text too.
    """
    global _last_ms, _last_random  # noqa: PLW0603 - the order within a process is what this module keeps
    with _lock:
        ms = time.time_ns() // 1_000_000
        if ms > _last_ms:
            _last_ms, _last_random = ms, secrets.randbits(_RANDOM_BITS - 1)
        else:
            # The step is random, so that a forked child which shares this state does not repeat its parent's ids.
            _last_random += 1 + secrets.randbits(32)
            if _last_random >> _RANDOM_BITS:
                _last_ms, _last_random = _last_ms + 1, secrets.randbits(_RANDOM_BITS - 1)
        ms, random = _last_ms, _last_random
    value = ms << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return str(uuid.UUID(int=value))
