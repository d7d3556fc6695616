"""What a check sees of some files, to call its functions with, and tools that say what was heard of them elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import cast

from omni.sandbox.job import Job, JobResult
from omni.verify import registry
from omni.verify.check import Context, Gap, Item, Metric, Output
from omni.verify.config import ProjectConfig
from omni.verify.execution import Execution
from omni.verify.files import take_inventory
from omni.verify.report import CheckResult, Finding, Status
from omni.verify.tools import Tools


@dataclass
class Played:
    """In the place of tools and sandbox: answers one after the other, and what was asked."""

    answers: list[Output] = field(default_factory=list)
    leaves: Mapping[str, str] = field(default_factory=dict)
    """Files that a command in the sandbox leaves."""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    told: list[bytes] = field(default_factory=list)
    """On standard input."""

    def run_tool(
        self, _context: Context, tool: str, argv: tuple[str, ...], _timeout: float | None, folder: str = "."
    ) -> Output:
        self.asked.append((tool, *argv) if folder == "." else (f"{folder}$ {tool}", *argv))
        return self.answers.pop(0)

    def run_sandboxed(
        self,
        _context: Context,
        argv: tuple[str, ...],
        collect: tuple[str, ...],
        into: Path | None,
        _env: Mapping[str, str],
        *,
        tools: object = None,
        timeout: float | None = None,
    ) -> JobResult:
        self.asked.append(argv)
        said = self.answers.pop(0)
        collected = [path for path in self.leaves if any(PurePosixPath(path).match(each) for each in collect)]
        for path in collected:
            assert into is not None
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            (into / path).write_text(self.leaves[path])
        return JobResult(said.exit_code, "exited", said.stdout, said.stderr, False, 0.1, "full", tuple(collected))

    def job(self, context: Context, argv: tuple[str, ...], env: Mapping[str, str]) -> Job:
        return Job(argv, context.root, env=env)

    def run_job(self, job: Job) -> JobResult:
        self.told.append(job.stdin)
        return self.run_sandboxed(cast("Context", None), tuple(job.argv), tuple(job.collect), job.into, job.env)

    def tools(self, _toolset: str) -> Tools:
        """An environment with a Python; which one does not matter, as nothing runs."""
        return Tools(Path(sys.prefix))


def context_of(root: Path, check_id: str, played: Played | None = None, **more: object) -> Context:
    """Of the files that lie in `root`. `more` are other fields of `Context`."""
    check = registry.get(check_id)
    inventory = take_inventory(root)
    inputs = tuple(each for each in inventory.matching(check.languages, check.globs) if not each.problem)
    fields: dict[str, object] = {"project": ProjectConfig(), "cache": root.parent / "cache"} | more
    execution = cast("Execution", played or Played())
    return Context(check=check, root=root, files=inputs, inventory=inventory, execution=execution, **fields)  # type: ignore[arg-type]


def said(result: CheckResult) -> list[str]:
    """The findings of a check that did not crash, a line each."""
    assert result.status is not Status.ERROR, result.reason
    return told(result.findings)


def placed(result: CheckResult) -> list[tuple[str, str, str, int | None, int | None, str]]:
    """The findings of a check that did not crash, with line and column."""
    assert result.status is not Status.ERROR, result.reason
    return [
        (str(each.severity), each.rule, each.path, each.line, each.column, each.message) for each in result.findings
    ]


def told(items: Iterable[Item]) -> list[str]:
    """All that a check says, a line each."""
    return [_line(item) for item in items]


def _line(item: Item) -> str:
    match item:
        case Finding():
            return f"{item.severity} {item.rule} {item.path}:{item.line} {item.message}"
        case Metric():
            return f"{item.name} = {item.value}"
        case Gap():
            return f"{item.status}: {item.why}"
        case _:
            return f"{'skipped' if item.harmless else 'unseen'} {item.path}: {item.why}"
