"""What a person should know before a change: cycles, complicated code, missing tests, dead code, files left unread."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from omni.code.codebase import text_of
from omni.code.graph import Graph
from omni.code.model import ASIDE, Codebase, Problem, SourceFile, Symbol

COMPLEX = 15
"""McCabe's number from which a function is named; 10 is his own limit, and most projects pass it often."""
LONG = 80
"""Lines of a function."""
COUPLED = 15
"""Files of the project that a file imports."""
NOT_TESTED = re.compile(ASIDE.pattern + r"|(^|/)migrations?/")
"""Steps of a database are run, and tested, by running them all."""
MARK = re.compile(r"(?:#|//|/\*)\s*(TODO|FIXME|XXX|HACK)\b[:\s]*(.*)")
WORD = re.compile(r"[A-Za-z_]\w*")
CALLED_BY_OTHERS = re.compile(
    r"^(visit|do|handle|test|setup|teardown|pytest|on|get|post)_|^(main|setUp|tearDown|Meta)$"
)
"""Names that a frame calls without anybody writing them down."""


def problems(root: Path, codebase: Codebase, graph: Graph) -> tuple[Problem, ...]:
    """All of them, by kind and place."""
    found = [
        *_cycles(graph),
        *(each for file in codebase.code for each in _hotspots(file, graph)),
        *_untested(codebase, graph),
        *dead_code(root, codebase),
        *_unread(codebase),
        *_marked(root, codebase),
    ]
    return tuple(sorted(found, key=lambda each: (each.kind, each.path, each.line)))


def _cycles(graph: Graph) -> Iterator[Problem]:
    for group in graph.cycles:
        names = ", ".join(group[:6]) + (f" and {len(group) - 6} more" if len(group) > 6 else "")
        yield Problem(
            kind="cycle",
            path=group[0],
            what=f"{len(group)} files depend on each other: {names}",
            why="none of them can be understood, tested or changed without the others",
        )


def _hotspots(file: SourceFile, graph: Graph) -> Iterator[Problem]:
    for symbol in file.symbols:
        length = symbol.end_line - symbol.line + 1
        if symbol.complexity > COMPLEX:
            why = f"{symbol.complexity} ways through {length} lines; more than {COMPLEX} are hard to test"
            yield Problem(kind="complex", path=file.path, line=symbol.line, what=symbol.name, why=why)
        elif symbol.kind != "class" and length > LONG:
            why = f"{length} lines; what is longer than {LONG} does more than one thing"
            yield Problem(kind="long", path=file.path, line=symbol.line, what=symbol.name, why=why)
    targets = graph.imports.get(file.path, frozenset())
    if len(targets) > COUPLED and not file.path.endswith("__init__.py"):
        why = f"imports {len(targets)} files of the project, so a change of any of them may reach it"
        yield Problem(kind="coupled", path=file.path, what=file.path, why=why)


def _untested(codebase: Codebase, graph: Graph) -> Iterator[Problem]:
    """Code that no test imports, directly or not."""
    tests = [file.path for file in codebase.files if file.test]
    reached: set[str] = set()
    waiting = list(tests)
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += graph.imports.get(path, frozenset())
            # Importing app.web.views runs app/web/__init__.py and app/__init__.py too.
            parts = path.split("/")[:-1]
            inits = ("/".join([*parts[:count], "__init__.py"]) for count in range(1, len(parts) + 1))
            waiting += [init for init in inits if init in codebase.by_path]
    for file in codebase.code:
        if file.language == "python" and file.path not in reached and not NOT_TESTED.search(file.path):
            why = "no test imports it, directly or through others" if tests else "there is no test at all"
            yield Problem(kind="untested", path=file.path, what=f"defines {len(file.symbols)}", why=why)


def dead_code(root: Path, codebase: Codebase) -> tuple[Problem, ...]:
    """Definitions that nothing names: not code, not a text in quotes, not a document, not a template.

    Kept: what has a decorator (it was handed over), what overrides a class from outside, what frames call by name,
    special methods, and names that begin as a name put together at run time does (`getattr(x, f"do_{name}")`).
    """
    words = _words(root, codebase)
    prefixes = tuple({prefix for file in codebase.files for prefix in file.prefixes})
    local = {symbol.name for symbol in codebase.symbols if symbol.kind == "class"}
    found = []
    for file in codebase.code:
        if file.language != "python":
            continue
        classes = {symbol.name: symbol for symbol in file.symbols if symbol.kind == "class"}
        for symbol in file.symbols:
            if words[symbol.last_name] > 1 or not _may_be_dead(symbol, classes, local, prefixes):
                continue
            public = "" if symbol.last_name.startswith("_") else "; it is public, so look for users elsewhere first"
            why = f"its name stands nowhere else in {len(codebase.files)} files, quoted texts included{public}"
            found.append(Problem(kind="dead", path=file.path, line=symbol.line, what=symbol.name, why=why))
    return tuple(found)


def _may_be_dead(symbol: Symbol, classes: dict[str, Symbol], local: set[str], prefixes: tuple[str, ...]) -> bool:
    name = symbol.last_name
    if symbol.decorators or re.fullmatch(r"__\w+__", name) or CALLED_BY_OTHERS.search(name):
        return False
    if prefixes and name.startswith(prefixes):
        return False
    owner = classes.get(symbol.name.rpartition(".")[0])
    return owner is None or all(base in local for base in owner.bases)


def _words(root: Path, codebase: Codebase) -> Counter[str]:
    found: Counter[str] = Counter()
    for file in codebase.files:
        if not file.problem or file.problem.startswith("can't be parsed"):
            found.update(WORD.findall(text_of(root, file.path)))
    return found


def _unread(codebase: Codebase) -> Iterator[Problem]:
    for file in codebase.files:
        if file.problem and file.language:
            yield Problem(kind="unread", path=file.path, what=file.path, why=file.problem)


def _marked(root: Path, codebase: Codebase) -> Iterator[Problem]:
    for file in codebase.code:
        if file.problem:
            continue
        for number, line in enumerate(text_of(root, file.path).splitlines(), 1):
            if found := MARK.search(line):
                what = found[2].strip()[:120] or "without a word"
                yield Problem(kind="marked", path=file.path, line=number, what=what, why=f"its author wrote {found[1]}")
