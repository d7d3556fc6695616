"""How a check's commands run: trusted tools in a clean environment, the project's own code in the sandbox."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from omni.kernel.errors import OmniError
from omni.kernel.processes import run
from omni.sandbox.job import Driver, Isolation, Job, JobResult, Limits
from omni.verify.check import Check, Context, Failed, Output
from omni.verify.files import matches
from omni.verify.report import Status

if TYPE_CHECKING:
    from omni.verify.tools import Tools

T = TypeVar("T")

OUTPUT = 64 << 20
"""Bytes of a tool's output that are kept; a tool that says more can't be believed to have been heard."""

NETWORK = (
    "PIP_",
    "UV_",
    "NPM_CONFIG_",
    "SSL_CERT_",
    "REQUESTS_CA",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
)
"""Starts of the variables that say how packages are reached here; only checks with `network` get them."""

NOWHERE = "http://127.0.0.1:9"
"""The proxy of all others: the discard port, so that a tool that phones home fails at once."""


class Resources:
    """What all checks of a run share: the tools and the sandbox, each made ready when the first check needs it."""

    def __init__(
        self, tools: Callable[[str], Tools], driver: Callable[[], Driver], scratch: Path, trusted: bool = False
    ) -> None:
        self.scratch = scratch
        """An empty folder of this run; HOME and TMPDIR of the tools."""
        self.trusted = trusted
        """The target is what Omni rendered from its own templates."""
        self.say: Callable[[str], None] = lambda _text: None
        """Tells a person how far a long check is."""
        self.used: set[Isolation] = set()
        """How what ran in the sandbox was isolated."""
        self._open_tools = tools
        self._tools: dict[str, Tools | OmniError] = {}
        self._opening: dict[str, threading.Lock] = {}
        self._make_driver = driver
        self._lock = threading.Lock()

    @cached_property
    def _driver(self) -> Driver | OmniError:
        return _attempt(self._make_driver)

    def prepare_tools(self, toolsets: Iterable[str]) -> None:
        """Set them up now. What goes wrong is said to each check that needs one."""
        for name in toolsets:
            self._opened(name)

    def tools(self, toolset: str) -> Tools:
        """The set. Raises OmniError."""
        return _or_raise(self._opened(toolset))

    def _opened(self, toolset: str) -> Tools | OmniError:
        """While one set is installed, who needs another does not wait."""
        with self._lock:
            opening = self._opening.setdefault(toolset, threading.Lock())
        with opening:
            if toolset not in self._tools:
                self._tools[toolset] = _attempt(lambda: self._open_tools(toolset))
            return self._tools[toolset]

    def driver(self) -> Driver:
        """Raises OmniError."""
        with self._lock:
            driver = self._driver
        return _or_raise(driver)

    @property
    def isolation(self) -> Literal["full", "reduced", "none"]:
        """The weakest that anything ran under."""
        if not self.used:
            return "none"
        return "reduced" if "reduced" in self.used else "full"


def _attempt(make: Callable[[], T]) -> T | OmniError:
    """An OmniError is kept as a value, so that a set-up that fails is not tried again for every check."""
    try:
        return make()
    except OmniError as problem:
        return problem


def _or_raise(made: T | OmniError) -> T:
    if isinstance(made, OmniError):
        raise made
    return made


@dataclass(frozen=True)
class Execution:
    """Of one check: what it may use, and until when."""

    resources: Resources
    deadline: float = float("inf")
    """On `time.monotonic()`'s clock."""

    def seconds_left(self, check: Check, timeout: float | None = None) -> float:
        """Raises `Failed` when there are none."""
        left = min(timeout or check.timeout, self.deadline - time.monotonic())
        if left <= 0:
            raise Failed(f"tier {check.tier} was out of time before it ran", Status.INCOMPLETE)
        return left

    def run_tool(
        self, context: Context, tool: str, argv: tuple[str, ...], timeout: float | None, folder: str = "."
    ) -> Output:
        """In this folder of the target. Raises `Failed`."""
        try:
            tools = self.resources.tools(context.check.toolset)
            program = tools.path(tool)
        except OmniError as problem:
            raise Failed(f"{tool} is not there: {problem.why}", Status.INCOMPLETE) from problem
        with tempfile.TemporaryDirectory(dir=self.resources.scratch, prefix=f"{context.check.id}-") as home:
            report, tree = Path(home, "report"), Path(home, "tree")
            command = [_fill(argument, context, report, tree) for argument in argv]
            if any("{tree}" in argument for argument in argv):
                _plant(tree, context)
            if context.check.sandboxed:
                return self._sandboxed_tool(context, tools, (str(program), *command), timeout, folder)
            seconds = self.seconds_left(context.check, timeout)
            env = _environment(context.check, (program.parent, *tools.bins), Path(home)) | tools.environment(tool)
            try:
                done = run(
                    [*_giving_way(), str(program), *command],
                    cwd=context.root / folder,
                    env=env,
                    timeout=seconds,
                    output_limit=OUTPUT,
                )
            except OmniError as problem:
                raise Failed(f"{tool} can't be started: {problem.why}", Status.INCOMPLETE) from problem
            written = report.read_text("utf-8", "replace") if report.is_file() else ""
            said = [text.replace(str(tree), str(context.root)) for text in (done.stdout, done.stderr, written)]
        if done.ended == "timeout":
            raise Failed(f"{tool} took longer than {seconds:.0f} s and was stopped", Status.INCOMPLETE)
        if done.exit_code is None:
            raise Failed(f"{tool} was killed by a signal (crash, or out of memory): {_last_words(done.stderr)}")
        if done.truncated:
            raise Failed(f"{tool} printed more than {OUTPUT >> 20} MiB, so not all of it could be read")
        return Output(done.exit_code, *said)

    def tools(self, toolset: str) -> Tools:
        """Raises `Failed` when the set can't be had."""
        try:
            return self.resources.tools(toolset)
        except OmniError as problem:
            raise Failed(f"the tools “{toolset}” are not there: {problem.why}", Status.INCOMPLETE) from problem

    def _sandboxed_tool(
        self, context: Context, tools: Tools, command: tuple[str, ...], timeout: float | None, folder: str
    ) -> Output:
        """A tool that executes what the project's configuration names. It works on a copy, which is at /work."""
        root, program = str(context.root), Path(command[0]).name
        argv = (command[0], *(each.replace(root, "/work") for each in command[1:]))
        job = self.job(context, argv, {}, tools=tools, timeout=timeout)
        if folder != ".":
            job = replace(job, argv=("/bin/sh", "-c", 'cd -- "$0" && exec "$@"', f"/work/{folder}", *argv))
        result = self.run_job(job)
        if result.exit_code is None:
            raise Failed(f"{program} ended by {result.ended} in the sandbox: {_last_words(result.stderr)}")
        if result.truncated:
            raise Failed(f"{program} printed too much in the sandbox, so not all of it could be read")
        said = (text.replace("/work/", f"{root}/") for text in (result.stdout, result.stderr))
        return Output(result.exit_code, *said)

    def run_sandboxed(
        self,
        context: Context,
        argv: tuple[str, ...],
        collect: tuple[str, ...],
        into: Path | None,
        env: Mapping[str, str],
        *,
        tools: Tools | None = None,
        timeout: float | None = None,
    ) -> JobResult:
        """Raises `Failed`."""
        job = self.job(context, argv, env, tools=tools, timeout=timeout)
        return self.run_job(replace(job, collect=collect, into=into))

    def job(
        self,
        context: Context,
        argv: tuple[str, ...],
        env: Mapping[str, str],
        *,
        tools: Tools | None = None,
        timeout: float | None = None,
    ) -> Job:
        """A command on a copy of the target, the project's environment first on PATH. Raises `Failed`."""
        from omni.sandbox.mounts import python_mounts  # the sandbox is loaded only when something runs in it

        environment = context.environment
        own = [str(environment / "bin")] if environment else []
        bins = tools.bins_for(argv[0]) if tools else ()
        path = ":".join([*own, *map(str, bins), "/usr/local/bin", "/usr/bin", "/bin"])
        mounts = (*(python_mounts(environment) if environment else ()), *(tools.mounts(argv[0]) if tools else ()))
        told = tools.environment(Path(argv[0]).name) if tools else {}
        return Job(
            argv=argv,
            workspace=context.root,
            env={"PATH": path, **told, **env},
            mounts=tuple(dict.fromkeys((*mounts, *context.mounts))),
            limits=Limits(wall=self.seconds_left(context.check, timeout)),
            endpoints=context.endpoints,
        )

    def run_job(self, job: Job) -> JobResult:
        """Raises `Failed`."""
        try:
            result = self.resources.driver().run(job, trusted=self.resources.trusted)
        except OmniError as problem:
            raise Failed(f"the sandbox can't run it: {problem.why}", Status.INCOMPLETE) from problem
        self.resources.used.add(result.isolation)
        if result.ended == "refused":
            raise Failed(f"the sandbox refused to run it: {_last_words(result.stderr)}", Status.INCOMPLETE)
        if result.ended == "timeout":
            raise Failed(f"it took longer than {job.limits.wall:.0f} s and was stopped", Status.INCOMPLETE)
        return result


def _fill(argument: str, context: Context, report: Path, tree: Path) -> str:
    values = {
        "{root}": str(context.root),
        "{cache}": str(context.cache),
        "{data}": str(Path(__file__).with_name("data")),
        "{report}": str(report),
        "{tree}": str(tree),
        "{environment}": str(context.environment or ""),
    }
    for name, value in values.items():
        argument = argument.replace(name, value)
    return argument


def _plant(tree: Path, context: Context) -> None:
    """Copies of the inputs and the configuration, at their paths: the project's own are not the tool's to change.

    Raises `Failed`. Further names of the files would be faster, and give them new times (st_ctime), as a change does.
    """
    config = (file for file in context.inventory.files if matches(file.path, context.check.config) and not file.problem)
    for file in {*context.files, *config}:
        place = tree / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(context.root / file.path, place, follow_symlinks=False)
        except OSError as problem:
            raise Failed(f"{file.path} can't be copied: {problem.strerror}", Status.INCOMPLETE) from problem


@cache
def _giving_way() -> tuple[str, ...]:
    """Tools leave the CPUs to the project's own tests, which take longest and which only they can shorten."""
    nice = shutil.which("nice")
    return (nice, "-n", "10") if nice else ()


def _environment(check: Check, bins: Iterable[Path], home: Path) -> dict[str, str]:
    """Nothing of the caller's but what a network check needs: no secrets, no configuration, no colours."""
    env = {
        "PATH": ":".join([*map(str, bins), os.defpath]),
        "HOME": str(home),
        "TMPDIR": str(home),
        "XDG_CONFIG_HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
    }
    if check.network:
        return env | {name: value for name, value in os.environ.items() if name.upper().startswith(NETWORK)}
    return env | dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), NOWHERE)


def _last_words(text: str) -> str:
    """The last line of what was said on stderr, which is where programs say why."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"
