"""What a project imports from outside of itself, in Python and JavaScript."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from omni.verify.analysis.adoption import table
from omni.verify.analysis.packages import node_modules
from omni.verify.analysis.places import BESIDE_THE_PRODUCT
from omni.verify.analysis.python import imports_of

if TYPE_CHECKING:
    from omni.verify.check import Context
    from omni.verify.files import File


@dataclass(frozen=True)
class Foreign:
    """An import of something that is neither the project's nor the language's own."""

    module: str
    """Dotted for Python; the package's name for JavaScript."""
    file: File
    line: int
    optional: bool

    @property
    def beside(self) -> bool:
        return bool(BESIDE_THE_PRODUCT.search(self.file.path))


STANDARD = frozenset(sys.stdlib_module_names) | {
    "_typeshed", "annotationlib", "asynchat", "asyncore", "cgi", "compression", "distutils", "imp",
}  # fmt: skip
"""Of this Python, and of those before and after it."""
OWN_DEPENDENCIES = re.compile(r"^# /// script\s*$", re.MULTILINE)
"""PEP 723: a script that declares them itself."""


def python_imports(context: Context) -> Iterator[Foreign]:
    """Third-party imports; each module once a file. Files that do not parse are left to `syntax`."""
    own = _own_modules(context)
    for file in context.files:
        found = imports_of(context, file) if file.language == "python" else None
        if found is None or (found and OWN_DEPENDENCIES.search(context.text(file))):
            continue
        own_here = own | _beside(context, file.path)
        seen = set()
        for each in found:
            top = each.module.split(".", 1)[0]
            if each.level or top in STANDARD or top in own_here or each.module in seen:
                continue
            if top == "setuptools" and file.path.endswith("setup.py"):
                continue  # whoever runs it brings it
            seen.add(each.module)
            yield Foreign(each.module, file, each.line, each.optional)


@cache
def _children(paths: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Folder → names that can be imported from it."""
    found: dict[str, set[str]] = {}
    for path in paths:
        pure = PurePosixPath(path)
        if pure.suffix in {".py", ".pyi", ".pyx", ".so"}:
            found.setdefault(_name(pure.parent), set()).add(pure.name.split(".")[0])
            for parent in pure.parents:
                if parent.name:
                    found.setdefault(_name(parent.parent), set()).add(parent.name)
    return {folder: frozenset(names) for folder, names in found.items()}


def _own_modules(context: Context) -> frozenset[str]:
    """What can be imported from the target, its source roots, and wherever a package without a parent package lies."""
    paths = tuple(file.path for file in context.inventory.files)
    children = _children(paths)
    packages = {_name(PurePosixPath(path).parent) for path in paths if path.endswith("/__init__.py")}
    tops = {_name(PurePosixPath(each).parent) for each in packages} - packages
    roots = {"", "src", "lib", *context.project.source_roots, *tops}
    return frozenset().union(*(children.get(root.strip("/"), frozenset()) for root in roots))


def _beside(context: Context, path: str) -> frozenset[str]:
    """What lies next to the file or above it: scripts and pytest put those folders on the path."""
    children = _children(tuple(file.path for file in context.inventory.files))
    parents = [_name(parent) for parent in PurePosixPath(path).parents]
    return frozenset().union(*(children.get(parent, frozenset()) for parent in parents))


def _name(folder: PurePosixPath) -> str:
    return "" if str(folder) == "." else str(folder)


JS_IMPORT = re.compile(
    r"""^[ \t]*(?:import|export)\b(?:[^'"`;]{0,2000}?\bfrom)?\s*['"](?P<a>[^'"]+)['"]"""
    r"""|\b(?:require|import)\(\s*['"](?P<b>[^'"]+)['"]\s*\)""",
    re.MULTILINE,
)
JS_COMMENT = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|//[^\n]*|/\*.*?\*/""", re.DOTALL
)
"""A string, which may hold what looks like a comment, or a comment."""
PACKAGE = re.compile(r"(@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*", re.IGNORECASE)


def javascript_imports(context: Context, aliases: frozenset[str] = frozenset()) -> Iterator[Foreign]:
    """Packages that JavaScript and TypeScript import. `aliases` are starts of names that the bundler resolves."""
    for file in context.files:
        if file.language not in {"javascript", "typescript", "vue", "svelte"}:
            continue
        text = JS_COMMENT.sub(lambda found: found[1] or re.sub(r"[^\n]", " ", found[0]), context.text(file))
        seen = set()
        for found in JS_IMPORT.finditer(text):
            name = (found["a"] or found["b"]).split("?", 1)[0]
            if name.startswith((".", "/", "node:", "virtual:", "#", "~", "@/", "http:", "https:", "data:", *aliases)):
                continue
            package = "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
            if package in node_modules() or package in seen or not PACKAGE.fullmatch(package):
                continue
            seen.add(package)
            yield Foreign(package, file, text.count("\n", 0, found.end()) + 1, optional=False)


def typescript_aliases(config: object) -> frozenset[str]:
    """Starts of names in `compilerOptions.paths` of a tsconfig.json."""
    return frozenset(each.rstrip("*") for each in table(config, "compilerOptions", "paths") if each.rstrip("*"))
