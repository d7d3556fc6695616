from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of

from omni.verify.check import Unseen
from omni.verify.checks import sql_injection
from omni.verify.report import CheckResult, Finding

Write = Callable[[Mapping[str, str | bytes]], Path]
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


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'SELECT %s FROM t WHERE b = %(c)d AND d = %r' % (a, b, c)", ["name `a`", "value `b`", "value `c`"]),
        ("'SELECT a FROM t WHERE b = %s AND c = %s' % a", ["value `a`", "value `a`"]),
        ("'SELECT {} FROM t WHERE b = {x} AND c = {}'.format(a, x=b)", ["name `a`", "value `b`", "value `b`"]),
        ("'SELECT a FROM t WHERE b = {}'.format()", []),
        ("'SELECT a FROM t WHERE b = {} AND c = {}'.format(3, a)", ["value `a`"]),
        ("'SELECT a FROM t WHERE b = ' + a.format(b)", ["value `a.format(b)`"]),
        ("'SELECT a FROM t WHERE b = ' + format(b)", ["value `format(b)`"]),
        ("'SELECT a FROM t WHERE b = ' + a % b", ["value `a % b`"]),
        ("'SELECT a FROM t WHERE b = ' + a * b", []),
        ("'SELECT a FROM t WHERE b = ' + (a - b)", ["value `a - b`"]),
        ("f\"SELECT a FROM t WHERE b = 'x' AND c = 'from {a}'\"", ["value `a`"]),
        ("f\"SELECT 'x' FROM {a}\"", ["name `a`"]),
        ("f'SELECT x FROM log_{a} WHERE b = {b}'", ["name `a`", "value `b`"]),
        ("f'SELECT {a}, {b} FROM t'", ["name `a`", "name `b`"]),
        ("f'UPDATE t SET {a} = {b}'", ["name `a`", "value `b`"]),
        ("f'INSERT INTO {a} ({b}) VALUES ({c})'", ["name `a`", "name `b`", "value `c`"]),
        ("f'SELECT a FROM t WHERE b > {a} LIMIT {b} OFFSET {c}'", ["value `a`", "value `b`", "value `c`"]),
        ("f'SELECT a FROM t {a}'", ["value `a`"]),
        ("f'{a} FROM t'", []),
        ("other(f'SELECT a FROM t WHERE b = {a}')", []),
        ("dedent(f'SELECT a FROM t WHERE b = {a}')", ["value `a`"]),
        ("text()", []),
        ("f'SELECT a FROM t WHERE b = {3} AND c = {None} AND d = {len(a)}'", []),
        ("f'SELECT a FROM {T} WHERE {db.NAME} = 1'", []),
        ("f'SELECT a FROM {db.name} WHERE {db.__tablename__} = 1'", ["name `db.name`"]),
        ("""f"SELECT a FROM t ORDER BY {'b' if a else 'c'}\"""", []),
        ("""f"SELECT a FROM t ORDER BY {a if b else 'c'}\"""", ["name `a if b else 'c'`"]),
        ("""f"SELECT a FROM t WHERE b IN ({','.join(a)})\"""", ["value `','.join(a)`"]),
        ("""f"SELECT a FROM t WHERE b IN ({','.join()})\"""", ["value `','.join()`"]),
        ("""f"SELECT a FROM t WHERE b IN ({mixed('a', 'b')})\"""", ["value `mixed('a', 'b')`"]),
        ("""f"SELECT a FROM t WHERE b IN ({mixed(['a', 'b'])})\"""", ["value `mixed(['a', 'b'])`"]),
        ("""f"SELECT a FROM t WHERE b IN ({','.join(['?'] * a)})\"""", []),
        ("""f"SELECT a FROM t WHERE b IN ({','.join(['?', '?'])})\"""", []),
        ("""f"SELECT a FROM t WHERE b IN ({','.join(['?', a])})\"""", ["value `','.join(['?', a])`"]),
        ("""f"SELECT a FROM t WHERE b IN ({','.join(['?' for _ in a])})\"""", []),
        ("""f"SELECT a FROM t WHERE b IN ({','.join(f'${i}' for i in range(a))})\"""", []),
        ("""f"SELECT a FROM t WHERE b IN ({','.join(f'${i}' for i, _ in enumerate(a))})\"""", []),
        (
            """f"SELECT a FROM t WHERE b IN ({','.join(f'{i}{x}' for i, x in enumerate(a))})\"""",
            ["value `','.join((f'{i}{x}' for i, x in enumerate(a)))`"],
        ),
        (
            """f"SELECT a FROM t WHERE b IN ({','.join(f'{x}' for x in a)})\"""",
            ["value `','.join((f'{x}' for x in a))`"],
        ),
    ],
)
def test_what_is_inserted_and_where(write: Write, source: str, expected: list[str]) -> None:
    assert judged(write, f"def f(db, a, b, c):\n    db.execute({source})\n") == [f"2 {each}" for each in expected]


def judged(write: Write, code: str) -> list[str]:
    """`line (name or value) what`, in order."""
    context = context_of(write({"app.py": code}), "sql-injection")
    return [
        f"{each.line} {each.rule.removesuffix('-in-sql')} {each.message.removeprefix('SQL is put together from ')}"
        for each in sql_injection.run(context)
        if isinstance(each, Finding)
    ]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("q: str = f'SELECT a FROM t WHERE b = {x}'\ndb.execute(q)\n", ["2 value `x`"]),
        ("q: str\ndb.execute(q)\n", []),
        ("p = q = f'SELECT a FROM t WHERE b = {x}'\ndb.execute(q)\n", []),
        ("q = f'DELETE FROM t WHERE b = {x}'\nq = 'SELECT 1'\ndb.execute(q)\n", []),
        ("q = q + 'DELETE FROM t'\ndb.execute(q)\n", []),
        ("q += f'SELECT a FROM t WHERE b = {x}'\ndb.execute(q)\n", []),
        ("q = 'SELECT a FROM t'\nq.x += f' WHERE b = {x}'\ndb.execute(q)\n", []),
        ("for t in ('a', 'b'):\n    db.execute(f'SELECT a FROM {t}')\n", []),
        ("for t in ('a', b):\n    db.execute(f'SELECT a FROM {t}')\n", ["2 name `t`"]),
        ("for t in b:\n    db.execute(f'SELECT a FROM {t}')\n", ["2 name `t`"]),
        ("base = 'SELECT a FROM t WHERE b = '\n\ndef f(x):\n    db.execute(base + x)\n", ["4 value `x`"]),
        (
            "base = 'SELECT 1'\n\ndef f(x):\n    base = 'SELECT a FROM t WHERE b = '\n    db.execute(base + x)\n",
            ["5 value `x`"],
        ),
        ("def g(x):\n    q = 'DELETE FROM t WHERE b = '\n\ndef f(x):\n    db.execute(q + x)\n", []),
        (
            "def f(x):\n    def g(y):\n        db.execute('DELETE FROM t WHERE b = ' + y)\n    return g\n",
            ["3 value `y`"],
        ),
        ("def f(x):\n    def g(y):\n        q = 'DELETE FROM t WHERE b = '\n    db.execute(q + x)\n", []),
        ("db.execute(\n    'DELETE FROM t WHERE b = ' + x,\n)\n", ["2 value `x`"]),
        ("db.execute()\ndb.run('DELETE FROM t WHERE b = ' + x)\n", []),
        ("db.execute(1)\nclass A:\n    sql = db.raw('DELETE FROM t WHERE b = ' + x)\n", ["3 value `x`"]),
        ("a = 'DELETE FROM t WHERE b = '\nc = a\nd = c\ndb.execute(d + x)\n", ["4 value `x`"]),
    ],
)
def test_a_statement_is_followed_through_the_variables_of_its_function(
    write: Write, code: str, expected: list[str]
) -> None:
    assert judged(write, code) == expected


def test_what_does_not_parse_is_unseen_where_it_may_hold_sql(write: Write) -> None:
    context = context_of(write({"a.py": "db.execute(\n", "b.py": "db.other(\n"}), "sql-injection")
    assert [type(each) for each in sql_injection.run(context)] == [Unseen]
