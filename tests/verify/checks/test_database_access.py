from __future__ import annotations

from collections.abc import Callable

import pytest

Found = Callable[..., list[str]]

MODELS = """
from sqlalchemy.orm import relationship, mapped_column, select
class User: ...
class Order:
    id = mapped_column()
    buyer = relationship("User")
    lines = relationship("Line", lazy="selectin")
"""
CASES = {
    "lazy-load-in-loop": "def names(session):\n    orders = session.scalars(select(Order)).all()\n"
    "    return [order.buyer.name for order in orders]\n",
    "query-in-called-function": "def buyer(session, order):\n    return session.get(User, order.buyer_id)\n"
    "def names(session):\n    orders = session.scalars(select(Order.id)).all()\n    out = []\n"
    "    for order in orders:\n        out.append(buyer(session, order))\n    return out\n",
    "unguarded-update": "def pay(session, key, amount):\n    account = session.get(Account, key)\n"
    "    if account.balance < amount:\n        raise ValueError\n    account.balance -= amount\n    session.commit()\n",
    "session-left-open": "def count():\n    session = SessionLocal()\n    return session.scalar(statement)\n",
    "write-never-committed": "import sqlite3\ndef save(name):\n    connection = sqlite3.connect('a.db')\n"
    "    connection.execute('INSERT INTO a VALUES (?)', (name,))\n    connection.close()\n",
}
GOOD = [
    (
        "def names(session):\n    orders = session.scalars(select(Order).options(joinedload(Order.buyer))).all()\n"
        "    return [order.buyer.name for order in orders]\n"
    ),
    "def ids(session):\n    return [order.id for order in session.scalars(select(Order))]\n",
    "def lines(session):\n    return [order.lines for order in session.scalars(select(Order))]\n",
    (
        "def shout(order):\n    return order.name.upper()\ndef names(session):\n"
        "    return [shout(order) for order in session.scalars(select(Order))]\n"
    ),
    (
        "def pay(session, key, amount):\n    account = session.get(Account, key, with_for_update=True)\n"
        "    if account.balance < amount:\n        raise ValueError\n    account.balance -= amount\n"
    ),
    "def count():\n    with SessionLocal() as session:\n        return session.scalar(statement)\n",
    "def give():\n    session = SessionLocal()\n    return session\n",
    (
        "def count():\n    session = SessionLocal()\n    try:\n        return session.scalar(s)\n    finally:\n"
        "        session.close()\n"
    ),
    (
        "import sqlite3\ndef save(name):\n    connection = sqlite3.connect('a.db')\n    with connection:\n"
        "        connection.execute('INSERT INTO a VALUES (?)', (name,))\n"
    ),
    (
        "import sqlite3\ndef read():\n    connection = sqlite3.connect('a.db')\n"
        "    rows = connection.execute('SELECT 1').fetchall()\n    connection.close()\n    return rows\n"
    ),
]


@pytest.mark.parametrize("rule", CASES)
def test_found(found: Found, rule: str) -> None:
    said = found("database-access", {"app/models.py": MODELS, "app/a.py": CASES[rule]})
    assert [each.split()[1] for each in said] == [rule]


@pytest.mark.parametrize("source", GOOD)
def test_left_alone(found: Found, source: str) -> None:
    assert found("database-access", {"app/models.py": MODELS, "app/a.py": source}) == []
