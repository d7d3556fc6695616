"""The analysis as a page: Markdown with a diagram in Mermaid, every line of it checkable by its path and line."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator

from omni.code.analysis import Analysis
from omni.code.model import ASIDE, Problem

BOXES = 14
"""Of the diagram; more can't be read."""
EACH = 25
"""Problems of one kind that are listed; the JSON has all."""

KINDS = {
    "cycle": "Files that depend on each other",
    "complex": "Complicated functions",
    "long": "Long functions",
    "coupled": "Files that depend on many others",
    "untested": "Code that no test reaches",
    "dead": "Definitions that nothing names",
    "unread": "Files that could not be read",
    "marked": "Marked by their authors",
}


def render(analysis: Analysis, title: str) -> str:
    """The page, ending with a line feed."""
    parts = (
        _head(analysis, title),
        _files(analysis),
        _dependencies(analysis),
        _entries(analysis),
        _trace(analysis),
        _patterns(analysis),
        _problems(analysis),
        _tests(analysis),
        _documents(analysis),
    )
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _head(analysis: Analysis, title: str) -> Iterator[str]:
    languages = Counter[str]()
    for file in analysis.files:
        languages[file.language or "other"] += file.lines
    shares = ", ".join(f"{name} {lines}" for name, lines in languages.most_common(6) if lines)
    yield from (f"# {title}: what it is", "")
    yield f"{len(analysis.files)} files, {analysis.lines} lines ({shares})."
    yield "It was read, never run; calls and imports are resolved by their names."
    yield ""


def _files(analysis: Analysis) -> Iterator[str]:
    yield from ("## 1. Every file, and what it is for", "")
    yield from _table(
        ("File", "Lines", "Purpose"),
        ((f"`{file.path}`", str(file.lines), file.purpose or "not known") for file in analysis.files),
    )


def _dependencies(analysis: Analysis) -> Iterator[str]:
    yield from ("## 2. What depends on what", "", "```mermaid", *diagram(analysis), "```", "")
    counts = Counter(target for targets in analysis.imports.values() for target in targets)
    if counts:
        yield from ("Most imported:", "")
        yield from _table(("File", "Imported by"), ((f"`{path}`", str(n)) for path, n in counts.most_common(10)))
    if analysis.outside:
        yield from ("From outside:", "")
        rows = ((f"`{name}`", str(len(paths)), f"`{paths[0]}`") for name, paths in analysis.outside.items())
        yield from _table(("Package", "Files", "First"), rows)


def diagram(analysis: Analysis) -> Iterator[str]:
    """Folders as boxes, or files where the project has only one; an arrow says how many imports it stands for."""
    groups = _groups(analysis)
    arrows: Counter[tuple[str, str]] = Counter()
    for path, targets in analysis.imports.items():
        for target in targets:
            if path in groups and target in groups and groups[path] != groups[target]:
                arrows[groups[path], groups[target]] += 1
    weight: Counter[str] = Counter()
    for (source, target), count in arrows.items():
        weight[source] += count
        weight[target] += count
    shown = sorted(name for name, _ in weight.most_common(BOXES)) or sorted(set(groups.values()))[:BOXES]
    ids = {name: f"n{number}" for number, name in enumerate(shown)}
    yield "flowchart LR"
    yield from (f'  {ids[name]}["{name}"]' for name in shown)
    for (source, target), count in sorted(arrows.items()):
        if source in ids and target in ids:
            yield f"  {ids[source]} -->|{count}| {ids[target]}"


def _groups(analysis: Analysis) -> dict[str, str]:
    """File → its box: folders, unless that leaves fewer than three."""
    test_files = {test.path for test in analysis.tests}
    code = [file.path for file in analysis.files if file.path in analysis.imports or _imported(analysis, file.path)]
    code = [path for path in code if path not in test_files and not ASIDE.search(path)]
    by_folder = {path: posixpath.dirname(path) or "." for path in code}
    return by_folder if len(set(by_folder.values())) > 2 else {path: path for path in code}


def _imported(analysis: Analysis, path: str) -> bool:
    return any(path in targets for targets in analysis.imports.values())


def _entries(analysis: Analysis) -> Iterator[str]:
    yield from ("## 3. Where something comes in", "")
    if not analysis.entry_points:
        yield from ("None was found: it is a library, or its entry points are made at run time.", "")
        return
    rows = ((each.kind, f"`{each.what}`", f"`{each.path}:{each.line}`", each.symbol) for each in analysis.entry_points)
    yield from _table(("Kind", "What", "Where", "Answered by"), rows)


def _trace(analysis: Analysis) -> Iterator[str]:
    yield from ("## 4. One request, traced", "")
    if analysis.trace is None or not analysis.trace.calls:
        yield from ("No entry point leads to a definition by names alone.", "")
    else:
        entry = analysis.trace.entry
        of = "the public function" if entry.what == f"{entry.symbol}()" else entry.kind
        yield from (f"From {of} `{entry.what}`:", "")
        yield from (f"{'  ' * call.depth}- `{call.name}` ({call.place})" for call in analysis.trace.calls)
        yield ""
    if analysis.effects:
        yield from ("What the code touches outside itself:", "")
        rows = (
            (kind, f"`{module}`", ", ".join(f"`{path}`" for path in paths[:4]) + (" …" if len(paths) > 4 else ""))
            for kind, modules in analysis.effects.items()
            for module, paths in modules.items()
        )
        yield from _table(("What", "By", "In"), rows)


def _patterns(analysis: Analysis) -> Iterator[str]:
    yield from ("## 5. How it is built", "")
    if not analysis.patterns:
        yield from ("No pattern that is known by its names.", "")
        return
    rows = ((each.name, each.about, str(each.count), f"`{each.places[0]}`") for each in analysis.patterns)
    yield from _table(("Pattern", "What it means", "Times", "First"), rows)


def _problems(analysis: Analysis) -> Iterator[str]:
    yield from ("## 6. Problems", "")
    if not analysis.problems:
        yield from ("None was found.", "")
    for kind, title in KINDS.items():
        found = [each for each in analysis.problems if each.kind == kind]
        if found:
            yield from (f"### {title} ({len(found)})", "", *_list(found), "")


def _list(found: Iterable[Problem]) -> Iterator[str]:
    listed = list(found)
    yield from (f"- `{each.path}:{each.line}` {each.what}: {each.why}" for each in listed[:EACH])
    if len(listed) > EACH:
        yield f"- and {len(listed) - EACH} more (`omni analyse --json` has all)"


def _tests(analysis: Analysis) -> Iterator[str]:
    yield from ("## 7. Tests", "")
    total = sum(each.tests for each in analysis.tests)
    yield from (f"{total} tests in {len(analysis.tests)} files." if total else "There is no test.", "")
    if analysis.tests:
        rows = ((f"`{e.path}`", str(e.tests), ", ".join(f"`{c}`" for c in e.covers[:4])) for e in analysis.tests)
        yield from _table(("File", "Tests", "Imports"), rows)


def _documents(analysis: Analysis) -> Iterator[str]:
    yield from ("## 8. Whether the documents are accurate", "")
    compared = f"{analysis.claims} paths, links and names compared"
    yield f"{analysis.documents} documents, {compared}, {len(analysis.stale)} wrong."
    yield from ("", *_list(analysis.stale), "")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    yield ""
