from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult

Found = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def total(items):\n    pass\n", ["error stub a.py:1"]),
        ("def total(items): ...\n", ["error stub a.py:1"]),
        ('def total(items):\n    """The sum."""\n    raise NotImplementedError\n', ["error stub a.py:1"]),
        ("class A:\n    def total(self):\n        raise NotImplementedError('later')\n", ["error stub a.py:2"]),
        ("@app.get('/')\ndef total():\n    pass\n", ["error stub a.py:2"]),
        ("x = 1  # TODO: more\n", ["warning unfinished-mark a.py:1"]),
        ("x = 'lorem ipsum dolor'\n", ["warning filler-text a.py:1"]),
        # by nature without a body, or on purpose
        ("from typing import Protocol\nclass A(Protocol):\n    def total(self) -> int: ...\n", []),
        ("@overload\ndef total(a: int) -> int: ...\n", []),
        ("class A(ABC):\n    @abstractmethod\n    def total(self): ...\n", []),
        ("class A:\n    def total(self):\n        raise NotImplementedError\nclass B(A):\n    pass\n", []),
        ("@click.group()\ndef main():\n    pass\n", []),
        ('def total():\n    """Does nothing: there is no total here."""\n    pass\n', []),
        ("def noop():\n    pass\n", []),
        ("class E(Exception):\n    pass\n", []),
        ("x = '# TODO'\n", []),
        ("x = 1  # TODO(#12): more\n", []),
        ("x = 1  # XXX see PROJ-7\n", []),
        ("x = 1  # FIXME https://example.org/1\n", []),
        ("def total(items):\n    pass  # there is none yet, and none is needed\n", []),
        ("# why\ndef total(items):\n    pass\n", ["error stub a.py:2"]),
        ("def total(items):\n    pass\n# why\n", ["error stub a.py:1"]),
        ("def total(items):  # the sum\n    ...\n", ["error stub a.py:1"]),
        ('def total():\n    """The sum."""\n    ...\n', ["error stub a.py:1"]),
        ('def total():\n    """Only a docstring."""\n', []),
        ("def total():\n    raise ValueError\n", []),
        ("try:\n    f()\nexcept E:\n    def total(): raise\n", []),
        ("def total():\n    print(1)\n    raise NotImplementedError\n", []),
        ("def total():\n    None\n", []),
        # a method that does nothing may be a default; one without a body in a class that is no base is none
        ("class A:\n    def total(self):\n        pass\n", []),
        ("class A:\n    def total(self): ...\n", ["error stub a.py:2"]),
        ("class A(B):\n    def total(self): ...\n", []),
        ("class A(metaclass=ABCMeta):\n    def total(self): ...\n", []),
        ("class A(metaclass=Registry):\n    def total(self): ...\n", ["error stub a.py:2"]),
        ("class BaseA:\n    def total(self): ...\n", []),
        ("class OrderMixin:\n    def total(self): ...\n", []),
        ("class A:\n    def total(self): ...\n    def show(self):\n        print(self.total())\n", []),
        ("class A:\n    def total(self): ...\n    def show(self):\n        print(total())\n", ["error stub a.py:2"]),
        # of decorators, those that give it to callers of other kinds
        ("@fixture\ndef total():\n    pass\n", []),
        ("@app.get\ndef total():\n    pass\n", []),
        ("@cli.command()\ndef total():\n    pass\n", []),
        ("@cli.command()\ndef total(): ...\n", ["error stub a.py:2"]),
        ("def _ignore():\n    pass\n", []),
        ("def ignored():\n    pass\n", ["error stub a.py:1"]),
        # two of a name: one of two branches; those after it count all the same
        ("if a:\n    def f(): pass\nelse:\n    def f(): g()\ndef h():\n    pass\n", ["error stub a.py:5"]),
        (
            "class A:\n    def f(self): ...\nclass B:\n    def f(self): ...\n",
            ["error stub a.py:2", "error stub a.py:4"],
        ),
        ("class A:\n    def f(self): ...\nclass B(A):\n    x = 1\ndef h():\n    pass\n", ["error stub a.py:5"]),
        ("async def total():\n    pass\n", ["error stub a.py:1"]),
    ],
)
def test_python(found: Found, source: str, expected: list[str]) -> None:
    assert found("placeholders", {"a.py": source}) == expected


def test_what_is_said_and_shown(look: Callable[..., CheckResult]) -> None:
    source = (
        "class A:\n    def total(self): ...\n\ndef f():\n    pass\n\ndef g():\n    raise NotImplementedError()\n"
        "x = 1  # FIXME: more\ny = 'Lorem Ipsum; replace me'\n"
    )
    result = look("placeholders", {"a.py": source})
    assert [(each.line, each.message, each.snippet) for each in result.findings] == [
        (2, "`A.total` has no body (`...`)", "def total(self): ..."),
        (4, "`f` does nothing (`pass`)", "def f():"),
        (7, "`g` only raises NotImplementedError", "def g():"),
        (9, "marked FIXME", "# FIXME: more"),
        (10, "filler: “Lorem Ipsum”", "y = 'Lorem Ipsum; replace me'"),
        (10, "filler: “replace me”", "y = 'Lorem Ipsum; replace me'"),
    ]
    assert [each.cwe for each in result.findings[:4]] == ["CWE-1071", "CWE-1071", "CWE-1071", "CWE-546"]


def test_each_file_by_its_kind(look: Callable[..., CheckResult]) -> None:
    files = {
        "README.md": "<!-- TODO: more -->\n",
        "a.pyi": "def total(): ...\nx = 1  # TODO\n",
        "docs/a.py": "def total(): ...\nx = 'lorem ipsum'  # TODO\n",
        "a.css": "/* XXX */\n",
        "a.sql": "-- TBD\n",
        "b.py": "x = 1  # TODO\ny = (\n",
        "c.py": "def total(): ...\n",
    }
    result = look("placeholders", files)
    assert [f"{each.severity} {each.rule} {each.path}:{each.line}" for each in result.findings] == [
        "warning unfinished-mark a.css:1",
        "warning unfinished-mark a.pyi:2",
        "warning unfinished-mark a.sql:1",
        "warning unfinished-mark b.py:1",
        "error stub c.py:1",
        "warning unfinished-mark docs/a.py:2",
    ]
    assert list(result.coverage.failed) == ["b.py"]


def test_other_languages(found: Found) -> None:
    files = {"a.ts": "// FIXME\n", "b.html": "<p>\nLorem ipsum</p>\n", "c.yaml": "key: YOUR_API_KEY_HERE\n"}
    assert sorted(found("placeholders", files)) == [
        "warning filler-text b.html:2",
        "warning filler-text c.yaml:1",
        "warning unfinished-mark a.ts:1",
    ]


def test_examples_may_hold_filler(found: Found) -> None:
    assert found("placeholders", {".env.example": "KEY=YOUR_KEY_HERE\n", "tests/test_a.py": "def stub(): ...\n"}) == []


def test_an_empty_branch_beside_a_full_one_and_a_body_for_types_only_are_no_stubs(found: Found) -> None:
    source = """\
if debug:
    def log(x): print(x)
else:
    def log(x): pass

class Relay:
    if TYPE_CHECKING:
        def __getattr__(self, name): ...
"""
    assert found("placeholders", {"a.py": source}) == []


def test_what_stands_in_for_an_argument_may_do_nothing(found: Found) -> None:
    source = "def work(log=None):\n    if log is None:\n\n        def log(text):\n            pass\n\n    log(1)\n"
    assert found("placeholders", {"a.py": source}) == []
    assert found("placeholders", {"a.py": source.replace("work(log=None)", "work(note=None)")}) == ["error stub a.py:4"]
