"""What queries ask of which columns, in SQLAlchemy, Django and SQL."""

from __future__ import annotations

import ast

import pytest

from omni.verify.analysis.predicates import Predicate, Query, class_tables, python_queries, sql_queries

TABLES = {"User": "users", "Team": "teams"}


def asked(text: str) -> list[str]:
    """`table line column kind literal`, a query a line."""
    found = []
    for query in python_queries("a.py", ast.parse(text), TABLES):
        told = [f"{each.column} {each.asked} {each.literal}".strip() for each in query.predicates]
        found.append(" ".join([query.table, str(query.line), *told]))
    return found


def test_tables_of_classes() -> None:
    text = """\
class User:
    other = "x"
    __tablename__ = "users"
class Odd:
    __tablename__ = name()
class Plain:
    x.__tablename__ = "plain"
    a: int
"""
    assert class_tables(ast.parse(text)) == {"User": "users", "Odd": ""}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("q = select(User).where(User.email == 'a')", ["users 1 email equal a"]),
        ("\nreturn_(User.email == x)", ["users 2 email equal"]),
        ("x = User.email != 'a'", []),
        ("x = User.email is None", []),
        ("x = 1 < User.age < 3", []),
        *((f"x = User.age {sign} 3", ["users 1 age range"]) for sign in ("<", "<=", ">", ">=")),
        ("x = User.data['a']['b'] == 'c'", ["users 1 data equal c"]),
        ("x = Other.age == 3", []),
        ("x = user.User.age == 3", []),
        ("x = f().age == 3", []),
        (
            "x = User.age == 1 and Team.name == 'b' and User.id == 2",
            ["users 1 age equal id equal", "teams 1 name equal b"],
        ),
        ("x = User.age.between(1, 2)", ["users 1 age range"]),
        ("x = User.data.contains({})", ["users 1 data json"]),
        ("x = User.data.has_key('a')", ["users 1 data json"]),
        ("x = User.age.desc()", []),
        ("x = other.between(1, 2)", []),
        ("x = query(User).filter_by(email='a', age__gt=3)", ["users 1 email equal a age range"]),
        ("x = User.objects.filter(email__exact='a', at__range=x)", ["users 1 email equal a at range"]),
        ("x = User.objects.filter(email__icontains='a')", []),
        ("x = User.objects.get(email='a', **more)", ["users 1 email equal a"]),
        ("x = User.objects.exclude(email='a')", []),
        ("x = other.filter(email='a')", []),
        ("def f():\n    if User.age == 3:\n        return User.id == 4", ["users 2 age equal", "users 3 id equal"]),
    ],
)  # fmt: skip
def test_queries_of_a_program(text: str, found: list[str]) -> None:
    assert asked(text) == found


def test_sql_in_a_program_is_read_where_it_stands() -> None:
    text = "\nrun('''select * from Users\n  where Email = 'a' ''')\nrun('delete from teams')"
    assert asked(text) == ["users 3 email equal a"]


@pytest.mark.parametrize(
    ("where", "predicates"),
    [
        ("a = 'x'", [Predicate("a", "equal", "x")]),
        ("u.A = 3", [Predicate("a", "equal")]),
        ('"a" > 3 and `b` <= 4', [Predicate("a", "range"), Predicate("b", "range")]),
        ("a BETWEEN 1 AND 2", [Predicate("a", "range")]),
        ("a <> 'x' or b = 'y'", [Predicate("b", "equal", "y")]),
        ("a @> '{}'", [Predicate("a", "json", "{}")]),
        ("a <@ '{}'", [Predicate("a", "json", "{}")]),
        ("a -> 'k'", [Predicate("a", "json", "k")]),
        ("a ->> 'k'", [Predicate("a", "json", "k")]),
        ("a ? 'k'", [Predicate("a", "json", "k")]),
        ("a = 1 order by b = 2", [Predicate("a", "equal")]),
        ("a = 1 limit 2 offset b > 3", [Predicate("a", "equal")]),
        ("a = 1; update x set b = 2", [Predicate("a", "equal")]),
    ],
)
def test_conditions_of_sql(where: str, predicates: list[Predicate]) -> None:
    text = f"select *\nfrom Users u\nwhere {where}"
    assert list(sql_queries("a.sql", text, 10)) == [Query("users", "a.sql", 12, tuple(predicates))]


def test_sql_without_a_condition_asks_nothing() -> None:
    assert list(sql_queries("a.sql", "select * from users where a != 1; select 1 from b")) == []
    (query,) = sql_queries("a.sql", "update users set a = 1 where b = 2 and c > 3 and d = 4")
    assert query.line == 1
    assert [sorted(query.columns(kind)) for kind in ("equal", "range", "json")] == [["b", "d"], ["c"], []]
