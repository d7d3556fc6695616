"""Imports between the scripts of a project."""

from __future__ import annotations

import pytest
from tests.verify.analysis.conftest import ContextOf

from omni.verify.analysis.modules import Edge, Graph
from omni.verify.analysis.script_modules import add_scripts, script_module


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("src/web/cart.ts", "src.web.cart"),
        ("src/web/index.tsx", "src.web"),
        ("index.js", "index"),
        ("a/types.d.ts", "a.types_d"),
        ("a/b.test.js", "a.b_test"),
        ("A.vue", "A"),
        ("a/b.css", "a.b_css"),
    ],
)
def test_names(path: str, name: str) -> None:
    assert script_module(path) == name


TARGETS = {
    "src/b.ts": "", "src/c/index.ts": "", "src/d.vue": "", "src/e.js": "", "src/own/f.ts": "", "g.ts": "",
    "deep/tsconfig.base.json": '{"compilerOptions": {"paths": {"deep/*": ["lib/*"]}}}', "deep/lib/h.ts": "",
    "tsconfig.json": '{"compilerOptions": {"baseUrl": "./src", "paths": {"@/*": ["own/*"], "x": [], "y": 3,}}} // c',
    "jsconfig.json": "{",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        ("import b from './b'\nimport c from './c'", [("src.b", 1), ("src.c", 2)]),
        ("import d from './d.vue'\nimport e from './e.js?raw'", [("src.d", 1), ("src.e", 2)]),
        ("import b from './b.js'", [("src.b", 1)]),
        ("import {\n  g\n} from '../g'", [("g", 3)]),
        ("export * from './b'; const c = require('./c')", [("src.b", 1), ("src.c", 1)]),
        ("import f from '@/f'\nimport h from 'deep/h'", [("src.own.f", 1), ("deep.lib.h", 2)]),
        ("import type b from './b'\nimport { type c } from './c'", [("src.c", 2)]),
        ("import r from 'react'\nimport gone from './gone'\n// import b from './b'", []),
    ],
)
def test_edges(context_of: ContextOf, text: str, edges: list[tuple[str, int]]) -> None:
    graph = Graph()
    add_scripts(graph, context_of({"src/a.ts": text, "other.py": "import g", **TARGETS}))
    assert graph.imports("src.a") == [Edge("src.a", name, "src/a.ts", line) for name, line in edges]
    assert graph.modules == {
        script_module(path): path for path in ("src/a.ts", *TARGETS) if path.endswith((".ts", ".js", ".vue"))
    }
