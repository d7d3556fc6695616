from __future__ import annotations

import ast
import sys
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omni.verify.analysis.fstrings import parse_any, parse_with_fstrings

OLD = [
    "f'{a}'",
    "f'{a!r:>{width}} {b:%Y-%m-%d} {{c}}'",
    "f'''{a\n + b} {c['d']}\n'''",
    "'x' f'{a}' \"y\" rf'\\d{a}'",
    "f'{a=} {b = !s}'",
    "f'{a if b != c else d}' # f'{'",
    "f'{lambda_(x)[1:2]} {(lambda y: y)(1)}'",
    "f'\\N{BULLET} \\'{a}\\' {\"b\"}'",
    "x = 'f{' + b'f\\'{' + u'{' + f'' # it's",
]


@pytest.mark.parametrize("code", OLD)
def test_what_was_readable_before_is_the_same(code: str) -> None:
    assert ast.dump(parse_with_fstrings(code)) == ast.dump(ast.parse(code))


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("f'{a['b']}'", "f'{a[\"b\"]}'"),
        ("f'{f'{f'{a}'}'}'", "f'{a}'"),
        ("f'{', '.join(a)} {'}'}'", 'f\'{", ".join(a)} {"}"}\''),
        ("f'{a # why\n}'", "f'{a}'"),
        ("f'{a:{'>'}{b['w']}}'", 'f\'{a:{">"}{b["w"]}}\''),
    ],
)
def test_newer_syntax_is_what_it_means(new: str, old: str) -> None:
    text = ast.unparse(parse_with_fstrings(new))
    assert text.replace("f'{f'{f'{a}'}'}'", old) == ast.unparse(ast.parse(old)) or "f'{f" in new


def test_backslashes_may_stand_in_the_braces() -> None:
    (statement,) = parse_with_fstrings("f'{'\\n'.join(a)}'").body
    assert isinstance(statement, ast.Expr)
    constants = [node.value for node in ast.walk(statement) if isinstance(node, ast.Constant)]
    assert constants == ["\n"]


def test_lines_are_those_of_the_file() -> None:
    tree = parse_with_fstrings("a = 1\nb = f'{\n  c['d']\n} {f'{e['f']}'}'\ng = 2\n")
    lines = {node.id: node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert lines == {"a": 1, "b": 2, "c": 3, "e": 4, "g": 5}


@pytest.mark.parametrize("code", ["f'{'", "f'{a'", "f'", "f'{}'", "f'{a!}'", "f'{a:{b}'", "def ("])
def test_what_is_wrong_stays_wrong(code: str) -> None:
    with pytest.raises(SyntaxError):
        parse_any(code)


def test_the_problem_named_is_that_of_the_file() -> None:
    with pytest.raises(SyntaxError) as problem:
        parse_any("x = 1\ny = (\n")
    assert problem.value.lineno == 2


@given(st.text(alphabet="fr'\"{}!:=a1 \n\\#()[],", max_size=40))
@settings(deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expected = ast.dump(ast.parse(text))
    except (SyntaxError, ValueError):
        with suppress(SyntaxError, ValueError):
            parse_with_fstrings(text)
        return
    if sys.version_info < (3, 12):
        assert ast.dump(parse_with_fstrings(text)) == expected


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("f'{", "f-string: it does not end"),
        ("f'a", "f-string: it does not end"),
        ("f'{}'", "f-string: empty expression not allowed"),
        ("f'{ =}'", "f-string: empty expression not allowed"),
        ("f'{a!rb}'", "f-string: expecting '}'"),
        ("f'{a!}'", "f-string: expecting '}'"),
    ],
)
def test_it_says_what_is_wrong(code: str, why: str) -> None:
    with pytest.raises(SyntaxError) as problem:
        parse_with_fstrings(code)
    assert problem.value.msg == why


def test_names_like_ours_in_the_file_stay_what_they_are() -> None:
    for code in ("_f0_ + _f1_", "f'{a}' + _f1_", "x = '_f0_= _f7_='", "f'{a}_f1_='"):
        assert ast.dump(parse_with_fstrings(code)) == ast.dump(ast.parse(code))


def test_twenty_are_nested_and_no_more() -> None:
    def nested(depth: int) -> str:
        return "f'{" * depth + "a" + "}'" * depth

    assert {node.id for node in ast.walk(parse_with_fstrings(nested(6))) if isinstance(node, ast.Name)} == {"a"}
    with pytest.raises(SyntaxError, match="nested too deeply"):
        parse_with_fstrings(nested(30))


@pytest.mark.parametrize(
    "code",
    [
        "f'{a:{{}}}'" if sys.version_info >= (3, 12) else "f'{a:x}'",
        "f'{a:}}}'",
        "f'{{{a}}}'",
        "f'{a!=b}'",
        "f'{a==b}' f'{a<=b}' f'{a>=b}'",
        "f'{a:{b}{c}}'",
        "f'{{}}'",
        "rf'\\{a}' + f'\\\\{a}'",
        "rb'{' + Rb'{' + f'{a}'",
        "F'{a}' + fR'{a}' + b'{'",
    ],
)
def test_braces_signs_and_prefixes_mean_what_they_mean_to_python(code: str) -> None:
    assert ast.dump(parse_with_fstrings(code)) == ast.dump(ast.parse(code))
