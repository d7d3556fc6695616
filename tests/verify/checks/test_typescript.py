from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from omni.kernel.errors import OmniError
from omni.kernel.settings import load_settings
from omni.verify.checks.typescript import package_of
from omni.verify.report import CheckResult, Status
from omni.verify.tools import open_tools

Look = Callable[..., CheckResult]
STRICT = '{"compilerOptions": {"strict": true, "module": "ESNext", "moduleResolution": "bundler"}}'
WRONG = 'export const a: number = "x";\n'
IMPLICIT = "export const f = (x) => x;\n"

pytestmark = pytest.mark.host


@pytest.fixture(autouse=True)
def _compiler() -> None:
    """Installed here if that is possible; where no registry can be reached there is nothing to test."""
    settings = load_settings()
    try:
        open_tools(settings.home, settings.offline, print, "typescript")
    except OmniError as problem:
        pytest.skip(f"the compiler can't be had here: {problem.why}")


def shapes(result: CheckResult) -> list[str]:
    return [f"{each.severity} {each.rule} {each.path}:{each.line}" for each in result.findings]


@pytest.mark.slow
def test_each_file_as_the_nearest_tsconfig_says(look: Look) -> None:
    result = look(
        "typescript",
        {
            "loose.ts": WRONG + IMPLICIT,
            "strict/tsconfig.json": STRICT,
            "strict/a.ts": WRONG + "export const b: string = a;\n",
            "strict/right.ts": "export const a = 1;\n",
            "lax/tsconfig.json": "{}",
            "lax/a.ts": WRONG + IMPLICIT,
            "lax/inner/tsconfig.json": STRICT,
            "lax/inner/b.ts": IMPLICIT,
            "parts/tsconfig.json": '{"files": [], "references": [{"path": "./tsconfig.app.json"}]}',
            "parts/tsconfig.app.json": '{"compilerOptions": {"composite": true, "strict": true}, "include": ["src"]}',
            "parts/src/a.ts": WRONG,
            "parts/left_out.ts": WRONG,
        },
    )
    assert sorted(shapes(result)) == [
        "error TS2322 lax/a.ts:1",
        "error TS2322 parts/src/a.ts:1",
        "error TS2322 strict/a.ts:1",
        "error TS2322 strict/a.ts:2",
        "error TS7006 lax/inner/b.ts:1",
        "warning TS2322 loose.ts:1",
        "warning TS7006 lax/a.ts:2",
        "warning TS7006 loose.ts:2",
    ]
    assert (result.status, result.reason) == (Status.FAIL, "")
    assert dict(result.coverage.skipped) == {"parts/left_out.ts": "no tsconfig.json includes it"}


@pytest.mark.slow
def test_what_packages_that_are_not_here_may_bring_is_not_told(look: Look) -> None:
    code = """import express, { Request } from "express";
import { gone } from "./gone";
const app = express();
app.get("/", (req, res) => res.send(req.query.x));
const timer: NodeJS.Timeout = setTimeout(() => {}, 1);
const count: number = "one";
describe("a", () => {});
"""
    manifest = json.dumps({"dependencies": {"express": "^5.0.0"}, "devDependencies": {"@types/node": "^24.0.0"}})
    result = look("typescript", {"tsconfig.json": STRICT, "package.json": manifest, "a.ts": code})
    assert sorted(shapes(result)) == ["error TS2307 a.ts:2", "warning TS2322 a.ts:6"]
    assert result.reason == (
        "tsconfig.json: no types are known of express: not installed, or not generated. Type: npm install"
    )
    based = {"tsconfig.json": '{"extends": "@tsconfig/node22"}', "a.ts": 'import React from "react";\n' + WRONG}
    result = look("typescript", based)
    assert (result.status, result.findings) == (Status.INCOMPLETE, ())
    assert result.reason.startswith("tsconfig.json: File '@tsconfig/node22' not found; tsconfig.json: no types are")


@pytest.mark.slow
def test_what_to_type_is_said_by_the_lock_file_of_the_folder(look: Look) -> None:
    code = 'import { Router } from "express";\nexport const router = Router();\n'
    files = {f"{folder}/{name}": text for folder in "ab" for name, text in (("tsconfig.json", STRICT), ("a.ts", code))}
    locks = {"package-lock.json": "{}", "a/pnpm-lock.yaml": "lockfileVersion: '9.0'\n"}
    assert look("typescript", {**files, **locks}).reason == (
        "a/tsconfig.json: no types are known of express: not installed, or not generated. "
        "Type: pnpm install --frozen-lockfile; "
        "b/tsconfig.json: no types are known of express: not installed, or not generated. Type: npm ci"
    )


@pytest.mark.slow
def test_types_of_what_is_installed(look: Look) -> None:
    files = {
        "package.json": '{"dependencies": {"here": "1", "later": "1"}}',
        "node_modules/here/package.json": '{"name": "here", "version": "1.0.0", "types": "index.d.ts"}',
        "node_modules/here/index.d.ts": "export declare function here(a: number): string;\n",
        "tsconfig.json": STRICT,
        "a.ts": 'import { here } from "here";\nimport made from "made-up/sub";\nexport const n: number = here(made);\n',
        ".gitignore": "node_modules\n",
    }
    result = look("typescript", files)
    assert (result.reason, shapes(result)) == ("", ["error TS2307 a.ts:2", "error TS2322 a.ts:3"])
    result = look("typescript", {"a.ts": 'import { later } from "later";\nlater();\n'})
    assert result.reason.startswith("tsconfig.json: no types are known of later: not installed")


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("react", "react"),
        ("react/jsx-runtime", "react"),
        ("@scope/name/sub", "@scope/name"),
        ("node:fs", "@types/node"),
        ("fs/promises", "@types/node"),
    ],
)
def test_the_package_of_a_module(module: str, package: str) -> None:
    assert package_of(module) == package


@pytest.mark.parametrize("trusted", [True, False])
def test_what_whoever_asks_compiles_himself_is_left_to_him(look: Look, trusted: bool) -> None:
    files = {"tsconfig.json": STRICT, "a.ts": 'import { a } from "somewhere";\na();\n', "package.json": "{}"}
    assert look("typescript", files, trusted=trusted).status is Status.INCOMPLETE
    left = look("typescript", files, trusted=trusted, elsewhere={"typescript": "a step does it"})
    assert (left.status, left.reason) == (Status.SKIPPED, "a step does it")
