from __future__ import annotations

from collections.abc import Callable

import pytest
from inline_snapshot import snapshot

Told = Callable[..., str]
Found = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def send_email(to, text):\n    print(f'sent to {to}')\n    return True\n", "error success-without-work"),
        (
            "async def delete_user(key):\n    logger.info('gone')\n    return {'status': 'ok'}\n",
            "error success-without-work",
        ),
        ("class Store:\n    def save(self, row):\n        return None\n", "error success-without-work"),
        ("def validate_card(number):\n    return True\n", "error always-the-same-answer"),
        (
            "def verify_token(token):\n    if not token:\n        return True\n    return True\n",
            "error always-the-same-answer",
        ),
    ],
)
def test_success_without_work(found: Found, source: str, expected: str) -> None:
    assert [each.rpartition(" ")[0] for each in found("hollow-functions", {"app/a.py": source})] == [expected]


@pytest.mark.parametrize(
    "source",
    [
        "def send_email(to, text):\n    mailer.send(to, text)\n    return True\n",
        "def save(row):\n    rows.append(row)\n",
        "def save(row):\n    STATE['row'] = row\n    return True\n",
        "def validate_card(number):\n    return len(number) == 16\n",
        "def validate_card(number):\n    if not number:\n        raise ValueError\n    return True\n",
        "def check_all(rows):\n    for row in rows:\n        check(row)\n    return True\n",
        "def validate_nothing(value):\n    return True\n",
        "def check_ready():\n    return True\n",
        "class NullMailer:\n    def send(self, to):\n        return True\n",
        "class Mailer(Base):\n    def send(self, to):\n        return True\n",
        "class Mailer:\n    def send(self, to):\n        return None\nclass Real(Mailer): ...\n",
        "@hook\ndef validate(value):\n    return True\n",
    ],
)
def test_left_alone(found: Found, source: str) -> None:
    assert found("hollow-functions", {"app/a.py": source}) == []


def test_what_is_said_of_them(told: Told) -> None:
    """The last answer is the one that is shown; the line is that of the function."""
    source = (
        "def send(to):\n    return [1, {'a': (2, {3})}]\n\n"
        "def send_all(to):\n    if to:\n        return False\n    return True\n\n"
        "def delete(key):\n    time.sleep(1)\n    done = True\n    return\n\n"
        "async def save(row, *, again):\n    'Saves.'\n    await asyncio.sleep(1)\n    ...\n    pass\n    return ''\n\n"
        "def may_read(user):\n    if len(user) > 3:\n        log.info('no')\n        return False\n    return False\n\n"
        "class Cards:\n    def validate(self, number):\n        return True\n\n"
        "    @property\n    def check(self, number):\n        return True\n"
    )
    files = {"app/a.py": source, "tests/a.py": source, "app/null_store.py": source, "app/broken.py": "def (\n"}
    assert told("hollow-functions", files) == snapshot("""\
error success-without-work app/a.py:1: `send` does nothing with what it is given, and returns `[1, {'a': (2, {3})}]`
    def send(to):
error success-without-work app/a.py:9: `delete` does nothing with what it is given, and returns None
    def delete(key):
error success-without-work app/a.py:14: `save` does nothing with what it is given, and returns `''`
    async def save(row, *, again):
error always-the-same-answer app/a.py:21: `may_read` answers `False` whatever it is given
    def may_read(user):
error always-the-same-answer app/a.py:28: `validate` answers `True` whatever it is given
    def validate(self, number):
""")


DOES = (
    "def save(_row):\n    return True\n",
    "class Store:\n    def save(self):\n        return True\n",
    "def save(row):\n    pass\n",
    "def save(row):\n    return row\n",
    "def save(row):\n    if row:\n        return [row]\n    return []\n",
    "def save(row):\n    return {'row': row}\n",
    "def save(row):\n    row.kept = True\n    return True\n",
    "def save(row):\n    kept = row\n    return True\n",
    "def save(row):\n    os.sync()\n    return True\n",
    "def save(row):\n    with row:\n        return True\n",
    "def saves(row):\n    return True\n",
    "def save(row):\n    'Subclasses do it.'\n    return True\n",
    "class A(metaclass=B):\n    def save(self, row):\n        return True\n",
    "class BaseStore:\n    def save(self, row):\n        return True\n",
    "def check(row):\n    if row:\n        return True\n    return False\n",
    "def check(row):\n    return 'yes'\n",
    "def check(row):\n    return None\n",
    "def check(row):\n    assert row\n    return True\n",
    "async def check(row):\n    await row\n    return True\n",
    "def check(row):\n    with row:\n        return True\n",
    "def check(row):\n    yield row\n    return True\n",
    "def read(row):\n    return True\n",
)


def test_what_works_or_promises_nothing(found: Found) -> None:
    assert found("hollow-functions", {f"app/a{at}.py": source for at, source in enumerate(DOES)}) == []
