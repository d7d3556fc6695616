from __future__ import annotations

from collections.abc import Callable

import pytest

Found = Callable[..., list[str]]

HELPER = """
import time
import requests
def fetch(url):
    return requests.get(url, timeout=3)
def twice(url):
    return fetch(url), fetch(url)
def shape(value):
    return str(value)
class Client:
    def pause(self):
        time.sleep(1)
    async def run(self):
        self.pause()
"""


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("async def handle():\n    return fetch('a')\n", [3]),
        ("async def handle():\n    return twice('a')\n", [3]),
        ("async def handle():\n    return shape('a')\n", []),
        ("async def handle():\n    return await asyncio.to_thread(fetch, 'a')\n", []),
        ("def handle():\n    return fetch('a')\n", []),
        ("async def handle():\n    def later():\n        return fetch('a')\n    return await run(later)\n", []),
    ],
)
def test_called(found: Found, source: str, lines: list[int]) -> None:
    files = {"app/http.py": HELPER, "app/a.py": "from app.http import fetch, twice, shape\n" + source}
    expected = [f"warning blocks-through-a-call app/a.py:{line}" for line in lines]
    assert found("blocking-calls", files) == [*expected, "warning blocks-through-a-call app/http.py:14"]
