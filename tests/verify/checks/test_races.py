"""Programs with a race, and their twins without; each line that is told has a comment that says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of, told

from omni.verify.checks import races
from omni.verify.report import Finding

Write = Callable[[Mapping[str, str | bytes]], Path]


def lines(write: Write, code: str, **more: str) -> list[str]:
    """Which rule tells of which line."""
    context = context_of(write({"app/core.py": code, **more}), "races")
    return [re.sub(r" app/core.py:(\d+) .*", r" \1", each) for each in told(races.run(context))]


def marked(code: str) -> list[str]:
    """`# error unguarded` at the end of a line."""
    found = [(number, line.partition("  # ")[2]) for number, line in enumerate(code.splitlines(), 1)]
    return [f"{mark} {number}" for number, mark in found if mark]


POOL = """\
import threading


class Pool:
    def __init__(self):
        self.lock = threading.Lock()
        self.size = 0
        self.items = {}
        self.made = None
        self.fill()

    def fill(self):
        self.size += 1

    def grow(self, key):
        with self.lock:
            self.size += 1
            self.items[key] = key
            self.made = key
            self._inner()

    def _inner(self):
        self.size += 1
"""


@pytest.mark.parametrize(
    "method",
    [
        "def shrink(self):\n        self.size -= 1  # error unguarded",
        "def shrink(self):\n        self.size = self.size - 1  # error unguarded",
        "def shrink(self):\n        with self.lock:\n            self.size -= 1",
        (
            "def shrink(self):\n        self.lock.acquire()\n        try:\n            self.size -= 1\n"
            "        finally:\n            self.lock.release()"
        ),
        (
            "def shrink(self):\n        self.lock.acquire()\n        self.lock.release()\n"
            "        self.size -= 1  # error unguarded"
        ),
        "def shrink_locked(self):\n        self.size -= 1",
        "def shrink(self):\n        '''The caller holds the lock.'''\n        self.size -= 1",
        "@synchronized\n    def shrink(self):\n        self.size -= 1",
        "async def shrink(self):\n        self.size -= 1",
        "def read(self):\n        return self.size",
        "def clear(self):\n        self.size = 0",
        (
            "def once(self, key):\n        if key not in self.items:  # error unguarded\n"
            "            self.items[key] = [key]"
        ),
        (
            "def once(self, key):\n        if key in self.items:  # error unguarded\n            return\n"
            "        self.items[key] = [key]"
        ),
        (
            "def once(self, key):\n        if key not in self.items:\n            with self.lock:\n"
            "                self.items.setdefault(key, [key])"
        ),
        (
            "def once(self, key):\n        try:\n            return self.items[key]  # error unguarded\n"
            "        except KeyError:\n            self.items[key] = [key]"
        ),
        (
            "def lazily(self):\n        if self.made is None:  # error unguarded\n            self.made = Pool()\n"
            "        return self.made"
        ),
        "def all(self):\n        for each in self.items.values():  # error unguarded\n            print(each)",
        "def all(self):\n        return [each for each in self.items]  # error unguarded",
        "def all(self):\n        for each in list(self.items):\n            print(each)",
        "def all(self):\n        with self.lock:\n            return [each for each in self.items]",
        "def hand(self):\n        return self._shrink\n\n    def _shrink(self):\n        self.size -= 1",
        "def _never(self):\n        self.size -= 1",
    ],
)
def test_what_is_changed_under_a_lock_is_changed_under_it_everywhere(write: Write, method: str) -> None:
    code = f"{POOL}\n    {method}\n"
    assert lines(write, code) == marked(code)


def test_a_method_below_is_called_as_the_one_above_is(write: Write) -> None:
    """Who holds the lock and calls it calls that of a class below, too."""
    below = "\n\nclass Own(Pool):\n    def _inner(self):\n        self.size += 2\n"
    assert lines(write, POOL + below) == []


THREADED = """\
import threading
from concurrent.futures import ThreadPoolExecutor
from flask import Flask

app = Flask(__name__)
hits = 0
waiting = {{}}
local = threading.local()


class Own:
    made = None


def work():
    global hits
    {work}


{start}
"""
IN_A_POOL = "with ThreadPoolExecutor(4) as pool:\n    pool.submit(work)"


@pytest.mark.parametrize(
    ("work", "start"),
    [
        ("hits += 1  # error unguarded", IN_A_POOL),
        ("hits += 1  # error unguarded", "pool = ThreadPoolExecutor()\npool.map(work, [1])"),
        ("hits += 1  # error unguarded", "for each in 'ab':\n    threading.Thread(target=work).start()"),
        ("hits += 1  # error unguarded", "@app.route('/')\ndef page():\n    work()"),
        ("hits += 1  # error unguarded", "import asyncio\nasync def main():\n    await asyncio.to_thread(work)"),
        ("hits += 1", "with ThreadPoolExecutor(1) as pool:\n    pool.submit(work)"),
        ("hits += 1", "threading.Thread(target=work).start()"),
        ("hits += 1", "@app.route('/')\nasync def page():\n    work()"),
        ("hits = 1", IN_A_POOL),
        ("local.hits += 1", IN_A_POOL),
        ("hits = hits or 1", IN_A_POOL),
        ("waiting['a'] = 1", IN_A_POOL),
        ("if 'a' not in waiting: waiting['a'] = 1", IN_A_POOL),
        ("if 'a' not in waiting: waiting['a'] = []  # warning unguarded", IN_A_POOL),
        ("waiting['a'] += 1  # error unguarded", IN_A_POOL),
        ("if Own.made is None: Own.made = Own()  # warning unguarded", IN_A_POOL),
        ("if Own.made is None: Own.made = list('abc')", IN_A_POOL),
    ],
)
def test_what_several_threads_change_without_a_lock(write: Write, work: str, start: str) -> None:
    code = THREADED.format(work=work, start=start)
    assert lines(write, code) == marked(code)


WORKER = """\
import threading


class Worker(threading.Thread):
    def __init__(self):
        self.done = 0

    def run(self):
        self.done += 1  # {mark} unguarded

    {other}
"""


@pytest.mark.parametrize(
    ("other", "mark"),
    [
        ("def skip(self):\n        self.done += 1  # error unguarded", "error"),
        ("def reset(self):\n        self.done = 0", "warning"),
        ("def again(self):\n        self.done = 0\n        self.start()", ""),
        ("def last(self):\n        self.join()\n        self.done = 0", ""),
        ("def hand(self):\n        return lambda: self.reset()\n\n    def reset(self):\n        self.done = 0", ""),
        ("def read(self):\n        return self.done", ""),
    ],
)
def test_what_a_thread_and_another_change(write: Write, other: str, mark: str) -> None:
    code = WORKER.format(other=other, mark=mark)
    assert lines(write, code) == marked(code if mark else code.replace("  #  unguarded", ""))


LOCKS = """\
import threading


class Two:
    def __init__(self):
        self.a = threading.{kind}()
        self.b = threading.Lock()
        self.c = threading.Lock()

    def ab(self):
        with self.a:
            {ab}

    def _b(self):
        with self.b:
            pass

    def _a(self):
        {a}

    def ba(self):
        {ba}
"""
TAKE_A = "with self.a:\n            pass"
TAKE_B = "with self.b:\n                pass"


@pytest.mark.parametrize(
    ("kind", "ab", "a", "ba", "expected"),
    [
        ("Lock", TAKE_B, TAKE_A, "with self.b, self.a:\n            pass", ["error lock-order 12"]),
        ("RLock", "self._b()", TAKE_A, "with self.b:\n            self._a()", ["error lock-order 12"]),
        ("Lock", TAKE_B, TAKE_A, "with self.a, self.b:\n            pass", []),
        (
            "Lock",
            "self._b()",
            "if self.a.acquire(False):\n            return",
            "with self.b:\n            self._a()",
            [],
        ),
        ("Lock", "self._a()", TAKE_A, "pass", ["error taken-twice 12"]),
        ("Lock", "with self.a:\n                pass", TAKE_A, "pass", ["error taken-twice 12"]),
        ("RLock", "self._a()", TAKE_A, "pass", []),
        ("Lock", "Two()._a()", TAKE_A, "pass", []),
        ("Condition", "self._a()", TAKE_A, "pass", []),
    ],
)
def test_locks_that_wait_for_each_other(write: Write, kind: str, ab: str, a: str, ba: str, expected: list[str]) -> None:
    assert lines(write, LOCKS.format(kind=kind, ab=ab, a=a, ba=ba)) == expected


def test_two_orders_within_one_common_lock_are_no_deadlock(write: Write) -> None:
    around = "with self.c:\n            with self.b, self.a:\n                pass"
    code = LOCKS.format(kind="Lock", ab="pass", a=TAKE_A, ba=around)
    again = "\n    def both(self):\n        with self.c, self.a, self.b:\n            pass\n"
    assert lines(write, code + again) == []


CLIENT = """\
import asyncio
import threading


class Client:
    def __init__(self):
        self.session = None
        self.total = 0
        self.lock = asyncio.Lock()
        self.queue = asyncio.Queue()
        self.loop = asyncio.get_event_loop()

    {method}
"""


@pytest.mark.parametrize(
    "method",
    [
        (
            "async def get(self):\n        if self.session is None:  # warning awaits-in-between\n"
            "            self.session = await make_session()"
        ),
        (
            "async def get(self):\n        async with self.lock:\n            if self.session is None:\n"
            "                self.session = await make_session()"
        ),
        "async def get(self):\n        if self.session is None:\n            self.session = make_session()",
        "async def get(self):\n        if self.session is None:\n            self.session = await fetch_it()",
        "async def connect(self):\n        if self.session is None:\n            self.session = await make_session()",
        "async def add(self):\n        self.total += await count()  # warning awaits-in-between",
        "async def add(self):\n        more = await count()\n        self.total += more",
        (
            "async def end(self):\n        if self.session:\n            await self.session.close()\n"
            "            self.session = None"
        ),
    ],
)
def test_what_others_do_while_a_coroutine_awaits(write: Write, method: str) -> None:
    code = CLIENT.format(method=method)
    assert lines(write, code) == marked(code)


@pytest.mark.parametrize(
    "body",
    [
        "self.queue.put_nowait(1)  # error loop-from-thread",
        "self.loop.call_soon(print)  # error loop-from-thread",
        "asyncio.create_task(print())  # error loop-from-thread",
        "self.loop.call_soon_threadsafe(self.queue.put_nowait, 1)",
        "asyncio.run(print())\n        self.queue.put_nowait(1)",
        "print(self.queue)",
    ],
)
def test_only_the_thread_of_the_loop_touches_what_is_its_own(write: Write, body: str) -> None:
    started = "def start(self):\n        threading.Thread(target=self.feed).start()\n\n    def feed(self):\n        "
    code = CLIENT.format(method=started + body)
    assert lines(write, code) == marked(code)


def test_tests_and_files_that_can_not_be_read(write: Write) -> None:
    context = context_of(
        write({"tests/core.py": f"{POOL}\n    def f(self):\n        self.size -= 1\n", "b.py": "("}), "races"
    )
    assert [each[:13] for each in told(races.run(context))] == ["unseen b.py: "]


def test_what_people_read(write: Write) -> None:
    """Both places, what happens, and what to do."""
    code = f"{POOL}\n    def shrink(self):\n        self.size -= 1\n"
    (found,) = races.run(context_of(write({"app/core.py": code}), "races"))
    assert isinstance(found, Finding)
    assert (found.cwe, found.fix) == ("CWE-362", races.WITH_LOCK)
    assert found.message == (
        "`self.size` is read and stored again in `shrink` without `self.lock`, under which `grow` (app/core.py:17) "
        "changes it: of two threads that do so at once, one change is lost"
    )
