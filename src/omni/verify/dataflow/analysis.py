"""Analysis of a whole project: every module and every function once; what was found, and what was not seen."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from omni.verify.analysis.places import TESTS
from omni.verify.dataflow.machine import Exhausted, Machine
from omni.verify.dataflow.model import load
from omni.verify.dataflow.pages import Pages
from omni.verify.dataflow.project import Project
from omni.verify.dataflow.summary import Hit


@dataclass
class Analysis:
    hits: tuple[Hit, ...]
    unseen: dict[str, str] = field(default_factory=dict)
    """Path → why not all of it was analysed."""


def analyse(
    trees: Iterable[tuple[str, ast.Module]],
    source_roots: tuple[str, ...] = (),
    templates: Iterable[tuple[str, str]] = (),
) -> Analysis:
    """Follow untrusted data through these files (path, tree) and templates (path, text). Nothing is imported or run.

    Tests are known but not started from: what they are given comes from themselves.
    """
    project = Project(sorted(trees, key=lambda each: each[0]), source_roots)
    machine = Machine(project, load(), Pages(templates))
    unseen: dict[str, str] = {}
    for module in project.modules:
        if TESTS.search(module.path):
            continue
        _attempt(unseen, module.path, machine, partial(machine.load, module))
    for callee in machine.roots():
        path = callee.function.module.path
        if TESTS.search(path):
            continue
        _attempt(unseen, path, machine, partial(machine.look_at, callee))
    ordered = sorted(machine.hits.values(), key=_order)
    return Analysis(tuple(ordered), unseen)


def _attempt(unseen: dict[str, str], path: str, machine: Machine, work: Callable[[], object]) -> None:
    machine.steps = 0
    try:
        work()
    except Exhausted:
        unseen[path] = "following its data takes too long"
    except RecursionError:
        unseen[path] = "nested too deeply to follow its data"
    finally:
        machine.reset()


def _order(hit: Hit) -> tuple[str, int, int, str, str, int]:
    origin = hit.taint.origin
    return (hit.sink.path, hit.sink.line, hit.column, hit.weakness, origin.path, origin.line)
