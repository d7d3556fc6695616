"""Declared dependencies of a project, wherever it declares them.

Formats: pyproject.toml (PEP 621, PEP 735, Poetry, PDM, uv), requirements files, setup.cfg, setup.py, Pipfile,
package.json. A manifest that can't be read is said so, not passed over.
"""

from __future__ import annotations

import ast
import configparser
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement

from omni.verify.analysis.adoption import table
from omni.verify.analysis.python import keyword, last_name, text_of
from omni.verify.parsing import parse_python, walk

TOO_DEEP = (RecursionError, MemoryError)
"""What parsers raise on thousands of brackets."""
NAME = re.compile(r"^\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")
MANIFESTS = (
    "pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "requirements*.txt", "requirements*.in",
    "**/requirements/*.txt", "**/requirements/*.in", "package.json",
)  # fmt: skip
"""Globs of all that is read here."""
REQUIREMENTS = re.compile(r"(^|/)(requirements[^/]*\.(txt|in)|requirements/[^/]+\.(txt|in))$")
FOR_DEVELOPERS = re.compile(r"dev|test|doc|lint|type|typing|ci|build|bench|example", re.IGNORECASE)


@dataclass(frozen=True)
class Declared:
    name: str
    """Normalised (PEP 503) for PyPI, as written for npm."""
    path: str
    line: int
    development: bool
    direct: bool = True
    """False: from a URL, a path or a workspace, so no registry decides what it is."""
    wanted: bool = True
    """False: its marker (PEP 508) says that it is for another machine, or another Python."""


class BadManifestError(ValueError):
    """The manifest can't be read; the message says why."""


def normalise(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_python_manifest(path: str) -> bool:
    return path.rpartition("/")[2] in PYTHON or bool(REQUIREMENTS.search(path))


def python_dependencies(path: str, text: str) -> list[Declared]:
    """Raises BadManifestError."""
    reader = PYTHON.get(path.rpartition("/")[2], _requirements)
    lines = text.splitlines()
    found = []
    try:
        for requirement, development in reader(text, path):
            match = NAME.match(requirement)
            if match:
                direct = "@" not in requirement and "://" not in requirement
                line = _line_of(lines, match["name"])
                name = normalise(match["name"])
                found.append(Declared(name, path, line, development, direct, _wanted(requirement)))
    except (ValueError, configparser.Error, SyntaxError, TypeError, AttributeError, *TOO_DEEP) as problem:
        raise BadManifestError(str(problem)) from problem
    return found


def _wanted(requirement: str) -> bool:
    try:
        marker = Requirement(requirement.partition(" --")[0]).marker
    except InvalidRequirement:  # Poetry's, and what pip alone reads
        return True
    return marker is None or marker.evaluate({"extra": ""})


def npm_dependencies(path: str, text: str) -> list[Declared]:
    """Raises BadManifestError."""
    lines = text.splitlines()
    try:
        content = json.loads(text)
    except (ValueError, *TOO_DEEP) as problem:
        raise BadManifestError(str(problem)) from problem
    found = []
    for group in ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies"):
        for name, version in table(content, group).items():
            direct = isinstance(version, str) and not re.match(r"file:|link:|workspace:|git|https?:|npm:", version)
            line = _line_of(lines, f'"{name}"')
            found.append(Declared(name, path, line, group == "devDependencies", direct))
    return found


def package_name(text: str) -> str:
    """`name` of a package.json that can be read."""
    return str(table(json.loads(text)).get("name"))


def own_name(path: str, text: str) -> str:
    """What the Python project of a manifest calls itself; empty when it does not say, or can't be read."""
    try:
        if path.endswith("setup.py"):
            calls = (node for node in walk(parse_python(text)) if isinstance(node, ast.Call))
            return next((text_of(keyword(call, "name")) or "" for call in calls if last_name(call.func) == "setup"), "")
        if path.endswith("pyproject.toml"):
            return str(table(tomllib.loads(text), "project").get("name", ""))
    except (SyntaxError, ValueError, RecursionError):  # `imports` says so
        return ""
    return ""


Reader = Callable[[str, str], Iterator[tuple[str, bool]]]
"""(text, path) → (requirement, for development only)."""


def _pyproject(text: str, _path: str) -> Iterator[tuple[str, bool]]:
    content = tomllib.loads(text)
    project = table(content, "project")
    for requirement in _strings(project.get("dependencies")):
        yield requirement, False
    for extra, requirements in table(project, "optional-dependencies").items():
        for requirement in _strings(requirements):
            yield requirement, bool(FOR_DEVELOPERS.search(extra))
    tool = table(content, "tool")
    groups = [table(content, "dependency-groups"), table(tool, "pdm", "dev-dependencies")]
    groups.append({"dev": table(tool, "uv").get("dev-dependencies")})
    for group in groups:
        for requirement in (each for requirements in group.values() for each in _strings(requirements)):
            yield requirement, True
    for requirement in _strings(table(content, "build-system").get("requires")):
        yield requirement, True
    poetry = table(tool, "poetry")
    yield from _versions(table(poetry, "dependencies"), development=False)
    yield from _versions(table(poetry, "dev-dependencies"), development=True)
    for each in table(poetry, "group").values():
        yield from _versions(table(each, "dependencies"), development=True)


def _versions(dependencies: dict[str, object], *, development: bool) -> Iterator[tuple[str, bool]]:
    """Poetry's and Pipenv's tables: name → version, or a table that may name another source."""
    for name, version in dependencies.items():
        if name.lower() != "python":
            elsewhere = isinstance(version, dict) and bool({"path", "git", "url"} & version.keys())
            yield (f"{name} @ elsewhere" if elsewhere else name), development


def _pipfile(text: str, _path: str) -> Iterator[tuple[str, bool]]:
    content = tomllib.loads(text)
    yield from _versions(table(content, "packages"), development=False)
    yield from _versions(table(content, "dev-packages"), development=True)


def _requirements(text: str, path: str) -> Iterator[tuple[str, bool]]:
    """pip's format: options, comments, continuations with hashes."""
    development = bool(FOR_DEVELOPERS.search(path.rpartition("/")[2]))
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        requirement = re.sub(r"(^|\s)#.*", "", line).strip()
        if requirement and not requirement.startswith(("-", ".", "/")) and not re.match(r"\w+\+|https?:", requirement):
            yield requirement, development


def _setup_cfg(text: str, _path: str) -> Iterator[tuple[str, bool]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    for line in parser.get("options", "install_requires", fallback="").splitlines():
        yield line, False
    extras = parser["options.extras_require"] if parser.has_section("options.extras_require") else {}
    for group, lines in extras.items():
        for line in lines.splitlines():
            yield line, bool(FOR_DEVELOPERS.search(group))


def _setup_py(text: str, _path: str) -> Iterator[tuple[str, bool]]:
    """Literals of `install_requires` and `extras_require`; the file is never executed."""
    for node in walk(parse_python(text)):
        if isinstance(node, ast.Call) and last_name(node.func) == "setup":
            for name, development in (("install_requires", False), ("tests_require", True), ("extras_require", True)):
                given = keyword(node, name)
                for each in walk(given) if given is not None else ():
                    value = text_of(each)
                    if value is not None and not (isinstance(given, ast.Dict) and each in given.keys):
                        yield value, development


def _strings(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _line_of(lines: list[str], name: str) -> int:
    """The first line that holds the name as a whole word; 1 when none does."""
    word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")
    return next((number for number, line in enumerate(lines, 1) if word.search(line)), 1)


PYTHON: dict[str, Reader] = {
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "setup.py": _setup_py,
    "Pipfile": _pipfile,
}
