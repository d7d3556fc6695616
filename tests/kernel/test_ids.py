from __future__ import annotations

import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from omni.kernel.ids import uuid7


def test_it_is_a_uuid_of_version_7_with_the_time_in_front() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(uuid7())
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 1


def test_each_is_greater_than_the_one_before() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(set(made))


def test_it_stays_in_order_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert uuid7() > first


def test_threads_never_share_one() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: uuid7(), range(4000)))
    assert len(set(made)) == len(made)


def test_a_forked_child_does_not_repeat_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    uuid7()
    now = time.time_ns() + 10**10
    monkeypatch.setattr(time, "time_ns", lambda: now)
    uuid7()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, uuid7().encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as pipe:
        assert pipe.read() != uuid7()
