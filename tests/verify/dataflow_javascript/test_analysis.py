"""What the analysis of a project says, what it looks at again, and what it makes of input that is meant to hurt."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import pytest

from omni.kernel.canonical import JsonValue
from omni.verify.dataflow.analysis import Analysis
from omni.verify.dataflow_javascript.analysis import analyse, script
from omni.verify.dataflow_javascript.tree import parse

APP = """import express from "express";
import { run } from "./tools.js";
const app = express();
app.get("/", (req, res) => {
  const data = req.query.data;
  run(data);
  const token = Math.random();
  eval(data); eval("-" + data);
  res.send("<b>" + data);
});
"""
TOOLS = 'import { exec } from "child_process";\nexport const run = (line) => {\n  exec(line);\n};\n'
CIRCLE = {
    "a.js": 'const b = require("./b");\nexports.first = (x) => b.second(x);\nexports.last = (x) => eval(x);\n',
    "b.js": 'const a = require("./a");\nexports.second = (x) => a.last(x);\n',
    "app.js": 'const a = require("./a");\nmodule.exports = (req, res) => a.first(req.query.x);\n',
}


def analysed(files: Mapping[str, str]) -> Analysis:
    return analyse([script(path, text) for path, text in files.items()])


def test_places_in_order_with_their_columns_and_ways() -> None:
    analysis = analysed({"tools.js": TOOLS, "app.js": APP, "tests/app.js": APP})
    found = [
        (
            f"{hit.sink.path}:{hit.sink.line}:{hit.column}",
            hit.weakness,
            hit.sink.what,
            [f"{step.line} {step.what}" for step in (hit.taint.origin, *hit.taint.steps)],
        )
        for hit in analysis.hits
    ]
    way = ["5 req.query"]
    assert found == [
        ("app.js:7:9", "weak-randomness", "token", ["7 Math.random()"]),
        ("app.js:8:3", "code", "eval(…)", way),
        ("app.js:8:15", "code", "eval(…)", way),
        ("app.js:9:3", "xss", "res.send(…)", way),
        ("tools.js:3:3", "command", "exec(…)", [*way, "6 run(…)"]),
    ]
    assert analysis.unseen == {}


def test_the_order_of_the_files_changes_nothing() -> None:
    """Also where files import each other in a circle."""
    files = {"tools.js": TOOLS, "app2.js": APP, **CIRCLE}
    expected = analysed(files)
    assert [(hit.sink.path, hit.weakness) for hit in expected.hits if hit.sink.path == "a.js"] == [("a.js", "code")]
    for seed in range(4):
        paths = list(files)
        random.Random(seed).shuffle(paths)
        assert analysed({path: files[path] for path in paths}) == expected


def test_only_what_imports_a_changed_file_is_looked_at_again() -> None:
    files = {"tools.js": TOOLS, "app.js": APP, "other.js": "eval(location.hash);\n"}
    kept: dict[tuple[str, str], JsonValue] = {}
    computed: list[str] = []

    def remember(path: str, name: str, compute: Callable[[], JsonValue]) -> JsonValue:
        if (path, name) not in kept:
            computed.append(path)
            kept[path, name] = compute()
        return kept[path, name]

    def again(changed: Mapping[str, str]) -> tuple[Analysis, list[str]]:
        computed.clear()
        return analyse([script(path, text) for path, text in changed.items()], None, remember), sorted(computed)

    cold, looked_at = again(files)
    assert looked_at == ["app.js", "other.js", "tools.js"]
    warm, looked_at = again(files)
    assert (warm, looked_at) == (cold, [])
    changed = files | {"tools.js": TOOLS.replace("exec(line)", "exec('ls')")}
    after, looked_at = again(changed)
    assert looked_at == ["app.js", "tools.js"]
    assert after == analysed(changed)
    assert "tools.js" not in {hit.sink.path for hit in after.hits}


BOMB = "let a0 = location.hash;\n" + "".join(f"let a{n + 1} = [a{n}, a{n}, {{ a: a{n} }}];\n" for n in range(60))
CALLS = "".join(f"function f{n}(a, b) {{ f{n + 1}(b, a + {n}); return f{n + 1}(a, b + {n}); }}\n" for n in range(60))
BRANCHES = "let x = location.hash;\n" + "".join(
    f"if (a{n}) {{ x = x + {n}; }} else {{ x = '{n}' + x; }}\n" for n in range(400)
)
HOSTILE = {
    "arrays": "[" * 5_000 + "]" * 5_000,
    "brackets": "(" * 5_000 + "1" + ")" * 5_000,
    "calls": "f(" * 2_000 + ")" * 2_000,
    "open": "{" * 20_000,
    "sum": "x = location.hash" + " + 'a'" * 8_000 + ";\neval(x)",
    "chain": "x" + ".a()" * 3_000,
    "arrows": "x = " + "a => " * 3_000 + "1",
    "templates": "`${" * 2_000 + "1" + "}`" * 2_000,
    "elements": "x = " + "<a>" * 2_000 + "</a>" * 2_000,
    "conditions": "x = " + "a ? b : " * 3_000 + "c",
    "blocks": "if (a) {" * 1_000 + "}" * 1_000,
    "bomb": BOMB + "eval(a60);\n",
    "functions": CALLS + "f0(location.hash, location.search);\n",
    "branches": BRANCHES + "eval(x);\n",
    "itself": "const a = {}; a.a = a; a.b = [a, location.hash]; eval(a);\nclass A extends A {}\nnew A().x();",
    "loops": "for (;;) " * 500 + "x();",
    "signs": "\x00\ud800\u2028 /* ` ${ '",
    "prototypes": "const o = {}; o.__proto__ = o; o.constructor.prototype = location.hash; eval(o.x);",
    "imports": "import './hostile'; export * from './hostile'; module.exports = require('./hostile');",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_scripts_end_with_a_reason_at_most(name: str) -> None:
    lines = HOSTILE[name].replace(" + 'a'" * 300, " + 'a'" * 300 + "\n")
    broken_up = "\n".join(part for line in lines.splitlines() for part in _short(line))
    analysis = analysed({"hostile.js": broken_up, "hostile.ts": HOSTILE[name]})
    assert all(why for why in analysis.unseen.values())


def _short(line: str) -> list[str]:
    """No line is so long that it is left out as made by a program."""
    return [line[start : start + 4_000] for start in range(0, len(line), 4_000)] or [""]


def test_what_cannot_be_parsed_but_does_nothing_is_no_loss() -> None:
    assert parse("export type * from './a';\nconst a = 1;\n", "a.ts").broken is None
    assert parse("const a = 1;\n= {((\n", "a.ts").broken == 2
