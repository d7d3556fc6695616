"""What is computed without running the program is what Python computes; what is not certain is left open."""

from __future__ import annotations

import ast

import pytest

from omni.verify.dataflow import folding
from omni.verify.dataflow.folding import LONGEST, literal
from omni.verify.dataflow.machine import Machine
from omni.verify.dataflow.model import load
from omni.verify.dataflow.pages import Pages
from omni.verify.dataflow.project import Project
from omni.verify.dataflow.value import UNKNOWN, Const, Sequence, Step, Table, Taint, Text, Value, constant, join
from omni.verify.parsing import parse_python

DIRTY = Taint("remote", Step("a.py", 1, "request"))


def evaluated(expression: str) -> Value:
    """What the engine knows of `x` after `x = expression`; of `some` it knows nothing."""
    project = Project([("app.py", parse_python(f"some = len(given)\nx = {expression}\n"))])
    Machine(project, load(), Pages()).load(project.modules[0])
    return project.modules[0].names["x"]


def known(result: object) -> Value:
    if isinstance(result, dict):
        return Value(Table({key: known(value) for key, value in result.items()}))
    return literal(result)


COMPUTED = """
1 + 2 | 7 - 9 | 3 * 4 | 7 / 2 | 7 // 2 | 7 % 4 | 7.5 % 2 | -7 | ~6 | +5 | -2.5 | 6 & 3 | 6 ^ 3 | 1 << 4 | 64 >> 2
'a' + 'b' | 'ab' * 3 | 2 * b'xy' | b'a' + b'b' | 'a' + 'b' + 'c' | [1] + [2, 'c'] | (1,) + (2,)
1 == 1.0 | 'a' != 'b' | 'a' == 'b' | 1 < 2 | 2 < 2 | 2 <= 2 | 3 <= 2 | 3 > 3 | 3 > 2 | 3 >= 3 | 2 >= 3 | 1 < 2 < 3
1 < 3 < 2
'b' in 'abc' | 'z' in 'abc' | 'z' not in 'abc' | 'b' not in 'abc' | 2 in [1, 2] | 3 in (1, 2) | 3 not in (1, 2)
'k' in {'k': 1} | 'z' in {'k': 1} | 'k' not in {'k': 1}
None is None | None is not None | 1 is None | 1 is not None | None is 1 | True is True | True is False
True is not False
not 0 | not 'a' | not '' | not [0] | not [] | not {} | not {'k': 1} | not None | not 0.0 | not b''
'ABC'[1] | 'ABC'[-1] | b'ABC'[0] | 'ABCDE'[1:3] | 'ABC'[:2] | b'ABC'[1:] | [1, 2, 3][1] | [1, 2, 3][1:] | (1, 'b')[-1]
{'k': 1}['k'] | {1: 'a', 'k': 2}[1] | {(1, 'a'): 2}[1, 'a'] | {'k': 1}.get('z', 3) | {'k': 1}.get('z')
[[1, 2], [3]][0][1]
'a b'.split() | 'a,b'.split(',') | 'a b c'.rsplit(None, 1) | 'a-b'.partition('-') | 'a-b-c'.rpartition('-')
'x\\ny'.splitlines()
'AbC'.lower() | 'abc'.upper() | 'abc'.replace('b', 'x') | 'abc'.startswith('a') | 'abc'.find('c') | ' a '.strip()
'xay'.strip('xy')
'abc'.encode() | b'abc'.decode('utf-8') | 'ä'.encode('utf8') | b'abc'.decode('ascii') | 'ä'.encode('latin-1')
b'a'.decode('UTF-8')
b'ab'.hex() | 'abc'.title() | 'abc'.isdigit() | '12'.isdigit() | 'abc'.removeprefix('a') | 'abc'.capitalize()
'aXb'.swapcase()
'x%sy%s' % ('a', 1) | '%s' % 'a' | '%(k)s!' % {'k': 'v'} | '100%%' % () | '%5s|%%' % 'a' if 0 else 'x' | 'a%sb%%c' % 'x'
'{}-{}'.format('a', 'b') | '{1}{0}'.format('a', 'b') | '{k}!'.format(k='v') | '{{{}}}'.format('a')
'{0}{0}'.format('a')
f'a{1}b' | f'{"x"!s}' | f'{"a"}{"b"}' | ','.join(['a', 'b']) | ''.join([]) | ','.join(('a', 'b', 'c')) | '-'.join([])
len('abc') | len(b'ab') | len([1, 2]) | len({'k': 1}) | len({}) | str(12) | str() | str('a') | str(None) | str(1.5)
bool('x') | bool([]) | bool() | int('12') | int(3.7) | int(True) | chr(65) | chr(0) | chr(1114111) | list('ab')
tuple([1]) | list()
'a' and 'b' | '' and 'b' | '' or 'b' | 'a' or 'b' | 0 or '' or 'c' | 1 and 2 and 3 | 1 and 0 and 3 | 0 or 0
'x' if 1 else 'y' | 'x' if 0 else 'y' | 'x' if None else 'y' | [1, *[2, 3], 4] | [*(1, 2), *[3]] | (*'ab',) if 0 else ()
{**{'a': 1}, 'b': 2} | {'a': 1, **{'a': 2, 'c': 3}} | dict(a=1) | dict({'a': 1}, b=2) | {**{}}
(lambda x, y=2: x + y)(1) | (lambda *a: a)(1, 2) | (lambda **k: k)(a=1) | (n := 3) + n | next(iter([7, 8]))
(lambda: None)()
list({'a': 1}.items()) | list({'a': 1}.keys()) | list({'a': 1}.values()) | {'a': 1}.copy() | [3, 4].copy()
"""


@pytest.mark.filterwarnings("ignore:.is.* with:SyntaxWarning")
@pytest.mark.parametrize("line", COMPUTED.strip().splitlines())
def test_what_is_written_out_is_computed_as_python_does(line: str) -> None:
    expressions = [each.strip() for each in line.split(" | ")]
    assert {each: evaluated(each) for each in expressions} == {
        each: known(eval(compile(each, "", "eval", dont_inherit=True)))  # noqa: S307 - of the table above
        for each in expressions
    }


LEFT_OPEN = """
2 ** 3 | 1 / 0 | 'x' * 5000 | 5000 * 'x' | 'xy' * 2049 | 1 << 4097 | 4097 << 1 | 'abc'[9] | 'a' < 1 | 1 is 1
'a' is 'a'
int('x') | int('9' * 100) | int('ff', 16) | int(some) | chr(-1) | chr(1114112) | chr(some) | len(some) | bool(some)
not some
'a'.encode('utf-16') | 'a'.replace('a', '123456789') | 'abc'.zfill(9) | 'abc'.index('z') | b'a'.isidentifier()
'a' in some
some in ['a'] | some == 1 | some < 1 | -some | some in 'abc' | [1] == [1] | some[0] | some() | 1 in [some]
'k' in {some: 1}
some is None | ... | 7 in 7 | 'a'.encode('cp1252') | ''.startswith(some) | 'a'.find('a', some)
"""


@pytest.mark.parametrize("line", LEFT_OPEN.strip().splitlines())
def test_what_is_not_certain_or_too_much_is_left_open(line: str) -> None:
    found = {each.strip(): evaluated(each.strip()) for each in line.split(" | ")}
    assert found == dict.fromkeys(found, UNKNOWN)


@pytest.mark.parametrize(
    ("expression", "start"),
    [
        ("'ab' + some", "ab"),
        ("'ab' + some + 'c'", "ab"),
        ("some + 'ab'", ""),
        ("f'http://x/{some}/y'", "http://x/"),
        ("f'a{some:>5}'", "a"),
        ("f'a{some!r}'", "a"),
        ("f'a{\"x\"!r}'", "a"),
        ("'a%d' % 3", "a"),
        ("'a%s%sb' % ('x',)", "ax"),
        ("f'{3:d}'", ""),
        ("f'a{some:x}'", "a"),
        ("some + 1", ""),
        ("'a%(k)sb' % some", "a"),
        ("'a{}b'.format(some)", "a"),
        ("'a{0.x}b'.format('y')", "a"),
        ("'a{:d}b'.format(1)", "a"),
        ("'a{:>9}b'.format('x')", "a"),
        ("'a{}b'.format()", "a"),
        ("'a{x}b'.format(1)", "a"),
        ("'a{'.format(1)", None),
        ("'-'.join(['a', some])", "a-"),
        ("'%s' % some", ""),
        ("'a' if some else 'ab'", "a"),
        ("'ax' if some else 'bx'", ""),
    ],
)
def test_of_a_text_with_an_unknown_part_the_beginning_is_known(expression: str, start: str | None) -> None:
    assert evaluated(expression) == (constant("a{") if start is None else Value(Text(start)))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[1, some]", Value(Sequence((constant(1), UNKNOWN)))),
        ("[1, *some]", Value(Sequence((constant(1),), UNKNOWN))),
        ("[*some, 1]", Value(Sequence((), UNKNOWN))),
        ("[n for n in [1, 1]]", Value(Sequence((), constant(1)))),
        ("{n: 2 for n in 'ab'}", Value(Table({}, constant(2)))),
        ("{some: 1, 'k': 2}", Value(Table({"k": constant(2)}, constant(1)))),
        ("{'k': 2, **some}", Value(Table({"k": constant(2)}, UNKNOWN))),
        ("dict([('a', 1)])", Value(Table({}, constant(1)))),
        ("[1, 1] * 2", Value(Sequence((), constant(1)))),
        ("reversed([2, 2])", Value(Sequence((), constant(2)))),
        ("sorted(['b'])", Value(Sequence((), constant("b")))),
        ("list(enumerate('a'))", Value(Sequence((), Value(Sequence((UNKNOWN, constant("a"))))))),
        ("list(zip('a', [1]))", Value(Sequence((), Value(Sequence((constant("a"), constant(1))))))),
        ("list(map(str, [5]))", Value(Sequence((), constant("5")))),
        ("list(filter(None, [5]))", Value(Sequence((), constant(5)))),
        ("next(iter([]), 7)", join(UNKNOWN, constant(7))),
        ("next(iter({'k': 1}))", constant("k")),
        ("[1, 2][some]", join(constant(1), constant(2))),
        ("list('a' * 65)", Value(Sequence((), UNKNOWN))),
        ("list('a' * 64)", Value(Sequence((constant("a"),) * 64))),
    ],
)
def test_of_a_container_what_may_be_in_it_is_known(expression: str, expected: Value) -> None:
    assert evaluated(expression) == expected


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (f"[{'1,' * 256}]", Value(Sequence((constant(1),) * 256))),
        (f"[{'1,' * 257}]", Value(Sequence((constant(1),) * 64, constant(1)))),
    ],
)
def test_a_very_long_list_is_data(text: str, whole: Value) -> None:
    assert evaluated(text) == whole


def test_what_is_plain_and_short_is_kept() -> None:
    assert literal("x" * LONGEST) == Value(Const("x" * LONGEST, str))
    assert literal("x" * (LONGEST + 1)) == UNKNOWN
    assert literal(2**LONGEST - 1) == Value(Const(2**LONGEST - 1, int))
    assert literal(2**LONGEST) == UNKNOWN
    assert [literal(each) for each in (b"x", 1.5, 2j, None, True)] == [
        Value(Const(each, type(each))) for each in (b"x", 1.5, 2j, None, True)
    ]
    assert literal([1] * 64) == Value(Sequence((constant(1),) * 64))
    assert literal((1,) * 65) == Value(Sequence((constant(1),) * 64, UNKNOWN))
    assert literal(object()) == UNKNOWN


def test_texts_are_put_together_up_to_their_longest() -> None:
    half = constant("x" * (LONGEST // 2))
    assert folding.concatenated([half, half]) == constant("x" * LONGEST)
    assert folding.concatenated([half, half, constant("y")]) == Value(Text("x" * LONGEST + "y"))
    assert folding.concatenated([constant("a"), constant(b"b"), constant("c")]) == Value(Text("a"))


def test_what_is_computed_from_untrusted_data_is_untrusted() -> None:
    dirty = Value(Const(3, int), (DIRTY,))
    assert folding.operate(ast.Add(), dirty, constant(1)) == Value(Const(4, int), (DIRTY,))
    assert folding.operate(ast.Add(), constant(1), dirty) == Value(Const(4, int), (DIRTY,))
    assert folding.concatenated([constant("a"), Value(None, (DIRTY,))]) == Value(Text("a"), (DIRTY,))
    assert folding.concatenated([Value(Const("a", str), (DIRTY,)), constant("b")]) == Value(Const("ab", str), (DIRTY,))


@pytest.mark.parametrize(
    ("template", "places"),
    [
        ("a%sb", [("a", "", "s"), ("b", "", "")]),
        ("%(k)-5.2fx", [("", "k", "f"), ("x", "", "")]),
        ("%% %*d", [("", "", "%"), (" ", "", "d"), ("", "", "")]),
        ("%#x%+.3ld", [("", "", "x"), ("", "", "d"), ("", "", "")]),
        ("100%", [("100%", "", "")]),
    ],
)
def test_places_of_a_template(template: str, places: list[tuple[str, str, str]]) -> None:
    assert list(folding.places(template)) == places
