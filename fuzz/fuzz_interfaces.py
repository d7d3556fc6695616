"""Descriptions of interfaces, two of which are compared; reports about them; measurements; rules of a project."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["omni"]):
    import shapes
    from omni.verify.analysis.junit import BadReportError
    from omni.verify.deep import measurements, openapi_diff, openapi_model, schema_diff, schemathesis
    from omni.verify.rules import entry

WORDS = (
    *shapes.words_of(openapi_model.__file__), *shapes.words_of(openapi_diff.__file__),
    *shapes.words_of(schema_diff.__file__), "#/components/schemas/A", "#", "components", "A", "get",
)  # fmt: skip
NUMBERS = shapes.words_of(measurements.__file__)
RULES = (
    *shapes.words_of(entry.__file__),
    ": ",
    "\n",
    "  ",
    "- ",
    "id",
    "rule",
    "pattern",
    "language",
    "|\n",
    "&a",
    "*a",
)


def document(source: shapes.Bytes) -> openapi_model.Document:
    paths = {"/a/{id}": {"get": shapes.value(source, WORDS, 2)}, "/b": shapes.value(source, WORDS, 3)}
    content = {"openapi": "3.1.0", "paths": paths, "components": {"schemas": {"A": shapes.value(source, WORDS, 2)}}}
    return openapi_model.Document(openapi_model.Node(content, ()), str(content))


def interfaces(data: bytes) -> None:
    source = shapes.Bytes(data)
    old, new = document(source), document(source)
    for change in openapi_diff.breaking_changes(old, new):
        str(change)


def reports(data: bytes) -> None:
    try:
        schemathesis.read_report(data)
    except BadReportError:
        pass
    try:
        measurements.read_measurements(shapes.json_text(data, NUMBERS))
    except measurements.BadMeasurementError:
        pass


def rules(data: bytes) -> None:
    try:
        entry.parse(shapes.worded(data, RULES))
    except ValueError:
        pass


KINDS = (interfaces, reports, rules)


def target(data: bytes) -> None:
    if data:
        KINDS[data[0] % len(KINDS)](data[1:])


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
