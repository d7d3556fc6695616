"""What a check is: a declaration, and either a tool with a parser or a function of our own.

One module in `checks/` holds one `CHECK` (or a tuple `CHECKS`). There are three kinds:

- a tool that speaks SARIF: only data, in `checks/<name>.toml` or as `Check(tool=…, argv=…)`;
- a tool that does not: the same and `parse`, a generator over what the tool printed;
- our own: `run`, a generator over the context.

Both generators yield items: `Finding` (made by `context.finding`), `Unseen` (a file that was not analysed), `Gap`
(the check as a whole did not see all it should) and `Metric`. The engine makes the result of them: `fail` with a
finding of severity error that counts, else `incomplete` with a gap or an unseen file, else `pass`. A crash, an
unexpected exit code or output that can't be parsed is `error`.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field

from omni.kernel.canonical import JsonValue
from omni.verify.facts import Facts
from omni.verify.files import File, Inventory
from omni.verify.parsing import Kept, parse_python
from omni.verify.report import Finding, Model, Severity, Status

if TYPE_CHECKING:
    from omni.sandbox.job import JobResult, Mount
    from omni.verify.config import ProjectConfig
    from omni.verify.execution import Execution

Tier: TypeAlias = Literal[1, 2, 3, 4]


class Scope(StrEnum):
    """What a finding depends on, and so what has to be looked at again after a change."""

    FILE = "file"
    """One file and the configuration, nothing else: results are cached a file, and only changed ones are looked at."""
    PROJECT = "project"
    """Any input: looked at again as a whole when any of them changes."""


@dataclass(frozen=True)
class Unseen:
    """A file that the check should have analysed and did not."""

    path: str
    why: str
    harmless: bool = False
    """It takes nothing from the analysis: the check stays `pass`, and the coverage says that it was skipped."""


@dataclass(frozen=True)
class Gap:
    """The check as a whole did not see all it should, and why. With `Status.SKIPPED`: it turned out not to apply."""

    why: str
    status: Literal[Status.INCOMPLETE, Status.ERROR, Status.SKIPPED] = Status.INCOMPLETE


@dataclass(frozen=True)
class Metric:
    """A number that a gate or the scorecard may read, such as `coverage.branch`."""

    name: str
    value: float
    volatile: bool = False
    """The same files may give another one: the result it stands in is not kept."""


Item: TypeAlias = Finding | Unseen | Gap | Metric


@dataclass(frozen=True)
class Output:
    """What a tool left."""

    exit_code: int
    stdout: str
    stderr: str
    report: str = ""
    """Content of the file that `{report}` in its argv named."""

    def json(self) -> object:
        """The report, or what was printed, as JSON. Raises ValueError."""
        return json.loads(self.report or self.stdout)


Parser: TypeAlias = Callable[["Context", Output], Iterable[Item]]
Runner: TypeAlias = Callable[["Context"], Iterable[Item]]


class Check(Model):
    """A declaration. What it reads is all that its result may depend on: the cache believes it."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
    title: str
    """What it makes sure of, in a few words: `Python has no lint errors`."""
    tier: Tier
    languages: tuple[str, ...] = ()
    """Inputs: files in one of these languages (see languages.py), or …"""
    globs: tuple[str, ...] = ()
    """… under one of these globs. `*` within a folder, `**` across; without `/` it is about the name alone."""
    scope: Scope = Scope.PROJECT
    config: tuple[str, ...] = ()
    """Globs of configuration files it reads; they are no inputs, but a change of one makes the cache void."""
    tool: str = ""
    """Name of the executable in the set of tools; empty for our own checks."""
    toolset: str = "tools"
    """The set it comes from: `toolsets/<name>.lock`, `toolsets/<name>/package-lock.json`, or `path`: the machine's."""
    package: str = ""
    """Package in the set's lock that brings it, if not of the same name."""
    optional: bool = False
    """The set is large or seldom of use: it is not installed by itself, and without it the check is skipped. What is
    on the machine's PATH is always so; `verify.require` of the project makes it `incomplete`."""
    argv: tuple[str, ...] = ()
    """Arguments after the tool, which runs in the target. `{files}` as one whole argument becomes the inputs' relative
    paths (a long list is cut into several runs with scope `file`). Within arguments:

    - `{tree}`: a folder with nothing but the inputs and `config`, for tools that are faster on folders;
    - `{root}`: the target;
    - `{report}`: a file to write the report to;
    - `{cache}`: a folder of the check's own that is kept;
    - `{data}`: verify/data;
    - `{environment}`: the project's virtual environment.
    """
    exits: tuple[int, ...] = (0, 1)
    """Exit codes that mean that it worked. One that is not 0 needs a finding, else it is an error."""
    parse: Parser | None = None
    """Default: SARIF."""
    run: Runner | None = None
    sandboxed: bool = False
    """The tool would execute the project's code or configuration, so it runs in the sandbox."""
    network: bool = False
    works_offline: bool = False
    """Of one with `network`: it does what it can without, and says itself what is missing."""
    fresh_for: float | None = None
    """Seconds a cached result is believed, for what depends on the outside; None: as long as nothing changes."""
    daily: bool = False
    """What it says depends on the day (UTC), too."""
    weight: int = 1
    """CPUs it keeps busy; 0: it mostly waits."""
    timeout: float = 60.0
    """Seconds; its tier's deadline may come first."""
    severity: Severity = Severity.ERROR
    severities: Mapping[str, Severity] = Field(default_factory=dict)
    """Start of a rule's name → severity; the longest one that fits wins, else `severity`."""
    profile: str = ""
    """It belongs to this profile, and runs only where that is chosen or the check is asked for by its id."""
    masks: bool = False
    """Its findings are secrets: their lines are shown nowhere."""
    fix: tuple[str, ...] = ()
    """Arguments with which the tool mends what it can, for `--fix`."""
    narrows: bool = False
    """With `--changed` it looks only at what the change can affect; its result holds for that change alone."""
    why: str = ""
    """Why a finding matters, for findings that don't say so themselves."""
    advice: str = ""
    """What to do about a finding, for findings that don't say so themselves."""
    cwe: str = ""

    def severity_of(self, rule: str) -> Severity:
        fitting = [start for start in self.severities if rule.startswith(start)]
        return self.severities[max(fitting, key=len)] if fitting else self.severity


@dataclass(frozen=True)
class Context:
    """All that a check may look at, and the ways to look."""

    check: Check
    root: Path
    files: tuple[File, ...]
    """The check's inputs that can be analysed. Those that can't are in its coverage already."""
    inventory: Inventory
    project: ProjectConfig
    execution: Execution
    """How commands are run; checks use `execute` and `run_in_sandbox`."""
    environment: Path | None = None
    """The project's virtual environment, if there is one."""
    offline: bool = False
    cache: Path = Path("/nonexistent")
    """A folder of this check's own that outlives the run."""
    base: str = ""
    """The revision that a change is compared with; empty: the last one (`deep.base` says which that is)."""

    changed: frozenset[str] | None = None
    """Paths that differ from the base, gone ones too, for a check that `narrows`; None: everything is asked for."""
    facts: Facts = field(default_factory=Facts)
    """What is known of each file from its content alone."""
    endpoints: tuple[int, ...] = ()
    """Ports of the host's loopback that commands in the sandbox may reach."""
    mounts: tuple[Mount, ...] = ()
    """What they are shown besides, read-only."""

    def finding(
        self,
        rule: str,
        message: str,
        path: str = "",
        line: int | None = None,
        **more: str | int | Severity | None,
    ) -> Finding:
        """A finding of this check; what is not given comes from the declaration.

        `path` may be absolute or relative to the target, or a `file:` URL. `more` are other fields of `Finding`.
        """
        fields: dict[str, object] = {
            "severity": self.check.severity_of(rule),
            "why": self.check.why,
            "fix": self.check.advice,
            "cwe": self.check.cwe,
        }
        fields |= {name: value for name, value in more.items() if value not in (None, "")}
        located = {"path": self.relative(path), "line": line if line and line > 0 else None}
        return Finding.model_validate(fields | located | {"check": self.check.id, "rule": rule, "message": message})

    def relative(self, path: str) -> str:
        """As in the inventory: relative to the target, with forward slashes."""
        from urllib.parse import unquote, urlsplit

        text = unquote(urlsplit(path).path) if path.startswith("file:") else path
        for base in (self.root, self.root.resolve()):
            text = text.removeprefix(f"{base}/")
        if text.startswith("/") and text.lstrip("/") in self.inventory.by_path:
            text = text.lstrip("/")  # some tools take the target for the root of all
        return "" if text in {"", ".", str(self.root)} else str(PurePosixPath(text))

    def text(self, file: File) -> str:
        """The file's text, exactly (no new-line translation); Python's own coding comments are obeyed."""
        key = (self.root, file.path, file.digest)
        python = file.language == "python"
        return _TEXTS.get(key, file.size, lambda: _text(self.root / file.path, python))

    def parse_python(self, file: File) -> ast.Module | Unseen:
        """The file's syntax tree, shared between checks: don't change it. `Unseen` to yield when it has none."""
        try:
            key = (self.root, file.path, file.digest)  # the digest keeps it right when the file changes
            path = self.root / file.path
            return _TREES.get(key, file.size, lambda: parse_python(path.read_bytes(), str(path)))
        except (SyntaxError, ValueError) as problem:
            where = f" (line {problem.lineno})" if isinstance(problem, SyntaxError) and problem.lineno else ""
            return Unseen(file.path, f"not Python that this interpreter can parse: {problem.args[0]}{where}")
        except (RecursionError, MemoryError):
            return Unseen(file.path, "nested too deeply to be parsed")

    def parsed_python(self) -> Iterator[tuple[File, ast.Module | Unseen]]:
        """Each Python input with its tree."""
        return ((file, self.parse_python(file)) for file in self.files if file.language == "python")

    def fact(self, name: str, file: File, compute: Callable[[], JsonValue]) -> JsonValue:
        """Something about the file's content, computed once for each content: it may depend on nothing else."""
        return self.facts.of(name, file, compute)

    def execute(self, tool: str, *argv: str, timeout: float | None = None, folder: str = ".") -> Output:
        """Run a tool of the check's set in the target, in this folder of it: clean environment, no secrets, no network.

        Raises `Failed` when it is missing, crashes or takes too long.
        """
        return self.execution.run_tool(self, tool, argv, timeout, folder)

    def run_in_sandbox(
        self,
        argv: Iterable[str],
        *,
        toolset: str = "",
        collect: Iterable[str] = (),
        into: Path | None = None,
        **env: str,
    ) -> JobResult:
        """Run a command on a copy of the target in the sandbox, with the project's environment first on PATH.

        The programs of `toolset` come after it, shown read-only. `collect` names paths (globs allowed) that are brought
        back to `into`. Raises `Failed` when there is no sandbox that may run this code, or the set can't be had.
        """
        tools = self.execution.tools(toolset) if toolset else None
        return self.execution.run_sandboxed(self, tuple(argv), tuple(collect), into, env, tools=tools)


class Failed(Exception):  # noqa: N818 - read as "raise Failed(…)"
    """The check can't give a result; the engine makes one with this status and reason."""

    def __init__(self, why: str, status: Literal[Status.INCOMPLETE, Status.ERROR] = Status.ERROR) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


Check.model_rebuild()  # now that `Context` is known; else the names of whichever module declares the first check count


_TEXTS: Kept[tuple[Path, str, str], str] = Kept(64 << 20)
_TREES: Kept[tuple[Path, str, str], ast.Module] = Kept(4 << 20)
"""A tree takes some eighty times the memory of its source."""


def _text(path: Path, python: bool) -> str:
    data = path.read_bytes()
    if python:
        import io
        import tokenize  # only for the coding comment of PEP 263

        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        return data.decode(encoding)
    return data.decode("utf-8-sig")
