from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("db.execute(f\"SELECT * FROM users WHERE name = '{name}'\")", "error value-in-sql"),
        ("db.execute(\"SELECT a FROM users WHERE name = '%s'\" % name)", "error value-in-sql"),
        ("db.execute('SELECT a FROM users WHERE id = ' + name)", "error value-in-sql"),
        ("db.execute('DELETE FROM users WHERE id = {}'.format(name))", "error value-in-sql"),
        ("q = 'SELECT a FROM t WHERE b = 1'\n    q += f' AND c = {name}'\n    db.execute(q)", "error value-in-sql"),
        ("db.execute(text(f'UPDATE t SET a = {name}'))", "error value-in-sql"),
        ("db.execute(f\"SELECT a FROM t WHERE b = 'from {name}'\")", "error value-in-sql"),
        ("db.execute(f'SELECT a FROM {name}')", "warning name-in-sql"),
        ("db.execute(f'SELECT a FROM t ORDER BY {name}')", "warning name-in-sql"),
        ("db.execute('SELECT a FROM t WHERE b = ?', (name,))", ""),
        ("db.execute(f'SELECT a FROM {TABLE} WHERE b = ?', (name,))", ""),
        ("db.execute(f'SELECT a FROM t LIMIT {int(name)}')", ""),
        ("db.execute(f\"SELECT a FROM t WHERE b IN ({','.join('?' for _ in name)})\", name)", ""),
        ("q = 'SELECT a FROM t'\n    db.execute(f'{q} WHERE b = 1')", ""),
        ("runner.execute(f'build {name}')", ""),
        ("db.execute(select(User).where(User.name == name))", ""),
    ],
)
def test_statement(found: Found, source: str, expected: str) -> None:
    code = f"TABLE = 't'\n\ndef f(db, name):\n    {source}\n"
    line = 4 + source.count("\n")
    assert found("sql-injection", {"app.py": code}) == ([f"{expected} app.py:{line}"] if expected else [])


def test_in_a_test_it_is_the_tests_own_value(found: Found) -> None:
    code = "def test_a(db, name):\n    db.execute(f\"SELECT a FROM t WHERE b = '{name}'\")\n"
    assert found("sql-injection", {"tests/test_a.py": code}) == ["warning name-in-sql tests/test_a.py:2"]


def test_finding_says_why_and_how(look: Look) -> None:
    (finding,) = look(
        "sql-injection", {"a.py": "def f(db, x):\n    db.execute('SELECT a FROM t WHERE b=' + x)\n"}
    ).findings
    assert (finding.cwe, finding.message) == ("CWE-89", "SQL is put together from `x`")
    assert "placeholder" in finding.fix
    assert "quote" in finding.why
