from __future__ import annotations

from collections.abc import Callable

import pytest

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
