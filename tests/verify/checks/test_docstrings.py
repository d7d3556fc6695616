from __future__ import annotations

from collections.abc import Callable

import pytest
from inline_snapshot import snapshot

Told = Callable[..., str]
Found = Callable[..., list[str]]


def function(head: str, documented: str, body: str = "return path") -> str:
    return f'{head}\n    """Reads.\n\n    {documented}\n    """\n    {body}\n'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (function("def read(path):", ":param place: where"), ["warning unknown-parameter a.py:4"]),
        (function("def read(path):", "Args:\n        place: where"), ["warning unknown-parameter a.py:5"]),
        (function("def read(path):", "Returns:\n        the text", "print(path)"), ["warning nothing-returned a.py:5"]),
        (
            function("def read(path, size, mode):", ":param path: where\n    :param size: of it"),
            ["note parameter-left-out a.py:2"],
        ),
        (function("def read(path):", ":param path: where\n    :return: the text"), []),
        (function("def read(path, **more):", ":param size: of it"), []),
        (function("@option\ndef read(path):", ":param size: of it"), []),
        (function("def read(path):", "Returns:\n        the text", "raise NotImplementedError"), []),
        (function("def read(path):", "Returns:\n        the text", "yield 1"), []),
        (function("def read(path):", "Returns:\n        None.", "print(path)"), []),
        (function("def read(path):", "Example:\n        place: where"), []),
    ],
)
def test_contradictions(found: Found, source: str, expected: list[str]) -> None:
    assert found("docstrings", {"a.py": source}) == expected


def test_exceptions_that_nobody_raises(found: Found) -> None:
    errors = "class GoneError(Exception): ...\nclass OtherError(Exception): ...\n"
    reader = "from errors import GoneError, OtherError\n" + function(
        "def read(path):",
        "Raises:\n        GoneError: not there\n        OtherError: else\n        OSError: disk",
        "if not path:\n        raise OtherError(path)",
    )
    assert found("docstrings", {"errors.py": errors, "a.py": reader}) == ["warning never-raised a.py:6"]


def test_class(found: Found) -> None:
    documented = '"""Reads.\n\n    :param size: of it\n    """'
    source = f"class Reader:\n    {documented}\n    def __init__(self, path):\n        self.path = path\n"
    assert found("docstrings", {"a.py": source}) == ["warning unknown-parameter a.py:4"]


CLASS = """\
class Reader:
    \'\'\'Reads.

    :param size: of it
    :param path: where
    \'\'\'

    limit = 1

    def __init__(self, path, size, mode, _own):
        self.path = path

    @staticmethod
    def split(first, second, third):
        \'\'\'Splits.

        :param second: after it
        :param third: at the end
        \'\'\'
        return second

    @classmethod
    def made(cls, path, size):
        \'\'\'Makes.

        :param path: where
        :param size: of it
        :param more: of all
        \'\'\'
        return path

    @fixture
    def wrapped(self, path):
        \'\'\'Wraps.

        :param size: of it
        :param other: of it
        \'\'\'
        return path


@dataclass
class Data:
    \'\'\':param gone: of it\'\'\'

    def __init__(self, path): ...


class Bare:
    \'\'\':param gone: of it\'\'\'
"""


def test_parameters_of_classes_and_their_methods(told: Told) -> None:
    """`self` is no parameter that anybody gives; a decorator that is not known may change what is given."""
    assert told("docstrings", {"a.py": CLASS, "b.py": "def (\n"}) == snapshot("""\
note parameter-left-out a.py:2: `__init__` documents its parameters but `mode`
    '''Reads.
note parameter-left-out a.py:15: `split` documents its parameters but `first`
    '''Splits.
warning unknown-parameter a.py:28: `made` has no parameter `more`
    :param more: of all
""")


GIVES = (
    "...",
    "pass",
    "raise NotImplementedError",
    "'only told'",
    "if path:\n        return 1",
    "print(path)\n    raise SystemExit",
    "yield from path",
    "while path:\n        yield",
)
GIVES_NOTHING = (
    "print(path)",
    "return",
    "pass\n    print(path)",
    "raise_it(path)\n    print(path)",
    "if path:\n        raise OSError\n    print(path)",
    "def inner():\n        return 1\n    print(inner)",
    "print(lambda: (yield))",
    "class A:\n        def b(self):\n            return 1",
)


def test_what_gives_something_or_is_no_more_than_declared(told: Told) -> None:
    def documented(body: str, head: str = "def read(path):") -> str:
        return function(head, "Returns:\n        the text", body)

    files = {f"a{at}.py": documented(body) for at, body in enumerate(GIVES)}
    files["abstract.py"] = documented("print(path)", "@abstractmethod\ndef read(path):")
    files["overloaded.py"] = documented("print(path)", "@typing.overload\ndef read(path):")
    assert told(
        "docstrings", files | {f"b{at}.py": documented(body) for at, body in enumerate(GIVES_NOTHING)}
    ) == "".join(
        f"warning nothing-returned b{at}.py:5: `read` is documented to return something, and returns None\n"
        "    the text\n"
        for at in range(len(GIVES_NOTHING))
    )


@pytest.mark.parametrize(
    ("use", "raised"),
    [
        ("try:\n    f()\nexcept (GoneError, OSError):\n    pass\n", False),
        ("from errors import GoneError\n", False),
        ("", False),
        ("from errors import GoneError as Gone\n", True),
        ("f(errors.GoneError)\n", True),
        ("try:\n    f()\nexcept OSError:\n    raise GoneError\n", True),
    ],
)
def test_to_catch_an_exception_is_not_to_raise_it(found: Found, use: str, raised: bool) -> None:
    reader = function("def read(path):", "Raises:\n        GoneError: not there\n        Old: warned of")
    errors = "class GoneError(base.AppException): ...\nclass Old(UserWarning): ...\nclass New(Base): ...\n"
    said = found("docstrings", {"errors.py": errors, "a.py": reader, "b.py": use})
    assert said == ([] if raised else ["warning never-raised a.py:5"]) + ["warning never-raised a.py:6"]
