"""The imports of JavaScript and TypeScript between a project's own files, as edges of the same graph as Python's.

A module is named by its path without its ending, with dots: `src/web/cart.ts` is `src.web.cart`; a folder's `index` is
the folder. `import type` binds nothing at run time and is left out.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from omni.verify.analysis.adoption import table
from omni.verify.analysis.express import without_comments
from omni.verify.analysis.imported import JS_IMPORT
from omni.verify.analysis.modules import Edge, Graph

if TYPE_CHECKING:
    from omni.verify.check import Context

LANGUAGES = frozenset({"javascript", "typescript", "vue", "svelte"})
ENDINGS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte")
TYPE_ONLY = re.compile(r"^[ \t]*(?:import|export)\s+type\b")


def add_scripts(graph: Graph, context: Context) -> None:
    """Add the scripts among the inputs to the graph."""
    files = [file for file in context.files if file.language in LANGUAGES]
    paths = {file.path for file in files}
    aliases = aliases_of(context)
    for file in files:
        graph.modules[script_module(file.path)] = file.path
    for file in files:
        name, text = script_module(file.path), without_comments(context.text(file))
        for found in JS_IMPORT.finditer(text):
            said = found["a"] or found["b"]
            target = resolved(said.split("?", 1)[0], file.path, paths, aliases)
            if target is not None and not TYPE_ONLY.match(found[0]):
                line = text.count("\n", 0, found.end()) + 1
                graph.edges[name].append(Edge(name, script_module(target), file.path, line))


def script_module(path: str) -> str:
    bare = next((path.removesuffix(end) for end in ENDINGS if path.endswith(end)), path)
    bare = bare.removesuffix("/index") if bare != "index" else bare
    return bare.replace(".", "_").replace("/", ".")


def resolved(said: str, path: str, paths: set[str], aliases: Mapping[str, str]) -> str | None:
    """The file that an import means; None when it is not the project's."""
    for base in _bases(said, path, aliases):
        clean = posixpath.normpath(base)
        bare = re.sub(r"\.(js|jsx|mjs|cjs)$", "", clean)  # TypeScript writes .js for a .ts file
        ends = ("", *ENDINGS, *(f"/index{end}" for end in ENDINGS))
        for candidate in (f"{each}{end}" for each in (clean, bare) for end in ends):
            if candidate in paths:
                return candidate
    return None


def _bases(said: str, path: str, aliases: Mapping[str, str]) -> Iterator[str]:
    if said.startswith("."):
        yield posixpath.join(posixpath.dirname(path), said)
        return
    for start, place in aliases.items():
        if said.startswith(start):
            yield posixpath.join(place, said.removeprefix(start))


def aliases_of(context: Context) -> dict[str, str]:
    """`@/` → `src/`, of every tsconfig.json (and jsconfig.json) of the project."""
    found: dict[str, str] = {}
    for file in context.inventory.files:
        if not re.search(r"(^|/)[jt]sconfig(\.\w+)?\.json$", file.path) or file.problem:
            continue
        text = re.sub(r",(\s*[}\]])", r"\1", without_comments(context.text(file)))
        try:
            content = json.loads(text)
        except ValueError:
            continue  # `syntax` says so
        folder = posixpath.dirname(file.path)
        options = table(content, "compilerOptions")
        base = posixpath.normpath(posixpath.join(folder, str(options.get("baseUrl", "."))))
        for name, places in table(options, "paths").items():
            first = str(places[0]) if isinstance(places, list) and places else ""
            if first:
                found[name.rstrip("*")] = posixpath.normpath(posixpath.join(base, first.rstrip("*")))
    return found
