from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.mutation.mutants import apply, mutants


def changes(text: str) -> list[str]:
    """Each mutant as its operator and the line that it changes."""
    return [f"{each.operator}: {_line(apply(text, each), each.line)}" for each in mutants("a.py", text)]


def _line(text: str, number: int) -> str:
    return text.splitlines()[number - 1].strip()


def body(line: str) -> str:
    return f"def f(a, b, c):\n    {line}\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = a < b", ["comparison: x = a <= b"]),
        ("x = a is not b", ["comparison: x = a is b"]),
        ("x = a not  in b", ["comparison: x = a in b"]),
        ("x = a < b <= c", ["comparison: x = a <= b <= c", "comparison: x = a < b < c"]),
        ("x = (a) == (b)", ["comparison: x = (a) != (b)"]),
        ("x = a == 'k'", ["comparison: x = a != 'k'", 'text: x = a == "Mutated"']),
        ("x = a and b or c", ["boolean: x = a or b or c", "boolean: x = a and b and c"]),
        ("x = not a", ["negation: x =  a"]),
        ("x = a + b * 2", ["arithmetic: x = a - b * 2", "arithmetic: x = a + b / 2", "constant: x = a + b * 3"]),
        ("x = 'a' + b", []),
        ("x = True", ["constant: x = False"]),
        ("x = 0.5", ["constant: x = 1.5"]),
        ("x = None", []),
        ("x += a", ["statement deleted: pass", "arithmetic: x -= a"]),
        ("return a", ["returned value: return None"]),
        ("return None", []),
        ("return False", ["constant: return True"]),
        ("x = zip(a, b, strict=True)", []),
        ("a.b = c", ["statement deleted: pass"]),
        ("a(b)", ["statement deleted: pass"]),
        ("a(b, c)", ["statement deleted: pass"]),
        ("x = a.get(b, c)", ["argument left out: x = a.get(b, )"]),
        ("x = a(b=1)", ["argument left out: x = a()", "constant: x = a(b=2)"]),
        ("x = a(b=b, c=c)", ["argument left out: x = a( c=c)", "argument left out: x = a(b=b, )"]),
        ("x = a(b, encoding='utf-8')", []),
        ("x = a[b'k']", ['text: x = a[b"Mutated"]']),
        ("x = {'k': a}", ['text: x = {"Mutated": a}']),
        ("x = b if a else c", ["condition: x = b if not (a) else c"]),
        ("x = [b for b in c if b.d]", ["condition: x = [b for b in c if not (b.d)]"]),
        ("raise E('no ' + a, 1)", ["statement deleted: pass"]),
        ("x = f'{a < b}'", []),
        ("log.info('x', 1)", []),
        ("self._logger.info('x', 1)", []),
        ("x = a < b  # pragma: no mutate", []),
        ("raise NotImplementedError", []),
        ("assert a < b", []),
        ("x: Literal[1] = a", []),
    ],
)  # fmt: skip
def test_changes(line: str, expected: list[str]) -> None:
    assert changes(body(line)) == expected


def test_blocks() -> None:
    text = (
        "def f(a):\n    for x in a:\n        if x:\n            continue\n        break\n"
        "    try:\n        x = 1\n    except E:\n        x = a\n        y = a\n    while a:\n        x = a\n"
        "    match a:\n        case 1 if a:\n            x = a\n"
    )
    assert changes(text) == [
        "condition: if not (x):",
        "loop control: break",
        "loop control: continue",
        "constant: x = 2",
        "exception let go: raise",
        "condition: while not (a):",
        "condition: case 1 if not (a):",
    ]


def test_what_stays() -> None:
    text = (
        '"""A."""\nfrom typing import TYPE_CHECKING\n__all__ = ["a"]\nif TYPE_CHECKING:\n    X = 1\n'
        "class P(Protocol):\n    x = 1\n@dataclass(frozen=True)\nclass D:\n    y: Literal[1]\n"
        '@overload\ndef f(a=1): ...\n@abstractmethod\ndef g(a=1): ...\nif __name__ == "__main__":\n    f(1)\n'
    )
    assert mutants("a.py", text) == ()


def test_where_it_takes_effect() -> None:
    text = "X = 1\n\nclass C:\n    y = 2\n\n    @d\n    def m(self, a=3):\n        def inner():\n            return 4\n"
    assert [(each.line, each.function, each.scope) for each in mutants("a.py", text)] == [
        (1, "", (1, 9)),
        (4, "", (1, 9)),
        (7, "", (1, 9)),
        (9, "C.m", (6, 9)),
        (9, "C.m", (6, 9)),
    ]


def test_lines_keep_their_numbers() -> None:
    text = (
        "def f(a):\n    g(\n        a,\n        b=[\n            1,\n        ],\n    )\n    return (\n        a\n    )"
    )
    for each in mutants("a.py", text):
        changed = apply(text, each)
        assert changed.count("\n") == text.count("\n")
        ast.parse(changed)


@given(st.text(alphabet="aé+-*<>=()[]{}'\"#\n :,0", max_size=60))
def test_any_module(noise: str) -> None:
    text = f"def f(a):\n    x = a + 1  # {noise.splitlines()[0] if noise.splitlines() else ''}\n"
    try:
        ast.parse(text + noise)
    except (SyntaxError, ValueError):
        noise = ""
    for each in mutants("a.py", text + noise):
        changed = apply(text + noise, each)
        assert changed != text + noise
        assert len(changed.splitlines()) == len((text + noise).splitlines())
