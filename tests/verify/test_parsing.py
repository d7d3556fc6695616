from __future__ import annotations

import ast
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from omni.verify.parsing import YAML_LOADER, bounded_yaml, children, parse_python, walk

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


@pytest.mark.parametrize("path", sorted(Path(ast.__file__).parent.glob("[a-d]*.py"))[:20], ids=lambda path: path.stem)
def test_walks_as_ast_does_without_contexts(path: Path) -> None:
    tree = parse_python(path.read_bytes())
    expected = [node for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]
    assert list(walk(tree)) == expected
    assert list(walk(tree)) == expected
    assert children(tree) == [*ast.iter_child_nodes(tree)]
