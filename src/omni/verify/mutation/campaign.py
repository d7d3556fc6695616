"""Trying all mutants of a project: who covers whom, what is known already, the rest in the sandbox, side by side."""

from __future__ import annotations

import ast
import json
import os
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from omni.kernel.files import write_atomic
from omni.verify.check import Context, Failed, Unseen
from omni.verify.interpreter import WORK, source_roots
from omni.verify.mutation import guest
from omni.verify.mutation.guest import Answer, Job, Recording, Task
from omni.verify.mutation.mutants import Mutant
from omni.verify.mutation.outcomes import Outcomes
from omni.verify.report import Status

ANSWERS = "reports/omni-mutants.jsonl"
AT_ONCE = 400
"""Mutants that one sandbox gets at most."""
SHIFT = 45.0
"""Seconds after which a sandbox begins no further mutant, so that little is lost when Omni is killed."""
RECORDINGS = 20
"""How many are kept, of this project and others."""
START = 240.0
"""Seconds that the import of all tests may take."""


@dataclass(frozen=True)
class Tried:
    mutant: Mutant
    outcome: str
    by: str = ""
    """The test that noticed."""
    tests: tuple[str, ...] = ()
    """Those that cover it, the fastest first."""


@dataclass
class Campaign:
    """`tests` and `options` are pytest's."""

    context: Context
    tests: tuple[str, ...]
    options: tuple[str, ...]
    outcomes: Outcomes
    recording: Recording = field(init=False)
    _imported: dict[str, set[str]] = field(default_factory=dict)
    """File of tests → the dotted names that it imports."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, files: Sequence[str]) -> Recording:
        """Run the tests once, or recall what they did when nothing has changed since. Raises `Failed`."""
        key = self.outcomes.key("recording", *self.tests, *self.options, *sorted(files), *self._state())
        kept = self.context.cache / f"recording-{key[:24]}.json"
        if not kept.is_file():
            job: Job = self._job((), 0.0) | {"files": [f"{WORK}/{path}" for path in files]}
            text = self._in_sandbox("record", job, self.context.execution.seconds_left(self.context.check))
            if not text:
                raise Failed("the tests left no record of what they ran", Status.INCOMPLETE)
            write_atomic(kept, text)
            known = sorted(self.context.cache.glob("recording-*.json"), key=lambda path: path.stat().st_mtime)
            for old in known[:-RECORDINGS]:
                old.unlink(missing_ok=True)
        self.recording = json.loads(kept.read_text("utf-8"))
        return self.recording

    def _state(self) -> list[str]:
        files = self.context.inventory.files
        environment = self.context.environment
        return [str(environment or ""), *(f"{file.path} {file.digest}" for file in files if file.language == "python")]

    def covering(self, mutant: Mutant) -> tuple[str, ...]:
        """Tests that run the mutant's lines, the fastest first.

        On import: all that run a line of its module, and those of files that import it by name, since who reads a
        table runs none of its lines.
        """
        lines = self.recording["lines"].get(f"{WORK}/{mutant.path}", {})
        if mutant.function:
            numbers = range(mutant.statement, mutant.line + 1)
            ran = {test for number in numbers for test in lines.get(str(number), ())}
        else:
            ran = {test for tests in lines.values() for test in tests} if lines else set()
            ran |= {place for place, test in enumerate(self.recording["tests"]) if self._imports(test, mutant.path)}
            ran = ran or (set(range(len(self.recording["tests"]))) if lines else set())
        unfit = {*self.recording["failed"], *self.recording["skipped"]}
        seconds, names = self.recording["seconds"], self.recording["tests"]
        return tuple(names[test] for test in sorted(ran, key=lambda test: seconds[test]) if names[test] not in unfit)

    def _imports(self, test: str, path: str) -> bool:
        """Whether the file of the test names the module in an import."""
        file = self.context.inventory.by_path.get(test.split("::", maxsplit=1)[0])
        if file is None:
            return False
        if file.path not in self._imported:
            tree = self.context.parse_python(file)
            self._imported[file.path] = set() if isinstance(tree, Unseen) else set(imported_names(tree))
        module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return any(module.endswith(f".{name}") or module == name for name in self._imported[file.path])

    def run(self, mutants: Iterable[Mutant]) -> tuple[list[Tried], int]:
        """(what came of them, how many there was no time for). What ended is kept at once, so a kill loses little."""
        done: list[Tried] = []
        hot: list[tuple[Mutant, tuple[str, ...]]] = []
        cold: list[tuple[Mutant, tuple[str, ...]]] = []
        for mutant in mutants:
            tests = self.covering(mutant)
            if not tests:
                done.append(Tried(mutant, "uncovered"))
            elif known := self.outcomes.recall(self._key(mutant, tests)):
                done.append(Tried(mutant, *known, tests=tests))
            else:
                (hot if mutant.function else cold).append((mutant, tests))
        for mode, waiting in (("hot", hot), ("cold", cold)):
            again = self._try(mode, waiting, done)
            if mode == "hot":
                cold += again
        tried = {each.mutant for each in done}
        return done, sum(mutant not in tried for mutant, _ in (*hot, *cold))

    def _try(
        self, mode: str, waiting: list[tuple[Mutant, tuple[str, ...]]], done: list[Tried]
    ) -> list[tuple[Mutant, tuple[str, ...]]]:
        """Returns those that have to be tried by import instead."""
        elsewhere: list[tuple[Mutant, tuple[str, ...]]] = []
        queue = deque(waiting)
        total = len(waiting)

        def work() -> None:
            while batch := self._next(queue):
                answered = self._batch(mode, batch)
                with self._lock:
                    for place, (mutant, tests) in enumerate(batch):
                        said = answered.get(place)
                        if said is None:
                            queue.append((mutant, tests))
                        elif said["outcome"] == guest.ELSEWHERE:
                            elsewhere.append((mutant, tests))
                        elif said["outcome"] != guest.INVALID:
                            self.outcomes.keep(self._key(mutant, tests), said["outcome"], said["by"])
                            done.append(Tried(mutant, said["outcome"], said["by"], tests))
                    self.context.execution.resources.say(f"mutation: {total - len(queue)} of {total} tried")

        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for future in [pool.submit(work) for _ in range(len(os.sched_getaffinity(0)))]:
                future.result()
        return elsewhere

    def _next(self, queue: deque[tuple[Mutant, tuple[str, ...]]]) -> list[tuple[Mutant, tuple[str, ...]]]:
        """Mutants of one module; none when the time is over."""
        with self._lock:
            if not queue or self._left() < START / 4:
                return []
            path, batch = queue[0][0].path, list[tuple[Mutant, tuple[str, ...]]]()
            while queue and queue[0][0].path == path and len(batch) < AT_ONCE:
                batch.append(queue.popleft())
            return batch

    def _left(self) -> float:
        try:
            return self.context.execution.seconds_left(self.context.check)
        except Failed:
            return 0.0

    def _batch(self, mode: str, batch: Sequence[tuple[Mutant, tuple[str, ...]]]) -> dict[int, Answer]:
        """Answers by the place in the batch. One that ended the whole sandbox counts as noticed. Raises `Failed`."""
        tasks = [self._task(place, mutant, tests) for place, (mutant, tests) in enumerate(batch)]
        longest = max(task["seconds"] for task in tasks)
        text = self._in_sandbox(mode, self._job(tasks, SHIFT), SHIFT + longest + START)
        said: dict[int, Answer] = {}
        for line in text.splitlines():
            answer: Answer = json.loads(line)
            said[answer["id"]] = answer
        if not said:
            raise Failed("the tests could not be started in the sandbox to try the mutants", Status.INCOMPLETE)
        for answer in said.values():
            if answer["outcome"] == guest.STARTED:
                answer["outcome"] = guest.CRASHED
        return said

    def _task(self, place: int, mutant: Mutant, tests: tuple[str, ...]) -> Task:
        """It may take three times as long as the tests took, and what a busy machine may add."""
        known = dict(zip(self.recording["tests"], self.recording["seconds"], strict=True))
        seconds = 3 * sum(known[test] for test in tests) + (5.0 if mutant.function else 30.0)
        return {
            "id": place,
            "file": f"{WORK}/{mutant.path}",
            "start": mutant.start,
            "end": mutant.end,
            "replacement": mutant.replacement,
            "scope": mutant.scope,
            "tests": list(tests),
            "seconds": round(seconds, 1),
        }

    def _job(self, tasks: Sequence[Task], seconds: float) -> Job:
        return {
            "options": list(self.options),
            "tests": list(self.tests),
            "files": [],
            "answers": f"{WORK}/{ANSWERS}",
            "mutants": list(tasks),
            "modules": self.recording["modules"] if tasks else [],
            "watched": [f"{WORK}/{file.path}" for file in self.context.inventory.files if not file.problem],
            "seconds": seconds,
        }

    def _in_sandbox(self, mode: str, job: Job, seconds: float) -> str:
        """What the guest wrote; empty when it wrote nothing. Raises `Failed`."""
        execution = self.context.execution
        roots = ":".join(f"{WORK}/{root}" for root in source_roots(self.context))
        env = {"PYTHONPATH": roots, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "COVERAGE_CORE": "ctrace"}
        command = ("python", "-c", Path(guest.__file__).read_text("utf-8"), mode)
        with tempfile.TemporaryDirectory(prefix="omni-mutation-") as folder:
            whole = execution.job(self.context, command, env, timeout=seconds)
            stdin = json.dumps(job).encode()
            result = execution.run_job(replace(whole, stdin=stdin, collect=(ANSWERS,), into=Path(folder)))
            written = Path(folder, ANSWERS)
            if written.is_file():
                return written.read_text("utf-8")
        said = " / ".join([line.strip() for line in (result.stdout + result.stderr).splitlines() if line.strip()][-3:])
        raise Failed(f"the tests could not be run in the sandbox: {said[:400] or result.ended}", Status.INCOMPLETE)

    def _key(self, mutant: Mutant, tests: Iterable[str]) -> str:
        """The function's text, the change, and the files of the tests that cover it."""
        text = self.context.text(self.context.inventory.by_path[mutant.path])
        first, last = mutant.scope
        lines = text.splitlines()[first - 1 : last]
        offset = len("".join(text.splitlines(keepends=True)[: first - 1]).encode())
        change = (mutant.path, str(mutant.start - offset), str(mutant.end - offset), mutant.replacement)
        files = {test.split("::")[0] for test in tests}
        files |= {path for path in self.context.inventory.by_path if path.endswith("conftest.py")}
        digests = [f"{path} {self._digest(path)}" for path in sorted(files)]
        return self.outcomes.key(*change, "\n".join(lines), *digests)

    def _digest(self, path: str) -> str:
        file = self.context.inventory.by_path.get(path)
        return file.digest if file else ""


def imported_names(tree: ast.Module) -> Iterator[str]:
    """`a.b` of `import a.b`; `a`, `a.b` of `from a import b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
