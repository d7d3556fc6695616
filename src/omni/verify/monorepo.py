"""Several packages in one repository: which there are, who needs whom, and which of them a change affects.

Packages are what a workspace declares (npm, pnpm, Yarn, Lerna, uv, Cargo, Go), and every folder with a manifest below
`packages/`, `services/`, `apps/` or `libs/`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import PurePosixPath

import yaml

from omni.verify.files import Inventory, matches
from omni.verify.languages import language

MANIFESTS = ("package.json", "pyproject.toml", "Cargo.toml", "go.mod")
USUAL = ("packages/**", "services/**", "apps/**", "libs/**")
HARMLESS = frozenset({"markdown", "rst"})
LARGEST = 1 << 20
"""Bytes of a manifest that are read."""


@dataclass(frozen=True)
class Package:
    name: str
    path: str
    """Its folder."""
    needs: frozenset[str]
    """Names of other packages here."""


@dataclass(frozen=True)
class Affected:
    package: Package
    why: str
    """Empty: it is not affected."""


def packages(inventory: Inventory) -> tuple[Package, ...]:
    """By folder, sorted; none where the repository is one project. A manifest that can't be read names no need."""
    read = _reader(inventory)
    patterns = tuple(pattern.rstrip("/") for pattern in _declared(read))
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for file in inventory.files:
        folder, _, name = file.path.rpartition("/")
        if name not in MANIFESTS or not folder or file.problem:
            continue
        if matches(folder, patterns) or matches(folder, USUAL):
            own, needs = _manifest(name, read(file.path))
            before = found.get(folder, ("", frozenset()))
            found[folder] = (before[0] or own, before[1] | needs)
    named = {folder: name or PurePosixPath(folder).name for folder, (name, _) in found.items()}
    names = frozenset(named.values())
    return tuple(
        Package(named[folder], folder, (needs & names) - {named[folder]})
        for folder, (_, needs) in sorted(found.items())
    )


def affected(found: Iterable[Package], changed: Set[str]) -> tuple[Affected, ...]:
    """Each package with why the change of these paths affects it: its own files, one it needs, or what all share."""
    every = tuple(found)
    why: dict[str, str] = {}
    for path in sorted(changed):
        owner = max(
            (each for each in every if path.startswith(f"{each.path}/")), key=lambda each: len(each.path), default=None
        )
        if owner:
            why.setdefault(owner.name, f"{path} changed")
        elif language(path) not in HARMLESS:
            for each in every:
                why.setdefault(each.name, f"{path} changed, which all share")
    while True:
        more = {
            each.name: f"it needs {min(each.needs & why.keys())}"
            for each in every
            if each.name not in why and each.needs & why.keys()
        }
        if not more:
            return tuple(Affected(each, why.get(each.name, "")) for each in every)
        why |= more


Read = Callable[[str], str]


def _reader(inventory: Inventory) -> Read:
    def read(path: str) -> str:
        file = inventory.by_path.get(path)
        if file is None or file.problem or file.size > LARGEST:
            return ""
        try:
            return (inventory.root / path).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    return read


def _declared(read: Read) -> Iterator[str]:
    """Globs of folders that a workspace at the top names; `!` in front takes one out, which is left to its manifest."""
    for name, keys in (("package.json", ("workspaces",)), ("lerna.json", ("packages",))):
        given = _at(_json(read(name)), *keys)
        yield from _globs(given if isinstance(given, list) else _at(given, "packages"))
    yield from _globs(_at(_yaml(read("pnpm-workspace.yaml")), "packages"))
    yield from _globs(_at(_toml(read("pyproject.toml")), "tool", "uv", "workspace", "members"))
    yield from _globs(_at(_toml(read("Cargo.toml")), "workspace", "members"))
    used = re.findall(r"^\s*(?:use\s+)?(\./[\w./-]+)", read("go.work"), re.MULTILINE)
    yield from (each.removeprefix("./") for each in used)


def _globs(value: object) -> Iterator[str]:
    for each in value if isinstance(value, list) else ():
        text = str(each).removeprefix("./")
        if text and not text.startswith(("!", "/", "..")):
            yield text


def _manifest(name: str, text: str) -> tuple[str, frozenset[str]]:
    """(the package's name, all that it depends on)"""
    if name == "package.json":
        data = _json(text)
        tables = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
        return _word(_at(data, "name")), frozenset(key for table in tables for key in _keys(_at(data, table)))
    if name == "go.mod":
        module = re.search(r"^module\s+(\S+)", text, re.MULTILINE)
        return module[1] if module else "", frozenset(
            re.findall(r"^\s*(?:require\s+)?([\w./-]+)\s+v\S+", text, re.MULTILINE)
        )
    data = _toml(text)
    if name == "Cargo.toml":
        crates = ("dependencies", "dev-dependencies", "build-dependencies")
        return _word(_at(data, "package", "name")), frozenset(
            key for table in crates for key in _keys(_at(data, table))
        )
    listed = _at(data, "project", "dependencies")
    groups = [group for group in (listed, *_values(_at(data, "dependency-groups"))) if isinstance(group, list)]
    wanted = (re.match(r"[A-Za-z0-9._-]+", str(each)) for group in groups for each in group)
    return _word(_at(data, "project", "name")), frozenset(each[0] for each in wanted if each)


def _at(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _keys(value: object) -> Iterable[str]:
    return map(str, value) if isinstance(value, Mapping) else ()


def _values(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, Mapping) else ()


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _json(text: str) -> object:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _toml(text: str) -> object:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _yaml(text: str) -> object:
    try:
        return yaml.safe_load(text) if text else None
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
