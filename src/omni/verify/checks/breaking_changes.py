"""A change of an OpenAPI document that breaks clients written for its earlier state.

Compared with the commit before the change (`--base`, or the last one). When the author raises the version of the API
as https://semver.org asks for an incompatible change, the breaks are said, and don't block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Gap, Item
from omni.verify.checks.openapi import LOOKS_LIKE, load
from omni.verify.deep.base import Base, find_base
from omni.verify.deep.openapi_diff import breaking_changes, is_new_version
from omni.verify.deep.openapi_model import Document, Node
from omni.verify.files import File, matches
from omni.verify.report import Severity, Status

GLOBS = (
    "*openapi*.yaml",
    "*openapi*.yml",
    "*openapi*.json",
    "*swagger*.yaml",
    "*swagger*.yml",
    "*swagger*.json",
    "api.yaml",
    "api.yml",
    "api.json",
)
KEEP = "Keep the old one beside the new, mark it deprecated, and remove it with the next major version."
STOPS = "Clients that were written for the earlier document stop working when this is deployed."
WARNINGS = {"deprecated-operation-removed", "error-status-removed"}
MENDS = {
    "operation-removed": KEEP,
    "deprecated-operation-removed": "Make sure that nobody calls it any more: look into the access log.",
    "parameter-removed": "Take it still, if only to ignore it, until the next major version.",
    "parameter-moved": "Take it in both places until the next major version.",
    "parameter-required": "Make it optional, with a default that does what was done before.",
    "body-required": "Take a request without a body still.",
    "media-type-removed": KEEP,
    "status-removed": "Answer with the old status, or add a new operation that answers otherwise.",
    "error-status-removed": "Name it again if it can still happen.",
    "type-changed": "Add a field of the new type beside the old one.",
    "nullability-changed": "Add a new field, or keep null out of (in a request: let it in to) the old one.",
    "enum-value-removed": "Take the old value still, and treat it as the new one.",
    "enum-value-added": "Give the new value in a new field, or to those only who ask for it.",
    "constraint-tightened": "Take what was taken before; clients can't know the new bound.",
    "response-field-removed": "Send the field still, until the next major version.",
    "response-field-optional": "Send the field always, with an empty value where there is none.",
    "request-field-required": "Make it optional, with a default that does what was done before.",
    "request-field-removed": "Take the field still, if only to ignore it.",
    "alternative-changed": KEEP,
    "auth-added": "Let those in who were let in before, or raise the major version and tell them.",
    "auth-changed": "Let the old credentials in too, until the next major version.",
    "document-removed": "Put it back, or say in the next major version that there is no API any more.",
}
RULES = {
    name: Rule("breaking-changes", name, Severity.WARNING if name in WARNINGS else Severity.ERROR, why=STOPS, fix=mend)
    for name, mend in MENDS.items()
}


def run(context: Context) -> Iterator[Item]:
    texts = {file.path: context.text(file) for file in context.files if matches(file.path, GLOBS)}
    now = {path: document for path, text in texts.items() if (document := _document(text))}
    base = find_base(context, lambda path: matches(path, GLOBS))
    if isinstance(base, Gap):
        yield base if now else Gap("there is no OpenAPI document", Status.SKIPPED)
        return
    then = _then(base)
    if not now and not then:
        yield Gap("there is no OpenAPI document", Status.SKIPPED)
        return
    for path, old in then.items():
        found = path if path in now else _renamed(old, {name: each for name, each in now.items() if name not in then})
        if not found:
            yield RULES["document-removed"].at(path, None, f"{path} is gone, which {base.name} has")
        elif texts[found] != old.text:
            yield from _compare(context.inventory.by_path[found], old, now[found], base)


def _compare(file: File, old: Document, new: Document, base: Base) -> Iterator[Item]:
    announced = is_new_version(old, new)
    said = set()
    for change in breaking_changes(old, new):
        rule, line = RULES[change.rule], new.line(change.at)
        message = f"{change.message} (compared with {base.name})"
        if (change.rule, change.at) in said:
            continue  # a schema that several operations use is one place to mend
        said.add((change.rule, change.at))
        finding = rule.at(file.path, line, message)
        yield finding.model_copy(update={"severity": Severity.NOTE}) if announced else finding


def _then(base: Base) -> Mapping[str, Document]:
    paths = [path for path in base.paths() if matches(path, GLOBS)]
    return {path: document for path, text in base.texts(paths).items() if (document := _document(text))}


def _document(text: str) -> Document | None:
    """None for what is no OpenAPI document, or can't be read: `syntax` and `openapi` say that."""
    if not LOOKS_LIKE.search(text[:4000]):
        return None
    content = load(text)
    return Document(Node(content, ()), text) if isinstance(content, dict) else None


def _renamed(old: Document, new: Mapping[str, Document]) -> str:
    """The document that has no past and the same title."""
    title = old.root.get("info").text("title")
    return next((path for path, each in new.items() if each.root.get("info").text("title") == title), "")


CHECK = Check(
    id="breaking-changes",
    title="The API keeps its promises to its clients",
    tier=2,
    # With the manifests it runs, too, where the only document was deleted.
    globs=(*GLOBS, "pyproject.toml", "package.json", "go.mod", "Cargo.toml", "omni.toml"),
    run=run,
    fresh_for=0,
)
