"""AsyncAPI documents by AsyncAPI's own parser: all that the specification's schema asks for, in versions 2 and 3.

What `asyncapi` says of a line is not said again. Of the parser's rules those count that tell what is wrong; what it
would like to see (a contact, a licence, tags) a project asks for in a ruleset of Spectral's, which `spectral` obeys.
References to other files are followed, within the sandbox; what lies elsewhere is not had there, and said so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from omni.verify.analysis.rule import line_of
from omni.verify.check import Check, Context, Failed, Gap, Item, Unseen
from omni.verify.checks import asyncapi
from omni.verify.files import File
from omni.verify.report import Finding, Model, Status

SCRIPT = Path(__file__).parents[1] / "data" / "asyncapi.cjs"
ERROR = 0


class Place(Model, extra="ignore"):
    line: int = Field(ge=0)


class Range(Model, extra="ignore"):
    start: Place


class Said(Model, extra="ignore"):
    """A diagnostic of Spectral's, on which the parser is built; lines from 0."""

    code: str
    message: str
    path: tuple[str | int, ...]
    severity: int
    range: Range
    source: str = ""
    """The file that it is about; the document itself, or one that it refers to."""


ANSWER: TypeAdapter[tuple[tuple[Said, ...], ...]] = TypeAdapter(tuple[tuple[Said, ...], ...])


def run(context: Context) -> Iterator[Item]:
    documents = asyncapi.documents(context)
    if not documents:
        yield Gap("there is no AsyncAPI document", Status.SKIPPED)
        return
    parser = context.execution.tools(context.check.toolset).root / "@asyncapi" / "parser"
    argv = ("node", "-e", SCRIPT.read_text("utf-8"), str(parser), *(f"/work/{file.path}" for file in documents))
    done = context.run_in_sandbox(argv, toolset=context.check.toolset)
    try:
        answer = ANSWER.validate_python(json.loads(done.stdout)) if done.exit_code == 0 else ()
    except (ValueError, RecursionError, ValidationError):
        answer = ()
    if len(answer) != len(documents):
        said = " ".join(done.stderr.split())[-300:]
        raise Failed(f"AsyncAPI's parser did not look at the documents: {said or done.ended}", Status.INCOMPLETE)
    for file, diagnostics in zip(documents, answer, strict=True):
        yield from judge(context, file, [said for said in diagnostics if said.severity == ERROR])


def judge(context: Context, file: File, errors: Sequence[Said]) -> Iterator[Item]:
    """What is wrong with one document: of errors about a thing and about a part of it, the part's alone."""
    known = {item.line for item in asyncapi.look(context, file) if isinstance(item, Finding)}
    text = context.text(file)
    told: set[tuple[str, int]] = set()
    for said in errors:
        path, line = context.relative(said.source.removeprefix("/work/") or file.path), said.range.start.line + 1
        part = any(other.path[: len(said.path)] == said.path and len(other.path) > len(said.path) for other in errors)
        if said.code == "uncaught-error":
            yield Unseen(file.path, "AsyncAPI's parser can't read it")
        elif said.code == "invalid-ref" and "://" in line_of(text, line):
            yield Gap(f"{path}:{line}: what the reference leads to can't be had here")
        elif not part and (path, line) not in told and not (path == file.path and line in known):
            told.add((path, line))
            where, message = ".".join(map(str, said.path)), said.message.replace("/work/", "")
            yield context.finding(said.code, f"{where}: {message}" if where else message, path, line)


CHECK = Check(
    id="asyncapi-parser",
    title="AsyncAPI's own parser accepts the document",
    tier=2,
    globs=asyncapi.CHECK.globs,
    config=("*.yaml", "*.yml", "*.json"),
    tool="@asyncapi/parser",  # a library, which the script starts
    toolset="asyncapi",
    optional=True,
    run=run,
    timeout=60,
    why=asyncapi.WHY,
    advice=asyncapi.FIX,
)
