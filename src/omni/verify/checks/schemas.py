"""Files with a published JSON Schema keep to it: compose, workflows of every forge, JSON Schemas themselves.

Which files these are is in data/schemas.toml; check-jsonschema carries the schemas, so nothing is downloaded.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from omni.verify.analysis.positions import line_of_path, steps
from omni.verify.check import Check, Context, Gap, Item, Output, Unseen
from omni.verify.files import matches

UNEXPECTED = re.compile(r"'([^']+)' was unexpected")
FILE = Path(__file__).parents[1] / "data" / "schemas.toml"


@cache
def schemas() -> Mapping[str, tuple[str, ...]]:
    """Name of the schema → globs of the files."""
    return {name: tuple(globs) for name, globs in tomllib.loads(FILE.read_text("utf-8")).items()}


def run(context: Context) -> Iterator[Item]:
    for name, globs in schemas().items():
        paths = [file.path for file in context.files if matches(file.path, globs)]
        if paths:
            schema = ("--check-metaschema",) if name == "metaschema" else ("--builtin-schema", name)
            output = context.execute("check-jsonschema", *schema, "-o", "json", "-v", "--", *paths)
            yield from parse(context, output, name.rpartition(".")[2])


def parse(context: Context, output: Output, rule: str) -> Iterator[Item]:
    """`best_deep_match` is the error that most likely is meant, where several forms are allowed."""
    report = output.json()
    if not isinstance(report, dict):
        raise TypeError("check-jsonschema did not print an object")
    unparsed = report.get("parse_errors", ())  # it is not there when all is well
    for each in unparsed:
        yield Unseen(context.relative(each["filename"]), "it does not parse")
    if output.exit_code != 0 and not report["errors"] and not unparsed:
        yield Gap(f"check-jsonschema failed: {' '.join(output.stderr.split())[:300]}")
    for each in report["errors"]:
        said = each.get("best_deep_match") or each
        if said["message"] == "'matrix' is a required property":
            continue  # the published schema asks for it, GitHub does not
        file = context.inventory.by_path.get(context.relative(each["filename"]))
        extra = UNEXPECTED.search(said["message"])
        place = [*steps(said["path"]), *([extra[1]] if extra else [])]
        line = line_of_path(context.text(file), place) if file else 1
        where = "" if said["path"] == "$" else f"{said['path'].removeprefix('$.')}: "
        yield context.finding(rule, f"{where}{said['message']}"[:300], each["filename"], line)


CHECK = Check(
    id="schemas",
    title="Compose files, workflows and schemas keep to their schema",
    tier=2,
    globs=tuple(glob for globs in schemas().values() for glob in globs),
    tool="check-jsonschema",
    run=run,
    why="What its reader does not know it refuses, or passes over without a word.",
    advice="Correct the key or the value; see the format's documentation.",
)
