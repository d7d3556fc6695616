"""What the file system says of a file, by which a change is noticed without reading it."""

from __future__ import annotations

import os
import stat

SETTLED = 2_000_000_000
"""Nanoseconds that a file has to have rested: a second change within one tick of the clock leaves the times alone."""


def at(path: str) -> tuple[int, ...]:
    """Times, place, mode and size; nothing where there is no file. A folder's times tell of names that come and go."""
    try:
        status = os.lstat(path)
    except OSError:
        return ()
    return of(status)


def of(status: os.stat_result) -> tuple[int, ...]:
    place = (status.st_dev, status.st_ino, status.st_mode)
    size = 0 if stat.S_ISDIR(status.st_mode) else status.st_size
    return (status.st_mtime_ns, status.st_ctime_ns, *place, size)


def settled(mark: tuple[int, ...], now: int) -> bool:
    """Whether another mark is sure to follow from another change; `now` is in nanoseconds of Unix time."""
    return now - max(mark[:2]) > SETTLED
