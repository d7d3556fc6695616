from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from omni.kernel import clock
from omni.verify import repository
from omni.verify.analysis.complexity import complexity
from omni.verify.analysis.duplication import Copy, copies
from omni.verify.report import CheckResult

Look = Callable[..., CheckResult]
Git = Callable[..., str]
Write = Callable[[Mapping[str, str]], Path]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("pass", 1),
        ("if a: pass", 2),
        ("if a and b or c: pass", 4),
        ("for x in [y for y in a if y if b]: pass", 5),
        ("x = a if b else c", 2),
        ("try: pass\n    except E: pass\n    except F: pass", 3),
        ("while a:\n        if b: pass", 3),
        ("match a:\n        case 1: pass\n        case _: pass", 3),
        ("def g():\n        if a: pass", 1),
    ],
)
def test_complexity(body: str, paths: int) -> None:
    function = ast.parse(f"def f(a, b, c):\n    {body}\n").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert complexity(function) == paths


def test_copies() -> None:
    lines = [f"call({number})" for number in range(20)]
    one = "\n".join(["import a", *lines, "other()"])
    two = "\n".join(["different()", "", "# a comment", *(f"   {line}" for line in lines), "end()"])
    assert list(copies({"a.py": one, "b.py": two}, 12)) == [Copy("b.py", 4, "a.py", 2, 20)]
    assert list(copies({"a.py": one, "b.py": "\n".join(lines[:11])}, 12)) == []
    assert list(copies({"a.py": "\n".join(["same()"] * 15)}, 12)) == []


def test_debt(look: Look) -> None:
    branches = "".join(f"    if a == {number}:\n        return {number}\n" for number in range(17))
    files = {
        "app/big.py": f"def big(a):\n{branches}\n\ndef small(a):\n    return a  # TODO(me): later\n",
        "app/seen.py": "def seen():\n    return 1\n",
        "tests/test_seen.py": "from app import seen\n\ndef test_a():\n    assert seen.seen() == 1\n",
    }
    result = look("debt", files)
    assert [(each.rule, each.severity, each.path, each.line, each.message) for each in result.findings] == [
        ("complexity", "warning", "app/big.py", 1, "`big` has 18 paths; the limit is 15"),
        ("test-gap", "note", "app/big.py", 1, "no test names `big`, nor the module it is in"),
        ("test-gap", "note", "app/big.py", 38, "no test names `small`, nor the module it is in"),
        ("old-note", "note", "app/big.py", 39, "TODO: later"),
    ]
    assert result.metrics == {
        "debt.most_complex": 18,
        "debt.complexity": 0.8,
        "debt.duplicate": 0,
        "debt.note": 0.5,
        "debt.test_gap": 1.0,
        "debt.hours": 2.2,
    }


def test_how_old_a_note_is(git: Git, write: Write) -> None:
    root = write({"a.py": "x = 1\n# TODO: later\n"})
    git("add", ".")
    git("commit", "-q", "-m", "a")
    written = repository.written(root, "a.py", 2, "# TODO: later")
    assert written is not None
    assert abs(clock.now() - written) < timedelta(minutes=5)
    assert repository.written(root, "a.py", 1, "# TODO: later") is None
    assert repository.written(root, "b.py", 1, "x") is None


def test_git_runs_nothing_of_the_repository(git: Git, write: Write, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    root = write({"a.py": "# TODO\n", ".gitattributes": "*.py diff=evil filter=evil\n"})
    git("add", ".")
    git("commit", "-q", "-m", "a")
    for key in ("diff.evil.textconv", "filter.evil.clean", "filter.evil.smudge"):
        git("config", key, f"touch {mark}; cat")
    assert repository.written(root, "a.py", 1, "# TODO") is not None
    assert not mark.exists()
