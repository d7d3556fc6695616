from __future__ import annotations

import ast
import gc
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from omni.verify.parsing import Kept, children, parse_python, walk

SOURCE = "x = " + "[" * 40 + "1" + "]" * 40 + "\n" + "def f(a):\n    return '\\d' + a\n" * 200


def test_many_threads_may_parse_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        trees = list(pool.map(lambda _: parse_python(SOURCE), range(64)))
    assert {len(tree.body) for tree in trees} == {201}


def test_what_is_no_python_is_a_syntax_error() -> None:
    with pytest.raises(SyntaxError):
        parse_python("def f(:")


@pytest.mark.parametrize("path", sorted(Path(ast.__file__).parent.glob("[a-d]*.py"))[:20], ids=lambda path: path.stem)
def test_walks_as_ast_does_without_contexts(path: Path) -> None:
    tree = parse_python(path.read_bytes())
    expected = [node for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]
    assert list(walk(tree)) == expected
    assert list(walk(tree)) == expected
    assert children(tree) == [*ast.iter_child_nodes(tree)]


def test_what_is_kept_is_bounded_by_what_it_was_made_of() -> None:
    kept: Kept[str, str] = Kept(10)
    made: list[str] = []

    def get(key: str, size: int) -> str:
        return kept.get(key, size, lambda: made.append(key) or key.upper())  # type: ignore[func-returns-value]

    assert [get("a", 4), get("b", 6), get("a", 4), get("b", 6)] == [*"ABAB"]
    assert made == ["a", "b"]
    assert get("large", 11) == "LARGE"
    assert [get("a", 4), get("b", 6), get("large", 11)] == ["A", "B", "LARGE"]
    assert made == ["a", "b", "large", "large"], "what is larger than all of it takes no place"
    assert get("c", 7) == "C"
    assert [get("c", 7), get("a", 4), get("b", 6)] == [*"CAB"]
    assert made.count("c") == 1
    assert len(made) >= 6, "no two of them fit beside it"


def test_a_little_too_much_is_still_mostly_kept() -> None:
    """Checks read everything in the same order, one after the other."""
    kept: Kept[int, None] = Kept(80)
    made: list[int] = []
    for _ in range(20):
        for key in range(100):
            kept.get(key, 1, partial(made.append, key))
    assert len(made) < 100 + 19 * 100 / 2


def test_what_can_not_be_made_is_not_kept() -> None:
    kept: Kept[str, int] = Kept(10)
    with pytest.raises(ValueError, match="invalid literal"):
        kept.get("a", 1, lambda: int("x"))
    assert kept.get("a", 1, lambda: 1) == 1


def test_the_garbage_collector_is_left_as_it_was() -> None:
    parse_python("a = 1\n")
    assert gc.isenabled()
    with pytest.raises(SyntaxError):
        parse_python("a =\n")
    assert gc.isenabled()
