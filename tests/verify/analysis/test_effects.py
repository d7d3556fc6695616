"""What a function does to what is stored."""

from __future__ import annotations

import pytest
from tests.verify.analysis.programs import program_of

from omni.verify.analysis.effects import Effects
from omni.verify.analysis.stored import core_tables, python_models

MODELS = """\
class User(db.Model):
    __tablename__ = "people"
    email = Column("mail", String)
    def rename(self, name):
        self.email = name
        self.other = name
class Note(db.Model):
    text = Column(String)
logs = Table("logs", metadata, Column("text", String))
def load(key) -> User: ...
def load_any(key): ...
"""


def done(body: str, arguments: str = "") -> list[str]:
    """`kind table line` of a function; its first line is 1."""
    text = f"def f({arguments}):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    program = program_of({"a.py": f"from b import User, Note, logs, load, load_any\n{text}", "b.py": MODELS})
    effects = Effects(program, [*python_models(program), *core_tables(program)])
    found = effects.of(program.routines["a.f"])
    assert effects.of(program.routines["a.f"]) is found
    assert all(each.writes == (each.kind != "read") for each in found)
    return [f"{each.kind} {each.model.table} {each.line - 2}" for each in found]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("User(email=1)", ["create people 1"]),
        ("insert(User)", ["create people 1"]),
        ("insert(logs)", ["create logs 1"]),
        ("select(User.email)", ["read people 1"]),
        ("update(User, Note)", ["update people 1"]),
        ("other(User)", []),
        ("select()", []),
        ("select(Other)", []),
        ("delete('User')", ["delete people 1"]),
        ("delete('some text')", []),
        ("User.objects.filter(x=1)", ["read people 1"]),
        ("User.objects.bulk_create(x)", ["create people 1"]),
        ("User.objects.update_or_create(x)", ["update people 1"]),
        ("session.get(User, 1)", ["read people 1"]),
        ("session.execute(delete(User))", ["delete people 1"]),
        ("session.query(User).all()", ["read people 1", "read people 1"]),
        ("session.merge(User)", []),
        ("x = load(1)\nx.email = 2", ["update people 2"]),
        ("x = load(1)\nx.mail = 2", ["update people 2"]),
        ("x = load(1)\nx.other = 2", []),
        ("x = await load(1)\nx.email += 2", ["update people 2"]),
        ("x = load(1)\nx.email: str = 2", ["update people 2"]),
        ("x = load_any(1)\nx.email = 2", []),
        ("x = y = load(1)\ny.email = 2", ["update people 2"]),
        ("x: User = load_any(1)\nx.email = 2", ["update people 2"]),
        ("x: Other = load(1)\nx.email = 2", ["update people 2"]),
        ("x: Other\nx.email = 2", []),
        ("if x := load(1):\n    x.email = 2", ["update people 2"]),
        ("for x in load(1):\n    x.email = 2", ["update people 2"]),
        ("async for x in load(1):\n    x.email = 2", ["update people 2"]),
        ("x = load(1)\nsetattr(x, 'email', 2)", ["update people 2"]),
        ("setattr()\nsetattr(x, 'email', 2)", []),
        ("x = load(1)\nsession.delete(x)", ["delete people 2"]),
        ("x = load(1)\nsession.adelete(x)", ["delete people 2"]),
        ("x = load(1)\nsession.add(x)", []),
        ("x = load(1)\nx.delete()", ["delete people 2"]),
        ("x = load(1)\nx.save()", ["update people 2"]),
        ("x = load(1)\nx.asave()", ["update people 2"]),
        ("x = load(1)\nx.show()", []),
        ("x = load(1)\nx().save()", []),
        ("run('INSERT OR REPLACE INTO people VALUES (1)')", ["create people 1"]),
        ("run('update People set mail = 1')", ["update people 1"]),
        ('run(\'delete from app."people" where a in (select text from notes)\')', ["delete people 1", "read notes 1"]),
        ("run('select 1 from app.people, logs')", ["read people 1"]),
        ("run('select 1 from other join logs')", ["read logs 1"]),
        ("run('with x as (select 1 from people) select 1')", ["read people 1"]),
        ("run('take it from people')", []),
    ],
)  # fmt: skip
def test_what_is_done_to_which_model(body: str, found: list[str]) -> None:
    assert done(body) == found


@pytest.mark.parametrize(
    "arguments", ["x: User", "x: User, /", "*, x: User", "x: 'User'", "x: User | None = None", "x: list[User]"]
)
def test_an_argument_says_what_it_is(arguments: str) -> None:
    assert done("x.email = 1", arguments) == ["update people 1"]


def test_a_method_of_a_model_changes_its_own_row() -> None:
    program = program_of({"b.py": MODELS})
    effects = Effects(program, python_models(program))
    assert [(each.kind, each.model.name, each.line) for each in effects.of(program.routines["b.User.rename"])] == [
        ("update", "User", 5)
    ]
