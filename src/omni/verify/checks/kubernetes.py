"""Kubernetes manifests against the schemas of its API, by kubernetes-validate, which carries them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni.verify.analysis.positions import line_of_path, steps
from omni.verify.check import Check, Context, Gap, Item, Output, Unseen
from omni.verify.files import File
from omni.verify.report import Severity, Status

MANIFEST = (re.compile(r"^apiVersion:\s*\S", re.MULTILINE), re.compile(r"^kind:\s*\S", re.MULTILINE))
TEMPLATE = re.compile(r"\{\{")
SAID = re.compile(
    r"^(?P<level>ERROR|WARN(?:ING)?) (?P<path>\S+) .*?for resource (?P<kind>[^/]+)/(?P<name>\S+) against version \S+: "
    r"(?P<message>.+)$",
    re.MULTILINE,
)
OTHER = re.compile(r"^(?:ERROR|WARN(?:ING)?) \S+ (?P<message>.+)$")


def manifests(context: Context) -> list[File]:
    return [file for file in context.files if all(part.search(context.text(file)) for part in MANIFEST)]


def run(context: Context) -> Iterator[Item]:
    found = manifests(context)
    if not found:
        yield Gap("there is no Kubernetes manifest", Status.SKIPPED)
        return
    plain = []
    for file in found:
        if TEMPLATE.search(context.text(file)):
            yield Unseen(file.path, "a template: what it becomes is not known here", harmless=True)
        else:
            plain.append(file)
    for file in plain:
        output = context.execute("kubernetes-validate", "--strict", file.path)
        yield from parse(context, output, file)


def parse(context: Context, output: Output, file: File) -> Iterator[Item]:
    """A line a resource. Of kinds that are not the API's own, such as an operator's, nothing is known."""
    text = context.text(file)
    for line in (output.stdout + output.stderr).splitlines():
        if found := SAID.match(line):
            path, _, message = found["message"].partition(": ")
            at = _line(text, found["kind"], found["name"], path)
            yield context.finding("invalid", f"{found['kind']} {found['name']}: {path}: {message}"[:300], file.path, at)
        elif other := OTHER.match(line):
            yield context.finding("unknown-kind", other["message"][:300], file.path, 1, severity=Severity.NOTE)


def _line(text: str, kind: str, name: str, path: str) -> int:
    """Of the resource of that kind and name: of the value at the path in it."""
    documents = re.split(r"^---.*$", text, flags=re.MULTILINE)
    start = 0
    for document in documents:
        named = re.search(rf"^kind:\s*[\"']?{re.escape(kind)}[\"']?\s*$", document, re.MULTILINE | re.IGNORECASE)
        if named and re.search(rf"name:\s*[\"']?{re.escape(name)}\b", document):
            return start + line_of_path(document, steps(path))
        start += document.count("\n")
    return 1


CHECK = Check(
    id="kubernetes",
    title="Kubernetes manifests are valid",
    tier=2,
    languages=("yaml",),
    tool="kubernetes-validate",
    toolset="kubernetes",
    run=run,
    timeout=60,
    why="The cluster refuses what is not valid, when it is deployed and not before.",
    advice="Type: kubectl explain, with the kind and the path.",
)
