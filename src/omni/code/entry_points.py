"""Where something from outside comes in: commands, programs, routes, handlers, tasks, containers."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from omni.code.codebase import text_of
from omni.code.graph import module_of
from omni.code.model import ASIDE, Codebase, EntryPoint, SourceFile

ORDER = ("route", "command", "program", "task", "handler", "container")
NEEDS_PATH = frozenset({"get", "post", "put", "patch", "delete", "route", "websocket"})
"""Decorators that are routes only when they name a path: `@pytest.fixture` has a `.get` too."""
METHODS = re.compile(r",? ?methods=([\w|]*)")
"""A route answers to GET when it names none."""
URL = re.compile(r"""^\s*(?:re_)?path\(\s*r?["']([^"']*)["']\s*,\s*([\w.]+)""")
EXPRESS = re.compile(r"""\b(?:app|router|server)\.(get|post|put|patch|delete)\(\s*["'`](/[^"'`]*)""")
MAIN = {
    "go": re.compile(r"^func main\("),
    "rust": re.compile(r"^\s*(?:pub )?(?:async )?fn main\("),
    "c": re.compile(r"^int\s+main\s*\("),
}
STARTS = re.compile(r"^(?:CMD|ENTRYPOINT)\s+(.+)$")


def entry_points(root: Path, codebase: Codebase) -> tuple[EntryPoint, ...]:
    """All that are found; routes and commands first. Tests are left out."""
    found = [*_declared(root, codebase)]
    for file in codebase.files:
        if not file.test and not file.problem:
            found += _decorated(file)
            if file.main:
                found.append(EntryPoint(kind="program", what=f"python {file.path}", path=file.path, line=file.main))
            found += _written(root, file)
    unique = {(each.kind, each.what, each.path, each.symbol): each for each in found}
    return tuple(sorted(unique.values(), key=_order))


def _order(entry: EntryPoint) -> tuple[bool, int, str, int]:
    """The product before its examples; routes and commands first."""
    return (bool(ASIDE.search(entry.path)), ORDER.index(entry.kind), entry.path, entry.line)


@cache
def _decorators() -> dict[str, str]:
    data = tomllib.loads(files("omni.code").joinpath("entry_points.toml").read_text("utf-8"))
    table: dict[str, str] = data["decorators"]
    return table


def _decorated(file: SourceFile) -> Iterator[EntryPoint]:
    for symbol in file.symbols:
        for decorator in symbol.decorators:
            name, _, rest = decorator.partition("(")
            last = name.rpartition(".")[2]
            kind = _decorators().get(last)
            if kind is None or (last in NEEDS_PATH and not re.match(r"""['"]/?""", rest)) or "." not in name + rest:
                continue
            methods = METHODS.search(rest)
            said = METHODS.sub("", rest).rstrip(")").strip("'\"")
            words = methods[1].upper().split("|") if methods else ["GET" if last == "route" else last.upper()]
            for what in [f"{word} {said}" for word in words] if kind == "route" else [said or symbol.name]:
                yield EntryPoint.model_validate(
                    {"kind": kind, "what": what, "path": file.path, "line": symbol.line, "symbol": symbol.name}
                )


def _declared(root: Path, codebase: Codebase) -> Iterator[EntryPoint]:
    """What the project's own metadata name."""
    for path in ("pyproject.toml", "setup.cfg", "package.json"):
        text = text_of(root, path) if path in codebase.by_path else ""
        try:
            named = {"pyproject.toml": _pyproject, "setup.cfg": _setup_cfg, "package.json": _package_json}[path](text)
        except (ValueError, configparser.Error, AttributeError, TypeError):  # foreign files hold what they like
            continue
        for name, target in named.items():
            line = 1 + text[: max(text.find(name), 0)].count("\n")
            at, symbol = _definition(target, codebase)
            yield EntryPoint(kind="command", what=name, path=at or path, line=line if not at else 1, symbol=symbol)


def _pyproject(text: str) -> dict[str, str]:
    data = tomllib.loads(text)
    project = data.get("project", {})
    return {**project.get("scripts", {}), **project.get("gui-scripts", {})}


def _setup_cfg(text: str) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    lines = parser.get("options.entry_points", "console_scripts", fallback="").splitlines()
    return {name.strip(): target.strip() for name, _, target in (line.partition("=") for line in lines) if target}


def _package_json(text: str) -> dict[str, str]:
    data = json.loads(text or "{}")
    scripts = {f"npm run {name}": str(command) for name, command in data.get("scripts", {}).items()}
    binary = data.get("bin", {})
    return scripts | ({str(data.get("name", "bin")): binary} if isinstance(binary, str) else dict(binary))


def _definition(target: str, codebase: Codebase) -> tuple[str, str]:
    """`package.module:function` → (its path, the function)."""
    module, _, function = target.partition(":")
    for file in codebase.files:
        name = module_of(file.path)
        if file.language == "python" and (name == module or name.endswith(f".{module}")):
            return file.path, function.split("[")[0].strip()
    return "", ""


def _written(root: Path, file: SourceFile) -> Iterator[EntryPoint]:
    """What only the text tells."""
    django = file.language == "python" and file.path.endswith("urls.py")
    docker = file.path.rpartition("/")[2].startswith(("Dockerfile", "Containerfile"))
    if not (django or docker or file.language in {"javascript", "typescript", *MAIN}):
        return
    for number, line in enumerate(text_of(root, file.path).splitlines(), 1):
        if django and (found := URL.search(line)):
            yield EntryPoint(kind="route", what=f"/{found[1]}", path=file.path, line=number, symbol=found[2])
        elif docker and (found := STARTS.search(line)):
            yield EntryPoint(kind="container", what=found[1].strip(), path=file.path, line=number)
        elif file.language in {"javascript", "typescript"} and (found := EXPRESS.search(line)):
            yield EntryPoint(kind="route", what=f"{found[1].upper()} {found[2]}", path=file.path, line=number)
        elif file.language in MAIN and MAIN[file.language].search(line):
            yield EntryPoint(kind="program", what=f"main in {file.path}", path=file.path, line=number, symbol="main")
