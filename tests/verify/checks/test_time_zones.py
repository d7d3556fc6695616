from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of

from omni.verify.check import Unseen
from omni.verify.checks import time_zones
from omni.verify.report import Finding

Write = Callable[[Mapping[str, str | bytes]], Path]
Found = Callable[..., list[str]]
HEAD = "from datetime import UTC, datetime, timedelta\nimport datetime as dt\n"


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return datetime.now(UTC) - datetime.utcnow()\n",
        "def f():\n    end = datetime.now() + timedelta(hours=1)\n    return end < datetime.now(UTC)\n",
        "def now():\n    return datetime.now(tz=UTC)\ndef f(text):\n    return datetime.strptime(text, '%Y') < now()\n",
        "def f():\n    start = datetime(2020, 1, 1)\n    return start.replace(hour=3) > datetime.now(UTC)\n",
        "def f():\n    return datetime.now().replace(tzinfo=UTC) < datetime.now()\n",
    ],
)
def test_they_meet(found: Found, source: str) -> None:
    assert [each.split()[1] for each in found("time-zones", {"a.py": HEAD + source})] == ["naive-meets-aware"]


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return datetime.now(UTC) - timedelta(1)\n",
        "def f():\n    return datetime.now(UTC) - datetime.utcnow().replace(tzinfo=UTC)\n",
        "def f(text):\n    return datetime.strptime(text, '%Y %z') < datetime.now(UTC)\n",
        "def f(when):\n    return when < datetime.now(UTC)\n",
        "def f(zone):\n    return datetime.now(zone) < datetime.now()\n",
        "def f(x):\n    end = datetime.now()\n    end = x\n    return end < datetime.now(UTC)\n",
        "def f():\n    try:\n        return datetime.now() < datetime.now(UTC)\n    except TypeError:\n        ...\n",
        "def f():\n    return datetime.now() == datetime.now(UTC)\n",
    ],
)
def test_they_do_not(found: Found, source: str) -> None:
    assert found("time-zones", {"a.py": HEAD + source}) == []


NAIVE = (
    "datetime.utcnow()",
    "datetime.today()",
    "datetime.now()",
    "datetime.now(None)",
    "datetime.fromtimestamp(x)",
    "datetime.utcfromtimestamp(x)",
    "dt.datetime.now()",
    "datetime(2020, 1, 1)",
    "datetime(2020, 1, 1, tzinfo=None)",
    "datetime(2020, 1, 1, 0, 0, 0, 0)",
    "datetime.strptime(x, '%Y')",
    "datetime.now(UTC).replace(tzinfo=None)",
    "datetime.now().replace(hour=3)",
    "datetime.now() + timedelta(1)",
    "datetime.now() - timedelta(1)",
    "local()",
)
AWARE = (
    "datetime.now(UTC)",
    "datetime.now(tz=UTC)",
    "datetime.now(dt.timezone.utc)",
    "datetime.now(ZoneInfo('Europe/Berlin'))",
    "datetime.fromtimestamp(x, UTC)",
    "datetime.fromtimestamp(x, tz=UTC)",
    "datetime(2020, 1, 1, tzinfo=UTC)",
    "datetime(2020, 1, 1, 0, 0, 0, 0, UTC)",
    "datetime.strptime(x, '%Y %z')",
    "datetime.now().replace(tzinfo=UTC)",
    "datetime.now().astimezone()",
    "datetime.now(UTC).astimezone(x)",
    "datetime.now(UTC).replace(hour=3)",
    "datetime.now(UTC) + timedelta(1)",
    "world()",
)
UNKNOWN = (
    "x",
    "x()",
    "x.now()",
    "datetime",
    "datetime.now(x)",
    "datetime.now(x.zone)",
    "datetime(2020, 1, 1, tzinfo=x)",
    "datetime.now().replace(tzinfo=x)",
    "datetime.now(tz=x)",
    "datetime.fromtimestamp(UTC, x)",
    "datetime.fromtimestamp(x, None)[0]",
    "datetime.strptime(x)",
    "datetime.strptime(x, x)",
    "datetime.fromisoformat(x)",
    "datetime(2020, 1)",
    "x.replace(tzinfo=UTC)",
    "x.astimezone()",
    "x.replace(hour=3)",
    "datetime.now() + x",
    "datetime.now() * timedelta(1)",
    "datetime.now() - datetime.now()",
    "datetime.now().date()",
    "either()",
    "nothing()",
)
FUNCTIONS = """\
def local():
    return datetime.now()

def world():
    if local():
        return datetime.now(UTC)
    return datetime.fromtimestamp(0, UTC)

def either():
    if local():
        return datetime.now(UTC)
    return datetime.now()

def nothing():
    return

"""


def meetings(write: Write, code: str) -> list[str]:
    """`line message` of what is found in the code, which stands below four lines."""
    items = list(time_zones.run(context_of(write({"a.py": HEAD + code}), "time-zones")))
    assert all(isinstance(each, Finding) and each.rule == "naive-meets-aware" for each in items)
    return [f"{each.line} {each.message}" for each in items if isinstance(each, Finding)]


def test_each_way_to_make_a_time_with_and_without_a_zone(write: Write) -> None:
    """Beside a time with a zone, each without one is found; beside one without, each with one; what is unsure never."""
    compared = {
        "datetime.now(UTC)": NAIVE,
        "datetime.now()": AWARE,
    }
    for other, kinds in compared.items():
        code = FUNCTIONS + "".join(f"({each}) < {other}\n" for each in (*NAIVE, *AWARE, *UNKNOWN))
        found = [each.partition(" ")[2] for each in meetings(write, code)]
        expected = [
            f"`{ast.unparse(ast.parse(f'({each}) < {other}'))}` has a time zone on one side only" for each in kinds
        ]
        assert found == expected


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        (
            "a = datetime.now()\nb = datetime.now(UTC)\na <= b\na >= b\na > b\na - b\na + b\na != b\na is b\n",
            [5, 6, 7, 8],
        ),
        ("a = datetime.now()\nb = datetime.now(UTC)\n0 < a < b\n0 < a == b\n", [5]),
        ("a = b = datetime.now()\na < datetime.now(UTC)\n", [4]),
        ("a, b = datetime.now(), 1\na < datetime.now(UTC)\n", []),
        ("def f(a):\n    a = datetime.now()\n    return a < datetime.now(UTC)\n", []),
        ("a = datetime.now()\ndef f():\n    return a < datetime.now(UTC)\n", []),
        ("def f():\n    def g():\n        return datetime.now() < datetime.now(UTC)\n    return g\n", [5]),
        ("f = lambda: datetime.now() < datetime.now(UTC)\n", []),
        ("with pytest.raises(TypeError):\n    datetime.now() < datetime.now(UTC)\n", []),
        ("with open(x) as file:\n    datetime.now() < datetime.now(UTC)\n", [4]),
        ("try:\n    datetime.now() < datetime.now(UTC)\nexcept:\n    pass\n", []),
        ("try:\n    datetime.now() < datetime.now(UTC)\nexcept (TypeError, KeyError):\n    pass\n", []),
        ("try:\n    datetime.now() < datetime.now(UTC)\nexcept KeyError:\n    pass\n", [4]),
        ("try:\n    datetime.now() < datetime.now(UTC)\nfinally:\n    pass\n", [4]),
    ],
)
def test_where_they_meet(write: Write, code: str, lines: list[int]) -> None:
    assert [int(each.split()[0]) for each in meetings(write, code)] == lines


def test_a_file_that_does_not_parse_is_unseen_where_it_speaks_of_times(write: Write) -> None:
    context = context_of(write({"a.py": "x = (\n", "b.py": "import datetime (\n", "c.py": HEAD}), "time-zones")
    items = list(time_zones.run(context))
    assert [each.path for each in items if isinstance(each, Unseen)] == ["b.py"]
    assert len(items) == 1
