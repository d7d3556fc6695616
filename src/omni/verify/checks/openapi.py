"""OpenAPI documents are valid, and say what the program does.

Valid: by openapi-spec-validator, for 2.0 to 3.1. True: every operation of the document is a route of the FastAPI
program and the other way round, both read without running anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import yaml

from omni.verify.analysis.routes import METHODS, Route, by_path, find_routes
from omni.verify.analysis.rule import Rule, line_with
from omni.verify.check import Check, Context, Gap, Item
from omni.verify.files import File
from omni.verify.report import Severity, Status

INVALID = Rule(
    "openapi",
    "invalid-document",
    Severity.ERROR,
    why="Programs that make clients, tests and pages from it stop, or make wrong ones.",
    fix="Correct it as https://spec.openapis.org says.",
)
NOT_THERE = Rule(
    "openapi",
    "documented-route-missing",
    Severity.ERROR,
    why="Clients that were written by the document get an error.",
    fix="Write the route, or take it out of the document.",
)
NOT_WRITTEN = Rule(
    "openapi",
    "route-undocumented",
    Severity.ERROR,
    why="Nobody outside knows of it, and no contract test looks at it.",
    fix="Write the document anew from the program, or hide the route with include_in_schema=False.",
)
LOOKS_LIKE = re.compile(r"^[ \t]*[\"']?(openapi|swagger)[\"']?\s*:\s*[\"']?\d", re.MULTILINE)
ERROR = re.compile(r"^# (?:Validation Error|Cause of error)$", re.MULTILINE)


def run(context: Context) -> Iterator[Item]:
    documents = [
        file for file in context.files if file.language != "python" and LOOKS_LIKE.search(context.text(file)[:4000])
    ]
    if not documents:
        yield Gap("there is no OpenAPI document", Status.SKIPPED)
        return
    for file in documents:
        content = load(context.text(file))
        if not isinstance(content, dict):
            continue  # `syntax` says so
        problems = list(_validate(context, file))
        yield from problems
        if not problems:
            yield from _compare(context, file, content)


def load(text: str) -> object:
    """A YAML or JSON text; None when it is neither."""
    try:
        return json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        return None


def _validate(context: Context, file: File) -> Iterator[Item]:
    """The validator prints `path: OK`, or what is wrong with it; references to other files are not followed."""
    output = context.execute("openapi-spec-validator", "--errors", "all", "--", file.path)
    if output.exit_code == 0:
        return
    said = (output.stdout + output.stderr).strip()
    message = " ".join(ERROR.sub("", said).removeprefix(f"{file.path}: Validation Error:").split())[:300]
    named = re.search(r"'([\w/{}.-]+)'", message)
    line = line_with(context.text(file), named[1]) if named else 1
    yield INVALID.at(file.path, line, message or "not a valid OpenAPI document")


def _compare(context: Context, file: File, document: dict[str, object]) -> Iterator[Item]:
    routes = find_routes(context)
    if not routes.found:
        return  # another framework, or a description of somebody else's service
    if routes.unclear:
        yield Gap(f"the routes could not be compared with {file.path}: {routes.unclear[0]}")
        return
    text = context.text(file)
    written = by_path(list(_operations(file, document, text)))
    there = by_path([route for route in routes.found if route.method not in {"head", "options", "trace"}])
    for key in sorted(written.keys() - there.keys()):
        route = written[key]
        name = f"{route.method.upper()} {route.path}"
        yield NOT_THERE.at(
            file.path, route.line, f"{name} is documented, and the program has no such route", snippet=name
        )
    for key in sorted(there.keys() - written.keys()):
        route = there[key]
        name = f"{route.method.upper()} {route.path}"
        yield NOT_WRITTEN.at(route.file, route.line, f"{name} is not in {file.path}", snippet=name)


def _operations(file: File, document: dict[str, object], text: str) -> Iterator[Route]:
    base = str(document.get("basePath") or "").rstrip("/")
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        for method in item if isinstance(item, dict) else ():
            if method in METHODS:
                yield Route(method, base + path, file.path, line_with(text, path))


CHECK = Check(
    id="openapi",
    title="The OpenAPI document is valid and true",
    tier=2,
    languages=("python",),
    globs=(
        "*openapi*.yaml",
        "*openapi*.yml",
        "*openapi*.json",
        "*swagger*.yaml",
        "*swagger*.json",
        "api.yaml",
        "api.json",
    ),
    tool="openapi-spec-validator",
    run=run,
)
