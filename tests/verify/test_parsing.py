from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from omni.verify.parsing import YAML_LOADER, bounded_yaml, parse_python

SOURCE = "x = " + "[" * 40 + "1" + "]" * 40 + "\n" + "def f(a):\n    return '\\d' + a\n" * 200


def test_many_threads_may_parse_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        trees = list(pool.map(lambda _: parse_python(SOURCE), range(64)))
    assert {len(tree.body) for tree in trees} == {201}


def test_what_is_no_python_is_a_syntax_error() -> None:
    with pytest.raises(SyntaxError):
        parse_python("def f(:")


@pytest.mark.parametrize("text", ["[" * 50_000, "- " * 50_000, "{a: " * 50_000])
def test_yaml_that_would_overflow_the_stack_is_refused(text: str) -> None:
    with pytest.raises((RecursionError, yaml.YAMLError)):
        yaml.load(bounded_yaml(text), Loader=YAML_LOADER)  # noqa: S506 - it is the safe one


def test_other_yaml_passes_as_it_is() -> None:
    assert bounded_yaml("a: [1, {b: 2}]\n---\nc: 3\n") == "a: [1, {b: 2}]\n---\nc: 3\n"
