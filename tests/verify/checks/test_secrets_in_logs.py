from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of, told

from omni.verify.check import Unseen
from omni.verify.checks import secrets_in_logs
from omni.verify.report import Finding

Write = Callable[[Mapping[str, str | bytes]], Path]
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


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("logger.info(password, api_key, password)", "`password`, `api_key`"),
        ("logger.info(f'{user.password!r}', x=form['jwt'])", "`user.password`, `form['jwt']`"),
        ("self.log.warning([password, {'a': db_password}])", "`password`, `db_password`"),
        ("log.bind(a=1).bind(b=2).info(password)", "`password`"),
        ("structlog.get_logger().info(password)", "`password`"),
        ("logging.getLogger('a').bind(b=1).error(password)", "`password`"),
        ("logger.info(other(password, key=client_secret))", "`password`, `client_secret`"),
        ("logger.info(password if a else id_token)", "`password`, `id_token`"),
        ("print(form['password'])", "`form['password']`"),
        ("logger.info(hash(password), id(jwt), sha256(jwt), mask(jwt), len(jwt))", ""),
        ("logger.info(PASSWORD, has_password, password_hash, min_password, secret_id)", ""),
        ("logger.info(form['password_hash'], form['has_password'], form[0], form[password_id])", ""),
        ("logger.info(password == jwt, password and jwt, not password, lambda: password)", ""),
        ("logger.info(wrong_passwords, forget, token)", ""),
        ("logger.password(jwt)", ""),
        ("catalog.info(jwt)", ""),
        ("find().info(jwt)", ""),
        ("info(jwt)", ""),
        ("self.print(jwt)", ""),
    ],
)
def test_what_is_shown_of_a_call(write: Write, line: str, shown: str) -> None:
    items = list(secrets_in_logs.run(context_of(write({"a.py": HEAD + line + "\n"}), "secrets-in-logs")))
    rule = "warning secret-printed" if line.startswith("print") else "error secret-in-log"
    assert told(items) == ([f"{rule} a.py:3 {shown} is written to the log"] if shown else [])
    assert all(isinstance(each, Finding) and each.snippet == line for each in items)


def test_what_is_beside_the_product_is_left_alone_and_what_does_not_parse_is_unseen(write: Write) -> None:
    files = {
        "docs/a.py": "print(password)\n",
        "b.py": "print(\n",
        "c.py": "write(\n",
        "d.py": "print(password)\n",
        "e.py": "write(password)\n",
    }
    items = list(secrets_in_logs.run(context_of(write(files), "secrets-in-logs")))
    assert [type(each) for each in items] == [Unseen, Finding]
    assert [each.path for each in items if isinstance(each, Unseen | Finding)] == ["b.py", "d.py"]
