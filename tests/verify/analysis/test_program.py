"""A Python program as one: what a name stands for, and what a function can reach."""

from __future__ import annotations

import ast

import pytest
from tests.verify.analysis.conftest import ContextOf
from tests.verify.analysis.programs import program_of

from omni.verify.analysis.program import Program, read_program
from omni.verify.parsing import parse_python


def reached(text: str, start: str = "a.start", **others: str) -> list[str]:
    """What a function of `a.py` reaches, without itself."""
    program = program_of({"a.py": text} | {f"{name}.py": other for name, other in others.items()})
    return [each.name for each in program.reach(program.routines[start])][1:]


HELPERS = "def one(): ...\ndef two(): ...\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def start():\n    one()\n", ["a.one"]),
        ("def start():\n    run(one, key=two)\n", ["a.one", "a.two"]),
        ("@one\ndef start(x=two): ...\n", ["a.one", "a.two"]),
        ("def start():\n    one = 1\n", []),
        ("def start():\n    middle()\ndef middle():\n    one()\n    start()\n", ["a.middle", "a.one"]),
        ("def start():\n    def inner():\n        one()\n    two()\n", ["a.two", "a.one"]),
        ("TABLE = {'x': one}\ndef start():\n    TABLE['x']()\n", ["a.one"]),
        ("TABLE: dict = {'x': one}\ndef start():\n    TABLE['x']()\n", ["a.one"]),
        ("class C:\n    def __init__(self): ...\n    def m(self): ...\ndef start():\n    C()\n", ["a.C.__init__"]),
        ("class C:\n    def __post_init__(self): ...\n    def __call__(self): ...\ndef start():\n    C()()\n",
         ["a.C.__call__", "a.C.__post_init__"]),
        ("class C:\n    def m(self): ...\ndef start():\n    x = C()\n    x.m()\n", ["a.C.m"]),
        ("class C:\n    def get(self): ...\ndef start():\n    x = C()\n    x.get()\n", ["a.C.get"]),
        ("class C:\n    def get(self): ...\ndef start(x):\n    x.get()\n", []),
        ("class C:\n    def odd(self): ...\ndef start(x):\n    x.odd()\n", ["a.C.odd"]),
        ("class C:\n    def odd(self): ...\ndef start(x):\n    f().odd()\n", ["a.C.odd"]),
        ("class C:\n    def odd(self): ...\ndef start(x):\n    x[0].odd()\n", ["a.C.odd"]),
        ("class C:\n    def odd(self): ...\ndef start(x):\n    odd()\n", []),
        ("class C:\n    def get(self): ...\ndef start(x: C):\n    x.get()\n", ["a.C.get"]),
        ("class C:\n    def get(self): ...\ndef start(*, x: 'C'):\n    x.get()\n", ["a.C.get"]),
        ("class C:\n    def get(self): ...\ndef start(x: C | None, /):\n    x.get()\n", ["a.C.get"]),
        ("class C:\n    def get(self): ...\ndef start(x: Annotated[C, 1]):\n    x.get()\n", ["a.C.get"]),
        ("class C:\n    def get(self): ...\ndef start(x: Annotated[int, C]):\n    x.get()\n", []),
        ("class C:\n    def get(self): ...\ndef start(x: Optional[C]):\n    x.get()\n", ["a.C.get"]),
        ("class C:\n    def get(self): ...\ndef start(x: type[C]):\n    x.get()\n", []),
        ("class C:\n    def get(self): ...\ndef start(x: Literal['C']):\n    x.get()\n", []),
        ("class C:\n    def get(self): ...\nD = Annotated[C, 1]\ndef start(x: D):\n    x.get()\n", ["a.C.get"]),
        ("class C:\n    def get(self): ...\ndef start():\n    x: C = make()\n    x.get()\n", ["a.C.get"]),
        ("class C:\n    def get(self): ...\ndef start():\n    x: 'C[int]'\n    x.get()\n", ["a.C.get"]),
    ],
)  # fmt: skip
def test_what_is_called_by_name(text: str, names: list[str]) -> None:
    assert reached(text + HELPERS) == names


def test_a_method_of_something_unknown_is_followed_while_few_classes_have_it() -> None:
    three = "".join(f"class C{number}:\n    def odd(self): ...\n" for number in range(3))
    start = "def start(x):\n    x.odd()\n"
    assert reached(start + three) == ["a.C0.odd", "a.C1.odd", "a.C2.odd"]
    assert reached(start + three + "class C3:\n    def odd(self): ...\n") == []


CLASSES = """\
class Base:
    def save(self):
        self.write()
class Store(Base):
    def __init__(self, log: Log, other):
        self.log = log
        self.other = other
        self.own = Log()
    def write(self): ...
    def start(self):
        self.save()
    def tell(self):
        self.log.info()
        self.other.info()
    def own_one(self):
        self.own.info()
    @classmethod
    def make(cls):
        cls.write()
class Log:
    def info(self): ...
"""


@pytest.mark.parametrize(
    ("start", "names"),
    [
        ("start", ["a.Base.save"]),
        ("tell", ["a.Log.info"]),
        ("own_one", ["a.Log.info"]),
        ("make", ["a.Store.write"]),
    ],
)
def test_a_method_knows_its_own_object(start: str, names: list[str]) -> None:
    assert reached(CLASSES, f"a.Store.{start}") == names


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from b import one\ndef start():\n    one()\n", ["b.one"]),
        ("from b import one as other\ndef start():\n    other()\n", ["b.one"]),
        ("import b\ndef start():\n    b.one()\n", ["b.one"]),
        ("import b as c\ndef start():\n    c.one()\n", ["b.one"]),
        ("from p import one\ndef start():\n    one()\n", ["b.one"]),
        ("from p import MAP\ndef start():\n    MAP()\n", ["b.one"]),
        ("from p import nothing\ndef start():\n    nothing()\n", []),
        ("from b import *\ndef start():\n    one()\n", []),
    ],
)
def test_imports_are_followed(text: str, found: list[str]) -> None:
    assert reached(text, b="def one(): ...\n", p="from b import one\nMAP = [one]\n") == found


def test_relative_imports_are_followed() -> None:
    files = {
        "p/__init__.py": "from .a import one\n",
        "p/a.py": "from . import q\nfrom .q import b\nfrom .q.b import two\ndef one():\n    q.b.two(), b.two()\n",
        "p/q/__init__.py": "",
        "p/q/b.py": "from ..a import one\nfrom ... import gone\ndef two():\n    one()\n",
        "main.py": "import p.q.b\nimport p\ndef main():\n    p.one()\n    p.q.b.two()\n",
    }
    program = program_of(files)
    assert program.resolve("p.a", "q.b.two") == "p.q.b.two"
    assert program.resolve("p.q.b", "gone") == "gone"
    assert program.resolve("main", "p.one") == "p.a.one"
    assert program.resolve("unknown", "x.y") == "x.y"
    assert [each.name for each in program.reach(program.routines["main.main"])] == ["main.main", "p.a.one", "p.q.b.two"]
    callers = {name: sorted(each.name for each in found) for name, found in program.callers.items()}
    assert callers == {"p.q.b.two": ["main.main", "p.a.one"], "p.a.one": ["main.main", "p.q.b.two"]}


def test_bases_are_those_of_bases_too_and_a_circle_ends() -> None:
    text = "class A(B[int], lib.Mixin): ...\nclass B(C): ...\nclass C(A):\n    def m(self): ...\nclass A2: ...\n"
    program = program_of({"a.py": text})
    assert list(program.bases(program.classes["a.A"])) == ["a.B", "a.lib.Mixin", "a.C", "a.A"]
    method = program.method(program.classes["a.A"], "m")
    assert method is not None
    assert method.name == "a.C.m"
    assert program.method(program.classes["a.A"], "n") is None
    assert {name: [each.name for each in found] for name, found in program.classes_by_name.items()} == {
        "A": ["a.A"], "B": ["a.B"], "C": ["a.C"], "A2": ["a.A2"],
    }  # fmt: skip


def test_declarations_are_found_wherever_they_stand() -> None:
    text = "if x:\n    def f():\n        class C:\n            def m(self):\n                def inner(): ...\n"
    program = program_of({"a.py": f"{text}x.y = 1\nz: int\n"})
    assert {name: each.owner.name if each.owner else None for name, each in program.routines.items()} == {
        "a.f": None,
        "a.f.C.m": "a.f.C",
        "a.f.C.m.inner": None,
    }
    assert program.modules["a"].constants == {}


def test_the_text_of_a_routine_is_what_runs() -> None:
    text = '@guard(1)\nasync def f(a: int, *, b=2) -> str:\n    """Words."""\n    # words\n    return  "x"\n'
    routine = program_of({"a.py": text}).routines["a.f"]
    assert routine.text == "guard(1)\ndef f(a: int, *, b=2) -> str:\nreturn 'x'"
    assert program_of({"a.py": "def f():\n    pass\n"}).routines["a.f"].text == "def f():\npass"


def test_constants_are_found_here_and_where_they_come_from() -> None:
    program = program_of({"a.py": "from b import X\nY = 1\n", "b.py": "X = 2\n"})
    values = {name: program.constant("a", name) for name in ("X", "Y", "Z", "q.X")}
    assert {name: (found[0], ast.unparse(found[1])) if found else None for name, found in values.items()} == {
        "X": ("b", "2"),
        "Y": ("a", "1"),
        "Z": None,
        "q.X": None,
    }


def test_the_program_of_a_project_is_what_can_be_parsed(context_of: ContextOf) -> None:
    program = read_program(context_of({"src/app/a.py": "def f(): ...\n", "b.py": "def", "c.js": "def g(): ..."}))
    assert {name: each.path for name, each in program.modules.items()} == {"app.a": "src/app/a.py"}
    assert list(program.routines) == ["app.a.f"]


def test_imports_start_at_a_folder_that_is_no_package() -> None:
    """Of two such folders, at the one that the module itself lies in; Python's own modules are never the project's."""
    program = Program()
    for name, text in (
        ("backend.app.db", "def ask(): ...\ndef run(): ...\n"),
        ("backend.app.main", "from app.db import ask\nimport app.db\nimport logging\nfrom other.b import g\n"),
        ("backend.logging", ""),
        ("one.other.a", "from other.b import g\n"),
        ("one.other.b", "def g(): ...\n"),
        ("two.other.b", "def g(): ...\n"),
        ("package", ""),
        ("package.inner.c", "def h(): ...\n"),
        ("package.d", "from inner.c import h\n"),
    ):
        program.add(name, f"{name.replace('.', '/')}.py", parse_python(text))
    assert [
        program.resolve(module, name)
        for module, name in (
            ("backend.app.main", "ask"),
            ("backend.app.main", "app.db.run"),
            ("backend.app.main", "logging"),
            ("backend.app.main", "g"),
            ("one.other.a", "g"),
            ("package.d", "h"),
        )
    ] == ["backend.app.db.ask", "backend.app.db.run", "logging", "other.b.g", "one.other.b.g", "inner.c.h"]
