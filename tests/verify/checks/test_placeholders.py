from __future__ import annotations

from collections.abc import Callable

import pytest

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
    ],
)
def test_python(found: Found, source: str, expected: list[str]) -> None:
    assert found("placeholders", {"a.py": source}) == expected


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
