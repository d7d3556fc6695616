from __future__ import annotations

from collections.abc import Callable

import pytest

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
