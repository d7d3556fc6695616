"""What holds for any program: the engine ends, says the same again, and a sanitizer never makes it say more."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omni.verify.analysis.fstrings import parse_any
from omni.verify.dataflow.analysis import Analysis, analyse
from omni.verify.dataflow.value import UNKNOWN, Step, Table, Taint, Value, constant, join, tainted, taints_in, transform
from omni.verify.dataflow.value import Sequence as Items

NAMES = st.sampled_from(["a", "b", "c", "data"])


def texts(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("f'x{{({})}}'".format, inner),
        st.builds("[{}, {}][0]".format, inner, inner),
        st.builds("{{'k': {}, 'l': {}}}['l']".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("helper({})".format, inner),
        st.builds("(lambda v: v + {})({})".format, inner, inner),
        st.builds("''.join(v for v in {})".format, inner),
        st.builds("({}).strip()".format, inner),
        st.builds("'%s' % ({},)".format, inner),
    )


EXPRESSIONS = st.recursive(
    st.one_of(NAMES, st.sampled_from(["'x'", "1", "None", "request.args['q']"])), texts, max_leaves=6
)


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def indented(text: str) -> str:
        return textwrap.indent(text, "    ")

    return st.one_of(
        st.builds(lambda one, other: f"{one}\n{other}", inner, inner),
        st.builds(lambda test, body: f"if {test}:\n{indented(body)}", EXPRESSIONS, inner),
        st.builds(lambda name, test, body: f"for {name} in {test}:\n{indented(body)}", NAMES, EXPRESSIONS, inner),
        st.builds(lambda test, body: f"while {test}:\n{indented(body)}\n    break", EXPRESSIONS, inner),
        st.builds(lambda body: f"try:\n{indented(body)}\nexcept ValueError:\n    a = b", inner),
        st.builds(lambda body: f"def helper(v):\n{indented(body)}\n    return v", inner),
    )


STATEMENTS = st.recursive(
    st.one_of(
        st.builds("{} = {}".format, NAMES, EXPRESSIONS),
        st.builds("{} += {}".format, NAMES, EXPRESSIONS),
        st.builds("os.system({})".format, EXPRESSIONS),
        st.builds("open({})".format, EXPRESSIONS),
    ),
    blocks,
    max_leaves=8,
)
HEAD = """import os, shlex
from flask import Flask, request
app = Flask(__name__)
def helper(v):
    return helper2(v)
def helper2(v):
    return helper(v) + v
@app.route('/')
def handler():
    a = b = c = 'x'
    data = request.args['data']
"""


def program(body: str) -> str:
    return HEAD + textwrap.indent(body, "    ") + "\n    return {}\n"


def analysed(code: str) -> Analysis:
    return analyse([("app.py", parse_any(code))])


@given(STATEMENTS)
@settings(max_examples=60, deadline=None)
def test_it_ends_and_says_the_same_again(body: str) -> None:
    first, second = analysed(program(body)), analysed(program(body))
    assert (first.hits, first.unseen) == (second.hits, second.unseen)
    assert [hit.taint.steps for hit in first.hits] == [hit.taint.steps for hit in second.hits]


@given(STATEMENTS)
@settings(max_examples=60, deadline=None)
def test_a_sanitizer_never_adds_a_finding(body: str) -> None:
    quoted = body.replace("os.system(", "os.system(shlex.quote(")
    quoted = "\n".join(line + ")" if "os.system(shlex" in line else line for line in quoted.split("\n"))
    before = {(hit.weakness, hit.sink.line) for hit in analysed(program(body)).hits}
    after = {(hit.weakness, hit.sink.line) for hit in analysed(program(quoted)).hits}
    assert after <= before
    assert not any(weakness == "command" for weakness, _ in after)


@pytest.mark.parametrize(
    "body",
    [
        "a = " + " + ".join(["data"] * 700),
        "a = " + "[" * 60 + "data" + "]" * 60,
        "\n".join(f"a{n + 1} = [a{n}, a{n}]" if n else "a1 = [data, data]" for n in range(200)),
        "def f(v):\n    return f(f(f(v + data)))\nos.system(f(a))",
        "\n".join(f"def f{n}(v):\n    return f{n + 1}(v) + f{n + 1}(v + 'x')" for n in range(60)) + "\na = f0(data)",
        "a = " + "(lambda v: v)(" * 40 + "data" + ")" * 40,
        "while data:\n" + "\n".join("    " * n + "while data:" for n in range(2, 9)) + "\n" + "    " * 9 + "a += data",
        "x = {}\nx['x'] = x\nos.system(x['x']['x'])",
        "class A(A):\n    pass\nA().x.y()",
        "a = 'x' * 10**9\nb = 2 ** 10**9\nc = 1 << 10**9\nd = '%1000000000d' % 1",
    ],
)  # fmt: skip
def test_what_is_made_to_last_for_ever_ends(body: str) -> None:
    analysis = analysed(program(body))
    assert set(analysis.unseen) <= {"app.py"}


TAINTS = st.builds(lambda number: Taint("remote", Step("a.py", number, "x")), st.integers(1, 4))
VALUES = st.recursive(
    st.one_of(
        st.just(UNKNOWN),
        st.builds(constant, st.sampled_from(["x", "xy", 1, True, None])),
        st.builds(lambda taint: tainted((taint,)), TAINTS),
    ),
    lambda inner: st.one_of(
        st.builds(lambda items: Value(Items(tuple(items))), st.lists(inner, max_size=3)),
        st.builds(lambda one, other: Value(Table({"a": one, "b": other})), inner, inner),
    ),
    max_leaves=6,
)


@given(VALUES, VALUES)
@settings(deadline=None)
def test_what_is_one_or_the_other_holds_the_data_of_both(one: Value, other: Value) -> None:
    both = set(taints_in(one)) | set(taints_in(other))
    assert set(taints_in(join(one, other))) == both
    assert set(taints_in(join(other, one))) == both
    assert join(one, one) == one


@given(VALUES)
@settings(deadline=None)
def test_a_value_that_is_not_changed_is_the_same(value: Value) -> None:
    assert transform(value, lambda taints: taints) is value
    assert taints_in(transform(value, lambda _: ())) == ()
