"""What a project declares that it needs, changed line by line; and the environment in which that is there.

The person's environment stays as it is. Where a change asks for other packages, Omni locks what is installed there and
what is new, with hashes, and makes an environment of its own of wheels alone: no package runs code to be installed.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion

from omni.kernel import environments, processes, registries
from omni.kernel.canonical import digest
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.verify.analysis.manifests import (
    BadManifestError,
    Declared,
    is_python_manifest,
    normalise,
    python_dependencies,
)
from omni.verify.analysis.packages import popular

SECONDS = 600.0
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


def declared(texts: Mapping[str, str]) -> frozenset[str]:
    """Names of all packages that these manifests of Python declare; what can't be read declares nothing."""
    return frozenset(each.name for path, text in texts.items() for each in _read(path, text) if each.direct)


def declaring(texts: Mapping[str, str], package: str) -> tuple[str, ...]:
    """The manifests that declare it, from wherever it comes."""
    name = name_of(package)
    return tuple(path for path, text in texts.items() if any(each.name == name for each in _read(path, text)))


def _read(path: str, text: str) -> list[Declared]:
    try:
        return python_dependencies(path, text) if is_python_manifest(path) else []
    except BadManifestError:
        return []


def add(texts: Mapping[str, str], packages: Iterable[str]) -> dict[str, str]:
    """The manifests that change when these packages are declared: where the runtime needs of the project stand.

    A project that declares nothing anywhere gets no manifest.
    """
    missing = [each for each in packages if name_of(each) not in declared(texts)]
    place = _place(texts)
    if not missing or place is None:
        return {}
    text = texts[place]
    if place.endswith("pyproject.toml"):
        lines = "".join(f'    "{each}",\n' for each in missing)
        return {place: re.sub(r"(?m)^(dependencies\s*=\s*\[)[ \t]*\n?", lambda m: f"{m[1]}\n{lines}", text, count=1)}
    lines = "".join(f"{each}\n" for each in missing)
    return {place: text + ("" if text.endswith("\n") or not text else "\n") + lines}


def drop(texts: Mapping[str, str], packages: Iterable[str]) -> dict[str, str]:
    """The manifests that change when these packages are declared no more.

    A list with hashes is left to what made it, and a manifest in which they don't stand on lines of their own to a
    person.
    """
    gone = {name_of(each) for each in packages}
    changed = {}
    for path, text in texts.items():
        kept = "".join(line for line in text.splitlines(keepends=True) if _declares(line) not in gone)
        then, now = ({each.name for each in _read(path, state)} for state in (text, kept))
        if "--hash=" not in text and then != now == then - gone:
            changed[path] = kept
    return changed


def against(texts: Mapping[str, str], requirement: str) -> tuple[str, ...]:
    """The manifests with a line about the package that allows no version as it is required."""
    asked = Requirement(requirement)
    return tuple(
        path
        for path, text in texts.items()
        if is_python_manifest(path) and any(_excludes(line, asked) for line in text.splitlines())
    )


def _excludes(line: str, asked: Requirement) -> bool:
    """By the versions that either names, and one that is later than all."""
    text = re.sub(r"(^|\s)(#|--hash=).*", "", line.rstrip("\\ ")).strip(" ,\t")
    text = re.sub(r"""^(["'])(.*)\1$""", r"\2", text)
    if _declares(text) != normalise(asked.name):
        return False
    try:
        both = Requirement(text).specifier & asked.specifier
        named = [each.version.removesuffix(".*") for each in both]
        return not any(both.contains(version, prereleases=True) for version in (*named, "999999"))
    except (InvalidRequirement, InvalidVersion):
        return False


def name_of(requirement: str) -> str:
    found = NAME.match(requirement)
    return normalise(found[0]) if found else ""


def _declares(line: str) -> str:
    """The package that a line of a manifest is about; empty when it is about none, or about more."""
    found = re.match(r"""^\s*["']?([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^]]*\])?\s*([=<>!~;,"'#\s].*)?$""", line)
    more = re.match(r"^\s*[\w-]+\s*=\s*[\[{\"']", line) or line.rstrip().endswith("\\")
    return normalise(found[1]) if found and not more else ""


def _place(texts: Mapping[str, str]) -> str | None:
    """`requirements.txt` before `pyproject.toml`, if that declares anything; the one at the top before others."""
    by_depth = sorted(texts, key=lambda path: (path.count("/"), path))
    lists = [path for path in by_depth if re.search(r"requirements\.(in|txt)$", path) and "--hash=" not in texts[path]]
    lists.sort(key=lambda path: (path.count("/"), not path.endswith(".in")))
    projects = [
        path
        for path in by_depth
        if path.rpartition("/")[2] == "pyproject.toml" and re.search(r"(?m)^dependencies\s*=\s*\[", texts[path])
    ]
    return next(iter([*lists, *projects]), None)


def environment_with(
    environment: Path, adds: Iterable[str], drops: Iterable[str], settings: Settings, say: Callable[[str], None]
) -> Path:
    """An environment like `environment`, with these packages too and without those. Made once, then at hand.

    What is installed keeps its version if the new ones allow. Raises OmniError (K040) when it can't be made.
    """
    gone = {name_of(each) for each in drops}
    kept = {name: version for name, version in installed(environment).items() if name not in gone}
    wanted = "".join(f"{each}\n" for each in sorted({*kept, *adds} - {name_of(each) for each in adds} | {*adds}))
    python = (environment / "bin" / "python").resolve()
    key = digest({"wanted": wanted, "kept": dict(sorted(kept.items())), "python": str(python)})
    lock = settings.home / "cache" / "locks" / key[:16] / "project.lock"
    if not lock.is_file():
        _lock(lock, wanted, kept, python, offline=settings.offline)
    return environments.ensure("project", lock, settings.home, settings.offline, say, python)


def installed(environment: Path) -> dict[str, str]:
    """Name → version, without what was installed from a folder or an address; read, never run."""
    found = {}
    for info in sorted(environment.glob("lib/python3*/site-packages/*.dist-info")):
        name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
        if name and not (info / "direct_url.json").exists():
            found[normalise(name)] = version
    return found


def satisfied(requirement: str, environment: Path) -> bool:
    """Whether what is installed is what is required."""
    asked = Requirement(requirement)
    version = installed(environment).get(normalise(asked.name))
    return version is not None and asked.specifier.contains(version, prereleases=True)


def unknown(names: Iterable[str]) -> tuple[str, ...]:
    """Those that the snapshot of popular packages does not have: what a model names is not fetched on its word."""
    return tuple(sorted(name for name in names if name not in popular("pypi")))


def _lock(lock: Path, wanted: str, kept: Mapping[str, str], python: Path, *, offline: bool) -> None:
    folder = lock.with_name(f".{lock.name}.making")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "project.in").write_text(wanted)
    # What stands in the output is what uv prefers, where nothing speaks against it.
    (folder / "project.lock").write_text("".join(f"{name}=={version}\n" for name, version in kept.items()))
    uv = str(Path(sys.executable).with_name("uv"))
    flags = ("--quiet", "--no-header", "--generate-hashes", "--no-build", "--python", str(python))
    argv = (uv, "pip", "compile", *flags, *(("--offline",) if offline else ()), "project.in", "-o", "project.lock")
    variables: Mapping[str, str] = processes.clean_env(**registries.variables())
    done = processes.run(argv, cwd=folder, env=variables, timeout=SECONDS)
    if not done.ok:
        said = " ".join((done.stderr or done.stdout).split())[-600:]
        raise OmniError(environments.FAILED, f"the packages of the change can't be locked: {said}", where="project")
    (folder / "project.lock").replace(lock)
    shutil.rmtree(folder, ignore_errors=True)
