from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from omni.kernel import clock
from omni.verify import repository
from omni.verify.analysis.complexity import complexity
from omni.verify.analysis.duplication import Copy, copies
from omni.verify.checks.debt import MOST_NOTES, costs
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


def test_the_borders_of_what_counts(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits are what may be; a test names a package by its folder, a method by its class."""
    limits = costs().limits
    ages = {3: limits.age, 4: limits.age + 1}
    dates = {line: clock.now() - timedelta(days=days, seconds=5) for line, days in ages.items()}
    monkeypatch.setattr(repository, "written", lambda _root, _path, line, _text: dates.get(line))
    lines = "".join(f"call_{number}()\n" for number in range(limits.duplicate))
    branches = "".join(f"    if a == {number}: pass\n" for number in range(limits.complexity - 1))
    files = {
        "app/most.py": f"def most(a):\n{branches}",
        "app/copy.js": lines,
        "app/notes.js": "// FIXME\n// no note\n// TODO: old\n// TODO(me): older\n" + lines,
        "app/named/__init__.py": "def one(): ...\n",
        "app/other/__init__.py": "def two(): ...\nclass Seen:\n    def three(self): ...\ndef _own(): ...\n",
        "__init__.py": "def four(): ...\n",
        "app/broken.py": "def (\n",
        "benchmarks/a.py": "def five(): ...\n",
        "tests/helper.py": "def six(): ...\n",
        "tests/test_a.py": "import named, most, Seen\n",
    }
    result = look("debt", files)
    assert [(each.rule, each.path, each.line, each.message) for each in result.findings] == snapshot(
        [
            ("test-gap", "__init__.py", 1, "no test names `four`, nor the module it is in"),
            ("old-note", "app/notes.js", 1, "FIXME: without a word"),
            ("old-note", "app/notes.js", 3, "TODO, 180 days old: old"),
            ("old-note", "app/notes.js", 4, "TODO, 181 days old: older"),
            ("duplicate", "app/notes.js", 5, "12 lines are the same as in app/copy.js:1"),
            ("test-gap", "app/other/__init__.py", 1, "no test names `two`, nor the module it is in"),
        ]
    )
    assert result.metrics == snapshot(
        {
            "debt.most_complex": 15.0,
            "debt.complexity": 0.0,
            "debt.duplicate": 0.6,
            "debt.note": 2.0,
            "debt.test_gap": 1.0,
            "debt.hours": 3.6,
        }
    )


def test_nothing_is_owed_where_nothing_is(look: Look) -> None:
    """Without any tests no function is a gap in them."""
    result = look("debt", {"app/a.js": "run();\n", "app/b.py": "x = 1\n"})
    assert (result.findings, set(result.metrics.values())) == ((), {0})
    assert look("debt", {"app/b.py": "def f(): ...\n"}).findings == ()


def test_only_so_many_notes_are_looked_up(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(repository, "written", lambda _root, _path, line, _text: asked.append(line))
    look("debt", {"a.py": "# TODO: more\n" * (MOST_NOTES + 5)})
    assert asked == list(range(1, MOST_NOTES + 1))
