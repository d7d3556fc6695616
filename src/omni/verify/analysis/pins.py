"""Exact versions of dependencies, as lock files have them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from omni.verify.analysis.adoption import table
from omni.verify.analysis.manifests import TOO_DEEP, BadManifestError, normalise

LOCKS = ("package-lock.json", "uv.lock", "poetry.lock", "pdm.lock", "Cargo.lock")
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?\s*==\s*([^\s;\\#,]+)")


@dataclass(frozen=True)
class Pin:
    ecosystem: str
    """As OSV names it."""
    name: str
    version: str
    line: int


def pins(path: str, text: str) -> list[Pin]:
    """Of one lock file or requirements file. Raises BadManifestError."""
    name = path.rpartition("/")[2]
    try:
        if name == "package-lock.json":
            return list(_npm(text))
        if name in LOCKS:
            return list(_tables(text, "crates.io" if name == "Cargo.lock" else "PyPI"))
    except (ValueError, TypeError, *TOO_DEEP) as problem:
        raise BadManifestError(str(problem)) from problem
    return list(_requirements(text))


def _requirements(text: str) -> Iterator[Pin]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := PIN.match(line):
            yield Pin("PyPI", normalise(found[1]), found[2], number)


def _tables(text: str, ecosystem: str) -> Iterator[Pin]:
    """`[[package]]` with name and version: uv, Poetry, PDM and Cargo."""
    packages = tomllib.loads(text).get("package", [])
    lines = text.splitlines()
    for each in packages if isinstance(packages, list) else ():
        name, version = str(table(each).get("name", "")), str(table(each).get("version", ""))
        if name and version:
            yield Pin(ecosystem, name, version, _line(lines, f'name = "{name}"'))


def _npm(text: str) -> Iterator[Pin]:
    lines = text.splitlines()
    for place, about in table(json.loads(text), "packages").items():
        version = table(about).get("version")
        if "node_modules/" in place and isinstance(version, str):
            yield Pin("npm", place.rpartition("node_modules/")[2], version, _line(lines, f'"{place}"'))


def _line(lines: list[str], part: str) -> int:
    return next((number for number, line in enumerate(lines, 1) if part in line), 1)
