from __future__ import annotations

from collections.abc import Callable

import pytest

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
