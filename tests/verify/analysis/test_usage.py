"""What a file uses of modules that are not its project's own, and what is left alone because it may be missing."""

from __future__ import annotations

import ast

import pytest

from omni.verify.analysis.usage import Use, uses


def read(text: str) -> list[str]:
    """`line kind question`, of a call also what it is given."""
    found = sorted(uses(ast.parse(text), text), key=lambda use: (use.line, use.kind, use.question))
    return [
        f"{use.line} {use.kind} {use.question}"
        + (f" {use.positional} {' '.join(use.keywords)}".rstrip() if use.kind == "call" else "")
        for use in found
    ]


def used(body: str, imported: str = "import lib") -> list[str]:
    """What comes after the import."""
    return [each for each in read(f"{imported}\n{body}") if not each.startswith("1 ")]


def test_a_use_says_all_about_itself() -> None:
    text = "import a.b as c\n\nc.d(1, *x, e=2, **f)\n"
    assert set(uses(ast.parse(text), text)) == {
        Use("import", "a.b:", "a.b", 1),
        Use("call", "a.b:d!", "c.d", 3, -1, ("e",)),
    }
    assert {use.top for use in uses(ast.parse(text), text)} == {"a"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import a.b", ["1 import a.b:"]),
        ("import a, b", ["1 import a:", "1 import b:"]),
        ("from a.b import c as d", ["1 import a.b:c"]),
        ("from a import *", ["1 import a:"]),
        ("from . import a", []),
        ("from .a import b", []),
        ("import a  # type: ignore[import]", []),
        ("import a  # pyright: ignore", []),
        ("import a  # pylint: disable=no-member", []),
        ("import a  # noqa", ["1 import a:"]),
        ("from a import (  # type: ignore\n    b,\n)", []),
        ("from a import (\n    b,\n)  # type: ignore", []),
        ("from a import (\n    b,  # type: ignore\n    c,\n)", ["1 import a:b", "1 import a:c"]),
    ],
)
def test_imports(text: str, found: list[str]) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("lib.a", ["2 name lib:a"]),
        ("lib.a.b", ["2 name lib:a.b"]),
        ("lib.__version__", []),
        ("lib.a = 1\nlib.a", []),
        ("x.a = 1\nlib.a", []),
        ("del lib.a", []),
        ("lib.a  # type: ignore", []),
        ("lib.a(1, 2, k=3)", ["2 call lib:a! 2 k"]),
        ("lib.a(lib.b)", ["2 call lib:a! 1", "2 name lib:b"]),
        ("lib.a(k=lib.b)", ["2 call lib:a! 0 k", "2 name lib:b"]),
        ("lib()", []),
        ("lib.a().b(1)", ["2 call lib:a! 0", "2 call lib:a.().b! 1"]),
        ("lib.a()()", ["2 call lib:a! 0"]),
        ("(lib\n.a)(1)", ["3 call lib:a! 1"]),
        ("other.a(1)", []),
        ("f = lambda x: lib.a", ["2 name lib:a"]),
        ("def f(x=lib.a) -> lib.b:\n    lib.c", ["2 name lib:a", "2 name lib:b", "3 name lib:c"]),
        ("@lib.a\ndef f(): ...", ["2 name lib:a"]),
        ("class C(lib.a):\n    b = lib.c", ["2 name lib:a", "3 name lib:c"]),
    ],
)
def test_names_and_calls(body: str, found: list[str]) -> None:
    assert sorted(used(body)) == sorted(found)


@pytest.mark.parametrize(
    "binding",
    [
        "lib = 1",
        "for lib in x: ...",
        "def lib(): ...",
        "class lib: ...",
        "def f(lib): ...",
        "try: ...\nexcept E as lib: ...",
        "match x:\n    case [*lib]: ...",
        "match x:\n    case 1 as lib: ...",
        "import other as lib",
        "import lib.sub as lib",
    ],
)
def test_a_name_that_is_bound_to_something_else_too_is_left_alone(binding: str) -> None:
    assert [each for each in read(f"import lib\nlib.a(1)\n{binding}\n") if each.startswith("2 ")] == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("a.b", ["2 name lib:a.b"]),
        ("a(1)", ["2 call lib:a! 1"]),
        ("a().b", ["2 call lib:a! 0", "2 name lib:a.().b"]),
        ("lib.b", []),
    ],
)
def test_names_that_an_import_takes(body: str, found: list[str]) -> None:
    assert used(body, "from lib import a") == found
    assert used(f"import other\n{body}", "from lib import b, c as a")[1:] == [
        f"3{each[1:]}".replace("lib:a", "lib:c") for each in found
    ]


def test_the_same_import_twice_is_one() -> None:
    assert used("import lib\nlib.a") == ["2 import lib:", "3 name lib:a"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("x = lib.a()\nx.b", ["3 name lib:a.().b"]),
        ("with lib.a() as x:\n    x.b", ["3 name lib:a.().enter().b"]),
        ("with lib.a() as x:\n    x.b()()", ["3 call lib:a.().enter().b! 0"]),
        ("x = lib.a()\nx = 2\nx.b", []),
        ("x = lib.a\nx.b", ["2 name lib:a"]),
        ("x = y = lib.a()\nx.b", []),
        ("x.y = lib.a()\nz.b", []),
        ("x = other()\nx.b", []),
        ("if c:\n    x = lib.a()\nx.b", ["4 name lib:a.().b"]),
        ("def f():\n    x = lib.a()\nx.b", []),
        ("x = lib.a()\ndef f():\n    x.b", ["4 name lib:a.().b"]),
        ("x = lib.a()\ndef f(x):\n    x.b", []),
        ("x = lib.a()\ndef f():\n    y = x.c()\n    y.b", ["4 call lib:a.().c! 0", "5 name lib:a.().c.().b"]),
    ],
)  # fmt: skip
def test_a_variable_is_what_one_call_made_it(body: str, found: list[str]) -> None:
    assert [each for each in used(body) if not each.endswith(" call lib:a! 0")] == found


@pytest.mark.parametrize(
    ("body", "looked_at"),
    [
        ("if x:\n    lib.a", True),
        ("if sys.version_info > (3, 9):\n    lib.a", False),
        ("if hasattr(lib, 'a'):\n    lib.a", False),
        ("if lib:\n    lib.a", False),
        ("if not lib:\n    lib.a", False),
        ("if lib is not None:\n    lib.a", False),
        ("if lib is not None and x:\n    lib.a", False),
        ("if lib == 1:\n    lib.a", True),
        ("while lib:\n    lib.a", False),
        ("lib.a if lib else 1", False),
        ("lib.a if x else 1", True),
        ("x or lib.a", True),
        ("HAS_LIB and lib.a", False),
        ("x and HAS_LIB and lib.a", True),
        ("try:\n    lib.a\nexcept AttributeError: ...", False),
        ("try:\n    lib.a\nexcept (ValueError, ImportError): ...", False),
        ("try:\n    lib.a\nexcept: ...", False),
        ("try:\n    lib.a\nexcept ValueError: ...", True),
        ("try:\n    x\nexcept ImportError:\n    lib.a", False),
        ("with pytest.raises(AttributeError):\n    lib.a", False),
        ("with suppress(ImportError):\n    lib.a", False),
        ("with open(x):\n    lib.a", True),
        ("with x:\n    lib.a", True),
        ("if x:\n    def f():\n        lib.a", True),
        ("if hasattr(lib, 'a'):\n    def f():\n        lib.a", False),
        ("if hasattr(lib, 'a'):\n    if x:\n        lib.a", False),
        ("if hasattr(lib, 'a'):\n    lib.a(1)", False),
    ],
)
def test_what_may_be_missing_on_purpose_is_left_alone(body: str, looked_at: bool) -> None:
    found = [each for each in used(body) if each.endswith("name lib:a") or " call " in each]
    assert bool(found) == looked_at


def test_an_import_that_may_fail_is_left_alone() -> None:
    assert read("try:\n    import lib\nexcept ImportError:\n    lib = None\n") == []
    assert read("try:\n    import lib\nexcept ValueError: ...\n") == ["2 import lib:"]
