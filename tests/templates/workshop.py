"""Commands in a rendered project, in the sandbox, as a build runs them."""

from __future__ import annotations

import shutil
from pathlib import Path

from omni.kernel import environments
from omni.kernel.settings import load_settings
from omni.sandbox import choose, python_mounts
from omni.sandbox.job import Job, JobResult, Limits, Mount
from omni.templates.catalog import Step, Template
from omni.templates.render import Project


def run(template: Template, project: Project, folder: Path, step: Step) -> JobResult:
    """Run the step on a copy of the folder; what it makes is brought into the folder."""
    settings = load_settings()
    venv = environments.ensure(template.environment, template.environment_lock, settings.home, settings.offline, print)
    mounts, path = [*python_mounts(venv)], [str(venv / "bin")]
    if step.runtime == "node":
        assert template.node_lock is not None
        manifest = template.node_lock.with_name("package.json")
        modules = environments.ensure_node(
            template.name, manifest, template.node_lock, settings.home, settings.offline, print
        )
        node = environments.node_bin(settings.home, settings.offline, print)
        mounts.append(Mount(modules, f"/work/{step.folder}/node_modules"))
        if not node.is_relative_to("/usr"):
            mounts.append(Mount(node.parent))
        path.insert(0, str(node))
    into = folder.parent / "made"
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    result = choose(settings).run(
        Job(
            argv=("env", "-C", step.folder, *(word.format(package=project.package) for word in step.argv)),
            workspace=folder,
            env={"PATH": ":".join((*path, "/usr/local/bin", "/usr/bin", "/bin")), "CI": "1", "NO_COLOR": "1"},
            mounts=tuple(mounts),
            limits=Limits(wall=600, memory=4096, processes=512),
            collect=step.makes,
            into=into,
        ),
        trusted=True,
    )
    for name in step.makes:
        made = into / name
        if made.is_dir():
            shutil.copytree(made, folder / name, dirs_exist_ok=True)
        elif made.exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made, folder / name)
    return result
