"""Reading Python source: names as written, functions with their class, imports with what guards them."""

from __future__ import annotations

import ast

import pytest
from tests.verify.analysis.conftest import ContextOf

from omni.verify.analysis.modules import Edge, import_graph, module_name
from omni.verify.analysis.python import (
    Import,
    body_without_docstring,
    dotted,
    functions,
    imports,
    imports_of,
    keyword,
    last_name,
    parse,
    text_of,
)


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    ("text", "name", "last"),
    [
        ("a", "a", "a"),
        ("a.b.c", "a.b.c", "c"),
        ("a.b()", "a.b", "b"),
        ("a().b", "a.b", "b"),
        ("a[0].b.c", ".b.c", "c"),
        ("'x'.join", ".join", "join"),
        ("a[0]", "", ""),
        ("1", "", ""),
    ],
)
def test_names(text: str, name: str, last: str) -> None:
    assert (dotted(expression(text)), last_name(expression(text))) == (name, last)


def test_parts_of_expressions() -> None:
    call = expression("f(1, a='x', b=2, **c)")
    assert isinstance(call, ast.Call)
    assert text_of(keyword(call, "a")) == "x"
    assert text_of(keyword(call, "b")) is None
    assert keyword(call, "c") is None
    assert text_of(None) is None


def test_functions_know_their_class() -> None:
    text = """\
def a():
    def b(): ...
    class C:
        def d(self):
            def e(): ...
class F:
    if x:
        async def g(self): ...
    class H:
        def i(self): ...
try: ...
except E:
    def j(): ...
"""
    found = [(each.name, owner.name if owner else None) for each, owner in functions(ast.parse(text))]
    assert found == [
        ("a", None), ("b", None), ("d", "C"), ("e", None), ("g", "F"), ("i", "H"), ("j", None),
    ]  # fmt: skip


@pytest.mark.parametrize(("body", "left"), [("'words'; x", 1), ("x; 'words'", 2), ("1; x", 2), ("'words'", 0)])
def test_a_docstring_is_no_code(body: str, left: int) -> None:
    ((function, _),) = functions(ast.parse(f"def f(): {body}"))
    assert len(body_without_docstring(function)) == left


def test_what_can_not_be_parsed_is_nothing() -> None:
    assert parse("def") is None
    assert parse("x\0") is None
    assert parse("x") is parse("x")


BLOCKS = """\
    try:
        import a
    except E:
        import b
    else:
        import c
    finally:
        import d"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import a.b, c as d", ["a.b 1", "c 1"]),
        ("from a import b as c, d", ["a(b d) 1"]),
        ("from .. import a", ["..(a) 1"]),
        ("from .a import *", [".a(*) 1"]),
        ("def f():\n    import a", ["a 2"]),
        ("class C:\n    if x:\n        import a\n    else:\n        import b", ["a 3", "b 5"]),
        ("for x in y:\n    import a\nelse:\n    import b", ["a 2", "b 4"]),
        ("with x:\n    import a", ["a 2"]),
        ("match x:\n    case 1:\n        import a", ["a 3"]),
        ("if TYPE_CHECKING:\n    import a\nelse:\n    import b", ["a 2 optional typing", "b 4 optional"]),
        ("if sys.version_info > (3,):\n    import a", ["a 2 optional"]),
        ("if x:\n    if TYPE_CHECKING:\n        import a", ["a 3 optional typing"]),
        ("if TYPE_CHECKING:\n    if x:\n        import a", ["a 3 optional typing"]),
        (f"if TYPE_CHECKING:\n{BLOCKS}",
         ["a 3 optional typing", "b 5 optional typing", "c 7 optional typing", "d 9 optional typing"]),
        ("if TYPE_CHECKING:\n    def f():\n        import a\n    match x:\n        case 1:\n            import b",
         ["a 3 optional typing", "b 6 optional typing"]),
        ("try:\n    import a\nexcept ImportError:\n    import b\nelse:\n    import c\nfinally:\n    import d",
         ["a 2 optional", "b 4 optional", "c 6 optional", "d 8"]),
        *((f"try:\n    import a\nexcept {caught}: ...", ["a 2 optional"])
          for caught in ("ModuleNotFoundError", "Exception", "(E, ImportError)")),
        ("try:\n    import a\nexcept: ...", ["a 2 optional"]),
        ("try:\n    import a\nexcept ValueError: ...", ["a 2"]),
        ("try:\n    def f():\n        import a\n    match x:\n        case 1: import b\nexcept ImportError: ...",
         ["a 3 optional", "b 5 optional"]),
        (f"try:\n    if x:\n        import z\n{BLOCKS}\nexcept ImportError: ...",
         ["z 3 optional", "a 5 optional", "b 7 optional", "c 9 optional", "d 11 optional"]),
    ],
)  # fmt: skip
def test_imports_with_what_guards_them(text: str, found: list[str]) -> None:
    def shown(each: Import) -> str:
        names = f"({' '.join(each.names)})" if each.names else ""
        more = " optional" * each.optional + " typing" * each.typing
        return f"{'.' * each.level}{each.module}{names} {each.line}{more}"

    assert [shown(each) for each in imports(ast.parse(text))] == found


def test_imports_of_a_file_are_those_of_its_text(context_of: ContextOf) -> None:
    text = "try:\n    from .a import b\nexcept ImportError: ...\n"
    context = context_of({"a.py": text, "b.py": "def"})
    files = context.inventory.by_path
    assert imports_of(context, files["a.py"]) == tuple(imports(ast.parse(text)))
    assert imports_of(context, files["a.py"]) == (Import("a", ("b",), 2, 1, optional=True),)
    assert imports_of(context, files["b.py"]) is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("src/app/web/__init__.py", "app.web"),
        ("lib/a.py", "a"),
        ("own/src/a.py", "src.a"),
        ("app/src/a.py", "app.src.a"),
        ("__init__.py", "__init__"),
    ],
)
def test_names_of_modules(path: str, name: str) -> None:
    assert module_name(path, ("own",)) == name


def test_who_imports_whom(context_of: ContextOf) -> None:
    graph = import_graph(
        context_of(
            {
                "src/p/__init__.py": "from .a import x\n",
                "src/p/a.py": "from . import q, gone\nfrom .q import b, other\nimport os, p.q.b\n",
                "src/p/q/__init__.py": "from .. import a\n",
                "src/p/q/b.py": "from p import a\nif TYPE_CHECKING:\n    import p\nfrom .... import x\n",
                "broken.py": "def",
                "c.js": "import p",
            }
        )
    )
    assert graph.modules == {
        "p": "src/p/__init__.py",
        "p.a": "src/p/a.py",
        "p.q": "src/p/q/__init__.py",
        "p.q.b": "src/p/q/b.py",
    }
    assert {name: [(each.imported, each.line) for each in edges] for name, edges in graph.edges.items()} == {
        "p": [("p.a", 1)],
        "p.a": [("p.q", 1), ("p", 1), ("p.q.b", 2), ("p.q", 2), ("p.q.b", 3)],
        "p.q": [("p.a", 1)],
        "p.q.b": [("p.a", 1)],
    }
    assert graph.imports("p") == [Edge("p", "p.a", "src/p/__init__.py", 1)]
    assert graph.imports("none") == []
    assert graph.below("p.q") == {"p.q", "p.q.b"}
    assert graph.below("p") == {"p", "p.a", "p.q", "p.q.b"}
    assert graph.below("none") == frozenset()
