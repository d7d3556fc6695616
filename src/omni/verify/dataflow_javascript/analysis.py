"""Analysis of a whole project: every module and every function once; what was found, and what was not seen.

What comes of one file depends on it and on what it imports, and they import. It is kept under a digest of all that:
after a change, only what imports the changed file, however far up, is looked at again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from omni.kernel.canonical import JsonValue
from omni.verify.analysis.imported import JS_IMPORT
from omni.verify.analysis.places import TESTS
from omni.verify.dataflow.analysis import Analysis
from omni.verify.dataflow.summary import Hit
from omni.verify.dataflow.value import Step, Taint
from omni.verify.dataflow_javascript.machine import Machine
from omni.verify.dataflow_javascript.model import load
from omni.verify.dataflow_javascript.program import Links
from omni.verify.dataflow_javascript.tree import Node, Tree, parse

Remember: TypeAlias = Callable[[str, str, Callable[[], JsonValue]], JsonValue]
"""(path, name, compute) → what is known of the file by this name, computed unless it is."""
SCRIPT_TESTS = re.compile(
    r"(^|/)(__tests__|__mocks__|specs?|cypress|e2e|fixtures|typings)/|\.(test|spec|e2e|stories|config|d)\.[cm]?[jt]sx?$"
)
"""Beside what is a test in any language."""
LONGEST_LINE = 5_000
LARGEST = 1_000_000
"""Bytes of a script."""


@dataclass(frozen=True)
class Script:
    path: str
    digest: str
    """Of its content."""
    imports: tuple[str, ...]
    """As they are written."""
    text: Callable[[], str]


def script(path: str, text: str) -> Script:
    return Script(path, hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(), imports_in(text), lambda: text)


def imports_in(text: str) -> tuple[str, ...]:
    """What a script imports, as it is written."""
    return tuple(sorted({found["a"] or found["b"] for found in JS_IMPORT.finditer(text)}))


def analyse(
    scripts: Iterable[Script],
    aliases: Mapping[str, str] | None = None,
    remember: Remember = lambda _path, _name, compute: compute(),
) -> Analysis:
    """Follow untrusted data through these scripts. Nothing is imported or run.

    `aliases` are other names of folders (`@/` → `src/`). Tests are known but not started from: what they are given
    comes from themselves.
    """
    by_path = {each.path: each for each in sorted(scripts, key=lambda each: each.path)}
    links = Links({path: each.imports for path, each in by_path.items()}, aliases or {})
    machine = Machine(load(), links, lambda path: _readable(by_path[path].text(), path)[0])
    hits: dict[Hit, Hit] = {}
    unseen: dict[str, str] = {}
    for path, each in by_path.items():
        if TESTS.search(path) or SCRIPT_TESTS.search(path):
            continue
        said = remember(path, _state(links, by_path, path), partial(_looked_at, machine, each))
        for hit in _hits(said):
            hits.setdefault(hit, hit)
        unseen |= _unseen(said)
    return Analysis(tuple(sorted(hits.values(), key=_order)), unseen)


def _state(links: Links, scripts: Mapping[str, Script], path: str) -> str:
    """A digest of all that the result for a file depends on."""
    known = [(each, scripts[each].digest, links.targets.get(each, {})) for each in links.below(path)]
    return hashlib.sha256(json.dumps([path, known], sort_keys=True).encode()).hexdigest()


def _looked_at(machine: Machine, script: Script) -> JsonValue:
    text = script.text()
    _, why = _readable(text, script.path)
    if why.startswith(("minified", "larger")):
        return {"hits": [], "unseen": {script.path: why}}
    hits, unseen = machine.look_at(script.path)
    if why:
        unseen.setdefault(script.path, why)
    written: list[JsonValue] = [_written(hit) for hit in hits]
    return {"hits": written, "unseen": dict(unseen)}


def _readable(text: str, path: str) -> tuple[Node | None, str]:
    """The tree, and why not all of it is there."""
    if len(text) > LARGEST:
        return None, f"larger than {LARGEST // 1_000_000} MB"
    if any(len(line) > LONGEST_LINE for line in text.splitlines()):
        return None, "minified: made from another source, which is to be looked at"
    tree: Tree = parse(text, path)
    why = "" if tree.broken is None else f"not all of it can be parsed (from line {tree.broken})"
    return tree.root, why


def _written(hit: Hit) -> JsonValue:
    steps: list[JsonValue] = [
        [step.path, step.line, step.what] for step in (hit.sink, hit.taint.origin, *hit.taint.steps)
    ]
    return [hit.weakness, hit.taint.kind, hit.column, steps]


def _hits(said: JsonValue) -> Iterable[Hit]:
    listed = said.get("hits") if isinstance(said, dict) else None
    for each in listed if isinstance(listed, list) else []:
        match each:
            case [str(weakness), str(kind), int(column), [[*sink], [*origin], *steps]]:
                way = tuple(_step(step) for step in steps)
                yield Hit(
                    weakness, Taint(kind, _step(origin), frozenset(), way), _step(sink), frozenset({kind}), column
                )


def _step(said: JsonValue) -> Step:
    match said:
        case [str(path), int(line), str(what)]:
            return Step(path, line, what)
    raise ValueError(f"no step of a way: {said!r}")


def _unseen(said: JsonValue) -> dict[str, str]:
    found = said.get("unseen") if isinstance(said, dict) else None
    return {path: str(why) for path, why in found.items()} if isinstance(found, dict) else {}


def _order(hit: Hit) -> tuple[str, int, int, str, str, int]:
    origin = hit.taint.origin
    return (hit.sink.path, hit.sink.line, hit.column, hit.weakness, origin.path, origin.line)
