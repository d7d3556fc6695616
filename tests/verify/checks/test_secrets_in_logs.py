from __future__ import annotations

from collections.abc import Callable

import pytest

Found = Callable[..., list[str]]
HEAD = "import logging\nlogger = logging.getLogger(__name__)\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("logger.info(f'login of {name} with {password}')", "error secret-in-log"),
        ("logger.debug('key %s', settings.api_key)", "error secret-in-log"),
        ("logger.info('made', extra={'t': user.access_token})", "error secret-in-log"),
        ("logging.getLogger('a').error('bad: ' + form['password'])", "error secret-in-log"),
        ("log.bind(a=1).info('got', value=str(client_secret))", "error secret-in-log"),
        ("print(password)", "warning secret-printed"),
    ],
)
def test_logged(found: Found, line: str, expected: str) -> None:
    assert found("secrets-in-logs", {"a.py": HEAD + line + "\n"}) == [f"{expected} a.py:3"]


@pytest.mark.parametrize(
    "line",
    [
        "logger.info('password changed')",
        "logger.info('strong: %s', len(password) > 8)",
        "logger.info('key %s', mask(api_key))",
        "logger.info('hash %s', user.password_hash)",
        "logger.info('given' if password else 'missing')",
        "logger.info('token %s', token)",  # of a parser, most of the time
        "catalog.info(password)",
        "logger.setLevel(password)",
    ],
)
def test_left_alone(found: Found, line: str) -> None:
    assert found("secrets-in-logs", {"a.py": HEAD + line + "\n"}) == []
