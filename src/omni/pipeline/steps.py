"""The commands that a template declares beside its Python tests: what makes files, and what must pass."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from omni.kernel import environments
from omni.kernel.errors import Exit, OmniError, declare
from omni.pipeline.handoffs import ImplementationHandoff
from omni.pipeline.stage import Work
from omni.sandbox import python_mounts
from omni.sandbox.job import Job, JobResult, Limits, Mount
from omni.templates.catalog import Step
from omni.verify.report import CheckResult, Coverage, Finding, Severity, Status, fingerprint

STEP_FAILED = declare(
    "P030", "A step of the template failed", Exit.FAILED, "Mend the template; its output says what is wrong."
)
LIMITS = Limits(wall=180, memory=4096, disk=1024, processes=512)


def project_environment(work: Work) -> Path:
    """The virtual environment of the project's template, made when it is not there yet."""
    template, settings = work.template(), work.settings
    lock = template.environment_lock
    return environments.ensure(template.environment, lock, settings.home, settings.offline, _teller(work))


def prepare(work: Work, package: str) -> None:
    """Make the files that only a tool can make, where they are missing. Raises OmniError when a tool fails."""
    for step in work.template().prepare:
        if all((work.workspace.path / path).exists() for path in step.makes):
            continue
        with TemporaryDirectory(prefix="omni-step-") as folder:
            result = _run(work, step, package, into=Path(folder))
            made = [Path(folder) / path for path in step.makes]
            if result.exit_code != 0 or not all(path.exists() for path in made):
                raise OmniError(STEP_FAILED, f"{step.title}: {_last(result)}", where=" ".join(step.argv))
            for path, name in zip(made, step.makes, strict=True):
                _bring(path, work.workspace.path / name)


def check_steps(work: Work) -> tuple[CheckResult, ...]:
    """Run what must pass besides the Python tests. A folder whose steps all pass shows the criteria of its tests."""
    template = work.template()
    if not template.checks:
        return ()
    implementation = work.handoff(ImplementationHandoff, "implementation")
    prepare(work, implementation.package)
    results = []
    for step in template.checks:
        work.emit("check", check=step.title, status="started")
        result = _run(work, step, implementation.package)
        results.append(_result(step, result))
        work.emit("check", check=step.title, status=results[-1].status.value)
    passed = all(result.status is Status.PASS for result in results)
    folders = {step.folder for step in template.checks}
    shown = {
        f"criterion.{criterion}": float(passed)
        for criterion, tests in implementation.trace.items()
        if any(test.startswith(f"{folder}/") for test in tests for folder in folders)
    }
    return (*results[:-1], results[-1].model_copy(update={"metrics": shown}))


def _run(work: Work, step: Step, package: str, into: Path | None = None) -> JobResult:
    environment = project_environment(work)
    mounts, path = list(python_mounts(environment)), [str(environment / "bin")]
    if step.runtime == "node":
        modules, node = _node(work)
        mounts.append(Mount(modules, f"/work/{step.folder}/node_modules"))
        path.insert(0, str(node))
        if not node.is_relative_to("/usr"):
            mounts.append(Mount(node.parent))
    argv = tuple(word.format(package=package) for word in step.argv)
    return work.driver().run(
        Job(
            argv=("env", "-C", step.folder, *argv),
            workspace=work.workspace.path,
            env={"PATH": ":".join((*path, "/usr/local/bin", "/usr/bin", "/bin")), "CI": "1", "NO_COLOR": "1"},
            mounts=tuple(mounts),
            limits=LIMITS,
            collect=step.makes if into else (),
            into=into,
        ),
        trusted=work.trusted,
    )


def _node(work: Work) -> tuple[Path, Path]:
    """`node_modules` of the template, and the folder of `node`."""
    lock, settings = work.template().node_lock, work.settings
    if lock is None:
        raise ValueError("the template declares no packages for Node")
    tell = _teller(work)
    name = work.template().name
    manifest = lock.with_name("package.json")
    modules = environments.ensure_node(name, manifest, lock, settings.home, settings.offline, tell)
    return modules, environments.node_bin(settings.home, settings.offline, tell)


def _result(step: Step, result: JobResult) -> CheckResult:
    name = step.title.lower().replace(" ", "-")
    failed = Finding(
        check=name,
        rule="failed",
        severity=Severity.ERROR,
        path=step.folder,
        message=_last(result),
        why="The command must end with exit code 0.",
        fix=f"Type, in {step.folder}: {' '.join(step.argv)}",
        fingerprint=fingerprint("failed", step.title, step.folder, 0),
    )
    passed = result.exit_code == 0
    return CheckResult(
        check=name,
        title=step.title,
        tier=2,
        status=Status.PASS if passed else Status.FAIL if result.ended == "exited" else Status.INCOMPLETE,
        reason="" if passed or result.ended == "exited" else f"it ended by {result.ended}",
        findings=() if passed or result.ended != "exited" else (failed,),
        coverage=Coverage(seen=1),
        seconds=result.seconds,
        tool=step.argv[0],
        argv=step.argv,
    )


def _last(result: JobResult) -> str:
    """The end of what it said."""
    said = f"{result.stdout}\n{result.stderr}".strip()
    return said[-600:] or f"{result.ended} with {result.exit_code}, and no word"


def _bring(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _teller(work: Work) -> environments.Progress:
    return lambda text: work.emit("progress", text=text)
