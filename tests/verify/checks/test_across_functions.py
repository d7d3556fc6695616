from __future__ import annotations

from collections.abc import Callable

import pytest

Found = Callable[..., list[str]]

STORE = """\
def find(items, key):
    for item in items:
        if item.key == key:
            return item


def lookup(items, key):
    return find(items, key)


def sure(items, key) -> object:
    return find(items, key)


def name_of(item):
    return item.name


def lenient(item):
    return item.name if item else ""


class Shop:
    def order(self, key):
        if key:
            return key
        return None

    def title(self, key):
        return self.order(key).title
"""


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("return find(items, key).name", 5),
        ("return lookup(items, key).name", 5),
        ("return lookup(items, key)[0]", 5),
        ("item = lookup(items, key)\n    return item.name", 6),
        ("item = lookup(items, key)\n    other = 1\n    return item.name", 7),
        ("return name_of(find(items, key))", 5),
        ("return name_of(item=lookup(items, key))", 5),
        ("item = find(items, key)\n    if item is None:\n        return ''\n    return item.name", 0),
        ("item = find(items, key)\n    return item and item.name", 0),
        ("if find(items, key):\n        return find(items, key).name", 0),
        ("return lenient(find(items, key))", 0),
        ("item = find(items, key)\n    check(item)\n    return item.name", 0),
        ("try:\n        return find(items, key).name\n    except AttributeError:\n        return ''", 0),
        ("return sure(items, key).name", 0),
        ("find = dict\n    return find(items, key).name", 0),
    ],
)
def test_none(found: Found, body: str, line: int) -> None:
    use = f"from store import find, lenient, lookup, name_of, sure\n\n\ndef use(items, key):\n    {body}\n"
    clean = STORE.replace("self.order(key).title", "self.order(key)")
    expected = [f"error may-be-none use.py:{line}"] if line else []
    assert found("none-dereference", {"store.py": clean, "use.py": use}) == expected


def test_none_of_a_method(found: Found) -> None:
    assert found("none-dereference", {"store.py": STORE}) == ["error may-be-none store.py:30"]


def test_the_way_is_named(look: Callable[..., object]) -> None:
    use = "from store import lookup\n\n\ndef use(items, key):\n    return lookup(items, key).name\n"
    clean = STORE.replace("self.order(key).title", "self.order(key)")
    (finding,) = look("none-dereference", {"store.py": clean, "use.py": use}).findings  # type: ignore[attr-defined]
    assert finding.message == (
        "in `use` what `lookup` returns is used as if it were never None; "
        "`lookup` passes on that `find` gives None in store.py:2"
    )


FILES = """\
import socket


def connect(path):
    handle = open(path)
    return handle


def again(path):
    return connect(path)


def read(handle):
    return handle.read()


def close(handle):
    handle.close()
"""


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("handle = connect(path)\n    return handle.read()", 5),
        ("handle = again(path)\n    for line in handle:\n        print(line)", 5),
        ("handle = connect(path)\n    return read(handle)", 5),
        ("return again(path).read()", 5),
        ("handle = open(path)\n    handle.read()", 5),
        ("handle = socket()\n    handle.send(b'')", 5),
        ("with connect(path) as handle:\n        return handle.read()", 0),
        ("handle = connect(path)\n    with handle:\n        return handle.read()", 0),
        ("handle = connect(path)\n    try:\n        return handle.read()\n    finally:\n        handle.close()", 0),
        ("handle = connect(path)\n    close(handle)", 0),
        ("handle = connect(path)\n    return handle", 0),
        ("handle = connect(path)\n    keep.append(handle)", 0),
        ("handle = connect(path)\n    self.handle = handle", 0),
        ("handle = connect(path)\n    return {'handle': handle}", 0),
        ("handle = connect(path)\n    return lambda: handle.close()", 0),
        ("handle = None\n    if path:\n        handle = connect(path)\n    return 1", 0),
        ("return connect(path)", 0),
        ("open = len\n    handle = open(path)\n    return handle + 1", 0),
    ],
)
def test_leaks(found: Found, body: str, line: int) -> None:
    names = "from files import again, close, connect, read\nfrom socket import socket\n"
    use = f"{names}\ndef use(path, keep, self):\n    {body}\n"
    expected = [f"error never-closed use.py:{line}"] if line else []
    assert found("resource-leaks", {"files.py": FILES, "use.py": use}) == expected


def test_tests_are_left_alone(found: Found) -> None:
    text = "def test_it(path):\n    handle = open(path)\n    handle.read()\n"
    assert found("resource-leaks", {"tests/test_it.py": text}) == []
