"""What tools and tests print and leave in the sandbox, through the checks that start them themselves."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import atheris

with atheris.instrument_imports(include=["omni"]):
    import shapes
    from omni.sandbox.job import Job, JobResult
    from omni.verify import registry
    from omni.verify.check import Context, Failed, Output
    from omni.verify.config import ProjectConfig
    from omni.verify.examine import UNREADABLE
    from omni.verify.execution import Execution
    from omni.verify.files import take_inventory
    from omni.verify.fuzzing import faults
    from omni.verify.tools import Tools

    CHECKS = [check for check in registry.checks() if check.run is not None and (check.tool or check.sandboxed)]

FILES = {
    "package.json": '{"name": "a", "scripts": {"test": "vitest"}, "devDependencies": {"vitest": "1.0.0"}}',
    "a.ts": "export const a = 1;\n", "a.test.ts": "test('a', () => {});\n", "go.mod": "module a\n\ngo 1.21\n",
    "a.go": "package a\n", "a_test.go": "package a\n", "Cargo.toml": '[package]\nname = "a"\nversion = "1.0.0"\n',
    "Cargo.lock": "", "src/lib.rs": "", "A.java": "class A {}\n", "pom.xml": "<project/>", "a.c": "int a;\n",
    "openapi.yaml": "openapi: 3.0.0\npaths: {}\n", "asyncapi.yaml": "asyncapi: 3.0.0\n", "a.proto": "",
    "tests/test_a.py": "def test_a(): assert a\n", "a.py": "def a(): ...\n", "requirements.txt": "a==1\n",
    "a.tf": "", "k8s.yaml": "apiVersion: v1\nkind: Pod\n", ".github/workflows/a.yml": "on: push\n",
    "checkstyle.xml": "<module/>", "LICENSE": "MIT\n", "a.sql": "SELECT 1;\n",
}  # fmt: skip


class Told:
    """In the place of the tools and of the sandbox: whatever is asked, this is printed, and left in every file."""

    text = ""
    exit_code = 0

    def run_tool(self, *_: object) -> Output:
        return Output(self.exit_code, self.text, self.text, self.text)

    def run_sandboxed(
        self,
        _context: Context,
        _argv: tuple[str, ...],
        collect: tuple[str, ...],
        into: Path | None,
        _env: Mapping[str, str],
        **_given: object,
    ) -> JobResult:
        left = tuple(path for path in collect if into and "*" not in path)
        for path in left:
            assert into is not None  # noqa: S101 - something is left
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            (into / path).write_text(self.text, "utf-8", "replace")
        return JobResult(self.exit_code, "exited", self.text, self.text, False, 0.1, "full", left)

    def run_job(self, _check: object, _job: object) -> JobResult:
        return JobResult(self.exit_code, "exited", self.text, self.text, False, 0.1, "full")

    def job(self, context: Context, argv: tuple[str, ...], env: Mapping[str, str], **_given: object) -> Job:
        return Job(argv, context.root, env=env)

    def tools(self, _toolset: str) -> Tools:
        return Tools(shapes.ROOT)

    def __getattr__(self, name: str) -> object:
        raise shapes.RanError(name)


def contexts() -> dict[str, Context]:
    """Each check with those of the files that it looks at."""
    for path, text in FILES.items():
        (shapes.ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (shapes.ROOT / path).write_text(text)
    inventory, execution = take_inventory(shapes.ROOT), cast("Execution", TOLD)
    return {
        check.id: Context(
            check,
            shapes.ROOT,
            inventory.matching(check.languages, check.globs),
            inventory,
            ProjectConfig(),
            execution,
            cache=shapes.ROOT / ".cache" / check.id,
        )
        for check in CHECKS
    }


TOLD = Told()
WORDS = {check.id: shapes.words_near(check.run) for check in CHECKS if check.run}
HERE = contexts()


def target(data: bytes) -> None:
    check = CHECKS[data[0] % len(CHECKS)] if data else CHECKS[0]
    kind, rest, words = data[1:2], data[2:], WORDS[check.id]
    TOLD.text = shapes.json_text(rest, words) if kind < b"\x80" else shapes.worded(rest, words)
    TOLD.exit_code = kind[0] % 3 if kind else 0
    faults.read(TOLD.text)
    try:
        assert check.run is not None  # noqa: S101 - chosen so
        shapes.said(check.run(HERE[check.id]))
    except (*UNREADABLE, Failed, shapes.RanError):
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
