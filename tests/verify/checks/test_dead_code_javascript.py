"""Dead JavaScript and TypeScript: by the real knip, and what is made of what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from tests.verify.checks.test_pyright_spectral import set_of_tools
from tests.verify.played import Played, context_of, told

from omni.verify.check import Failed, Output
from omni.verify.checks.dead_code_javascript import run
from omni.verify.report import CheckResult, Status

Write = Callable[[Mapping[str, str | bytes]], Path]

MANIFEST = """{
  "name": "demo",
  "main": "src/index.ts",
  "scripts": {"start": "node scripts/start.js"},
  "dependencies": {
    "express": "4",
    "left-pad": "1.0.0",
    "@types/express": "4",
    "themed": "1"
  }
}
"""
UTIL = """export type Used = number
export type Dead = { a: string }
export function used(x: Used): number { return here(x) }
export function here(x: number): number { return x + 1 }
export function dead(): void {}
export const byTemplate = 3
export default function leftOver() {}
"""
PROJECT = {
    "package.json": MANIFEST,
    "src/index.ts": (
        "import express from 'express'\nimport { used, Used } from './util'\nimport { a } from './barrel'\n"
        "express().listen(used(a as Used))\n"
    ),
    "src/util.ts": UTIL,
    "src/barrel.ts": "export { a, b } from './deep'\n",
    "src/deep.ts": "export const a = 1\nexport const b = 2\n",
    "src/orphan.ts": "import { helper } from './helper'\nexport const orphan = helper\n",
    "src/helper.ts": "export const helper = 1\n",
    "src/worker.ts": "import { tool } from './tool'\nconsole.log(tool)\n",
    "src/tool.ts": "export const tool = 1\n",
    "src/types.d.ts": "declare const VERSION: string\n",
    "src/util.test.ts": "export const onlyHere = 1\n",
    "scripts/start.js": "console.log(1)\n",
    "Makefile": "work:\n\tnode dist/worker.js\n",
    "page.html": "<p>{{ byTemplate }}</p>\n",
    "theme.css": "@import 'themed';\n",
    "README.md": "Made with left-pad.\n",
}


@pytest.mark.slow
@pytest.mark.host
def test_what_nothing_uses_is_found(look: Callable[..., CheckResult]) -> None:
    set_of_tools("knip")
    result = look("dead-code-javascript", PROJECT)
    assert told(result.findings) == snapshot(
        [
            "warning unused-dependency package.json:7 no code imports left-pad, and no configuration names it",
            "warning unused-export src/barrel.ts:1 `b` is exported, and no code and no text has its name",
            "warning unused-export src/deep.ts:2 `b` is exported, and no code and no text has its name",
            "warning unused-file src/helper.ts:1 nothing imports it, no tool or script starts it, and no text names it",
            "warning unused-file src/orphan.ts:1 nothing imports it, no tool or script starts it, and no text names it",
            "warning unused-export src/util.ts:2 type `Dead` is exported, and no code and no text has its name",
            "warning unused-export src/util.ts:5 `dead` is exported, and no code and no text has its name",
            "warning unused-export src/util.ts:7 `leftOver` is exported, and no code and no text has its name",
        ]
    )
    assert (result.status, result.metrics) == (Status.PASS, snapshot({"dead_code.javascript.unused": 8.0}))


@pytest.mark.slow
@pytest.mark.host
def test_a_configuration_that_can_not_be_loaded_is_said(look: Callable[..., CheckResult]) -> None:
    set_of_tools("knip")
    files = {
        "package.json": '{"devDependencies": {"vitest": "3"}}',
        "vitest.config.ts": "import { defineConfig } from 'vitest/config'\nexport default defineConfig({})\n",
        "index.js": "console.log(1)\n",
        "orphan.js": "console.log(2)\n",
    }
    result = look("dead-code-javascript", files)
    assert [f"{each.severity} {each.rule} {each.path}" for each in result.findings] == ["note unused-file orphan.js"]
    assert (result.status, result.reason) == (
        Status.INCOMPLETE,
        "knip could not load vitest.config.ts (Cannot find module 'vitest/config'). Type: npm install",
    )


def of(file: str, **found: list[object]) -> dict[str, object]:
    return {"file": file, **found}


def said(*issues: object, exit_code: int = 1, stderr: str = "") -> Output:
    return Output(exit_code, json.dumps({"issues": issues}), stderr)


def test_each_project_is_asked_by_itself_and_a_workspace_once(write: Write) -> None:
    files = {
        "package.json": "{}",
        "a.js": "export const gone = 1\n",
        "web/package.json": '{"workspaces": {"packages": ["./*/", "!apart"]}}',
        "web/lib/package.json": "{}",
        "web/apart/package.json": "{}",
        "web/lib/a.js": "export const gone = 1\nexport const alsoGone = 1\n",
        "site/package.json": "{}",
        "site/pnpm-workspace.yaml": "packages: ['*']\n",
        "site/one/package.json": "{}",
        "site/one/deeper/package.json": "{}",
    }
    played = Played(
        [
            said(of("web/lib/a.js", files=[{"name": "web/lib/a.js"}])),
            said(of("one/b.js", exports=[{"name": "notThere", "line": 1}]), exit_code=0),
            said(of("lib/a.js", exports=[{"name": "alsoGone", "line": 2}, {"name": "gone", "line": 1}])),
            *[said(exit_code=0)] * 2,
        ]
    )
    assert told(run(context_of(write(files), "dead-code-javascript", played))) == snapshot(
        [
            "warning unused-export web/lib/a.js:2 `alsoGone` is exported, and no code and no text has its name",
            "dead_code.javascript.unused = 1",
        ]
    )
    assert [each[-1] for each in played.asked] == [
        "/work/.",
        "/work/site",
        "/work/web",
        "/work/web/apart",
        "/work/site/one/deeper",
    ]


def test_where_most_is_unused_the_entries_are_not_known(write: Write) -> None:
    names = [f"src/module{number}.ts" for number in range(5)]
    files = {"package.json": "{}", **dict.fromkeys(names, "console.log(1)\n")}
    played = Played([said(*(of(name, files=[{"name": name}]) for name in names[:3]))])
    assert told(run(context_of(write(files), "dead-code-javascript", played))) == snapshot(
        [
            (
                "incomplete: from the entries that package.json names no way leads to 3 of 5 files."
                " Name yours in knip.json: https://knip.dev/reference/configuration#entry"
            )
        ]
    )


def test_further_projects_are_not_passed_over_in_silence(write: Write) -> None:
    files = {f"p{number:02}/package.json": "{}" for number in range(22)}
    played = Played([said(exit_code=0)] * 20)
    assert told(run(context_of(write(files), "dead-code-javascript", played))) == snapshot(
        ["incomplete: 2 further projects were not looked at", "dead_code.javascript.unused = 0"]
    )


@pytest.mark.parametrize(
    ("answer", "why", "status"),
    [
        (
            Output(2, "", "ERROR: Error parsing /work/package.json\nReason: x\n"),
            snapshot("knip could not look at it: ERROR: Error parsing package.json Reason: x"),
            Status.INCOMPLETE,
        ),
        (Output(3, "", ""), snapshot("knip ended with 3: exited"), Status.ERROR),
        (
            said(exit_code=2, stderr="ERROR: something\n else"),
            snapshot("knip ended with 2: ERROR: something else"),
            Status.INCOMPLETE,
        ),
        *(
            (Output(1, text, ""), snapshot("knip could not look at it: it printed no report"), Status.INCOMPLETE)
            for text in ("", "[]", "{}", '{"issues": 1}', '{"issues": [{"files": []}]}', "[" * 100_000)
        ),
    ],
)
def test_what_it_did_not_say_is_no_pass(write: Write, answer: Output, why: str, status: Status) -> None:
    played = Played([answer])
    with pytest.raises(Failed) as failed:
        list(run(context_of(write({"package.json": "{}", "a.js": "f()\n"}), "dead-code-javascript", played)))
    assert (failed.value.why, failed.value.status) == (why, status)


def test_where_it_does_not_apply(write: Write) -> None:
    assert told(run(context_of(write({"a.js": "f()\n"}), "dead-code-javascript"))) == [
        "skipped: there is no package.json that says where the program starts"
    ]


def test_only_what_is_not_installed_can_be_installed(write: Write) -> None:
    words = "ERROR: Error loading .github/a.yml (bad YAML)\nERROR: Error loading b.js (Cannot find package 'c')\n"
    played = Played([said(exit_code=2, stderr=words)])
    assert told(
        run(context_of(write({"web/package.json": "{}", "web/yarn.lock": ""}), "dead-code-javascript", played))
    ) == [
        "incomplete: knip could not load web/.github/a.yml (bad YAML)",
        "incomplete: knip could not load web/b.js (Cannot find package 'c'). Type: yarn install --immutable",
        "dead_code.javascript.unused = 0",
    ]
