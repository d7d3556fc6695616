"""JUnit and coverage reports that the project'\''s tests left."""

from __future__ import annotations

import sys
from contextlib import suppress
from xml.sax.saxutils import quoteattr

import atheris

with atheris.instrument_imports(include=["omni"]):
    import shapes
    from omni.verify.analysis import junit
    from omni.verify.analysis.junit import BadReportError, read_coverage, read_junit


TAGS = ("testsuites", "testsuite", "testcase", "properties", "property", "failure", "error", "skipped", "system-out")
NAMES = ("name", "classname", "file", "line", "time", "message", "type", "value", "criterion")
WORDS = (*shapes.words_of(junit.__file__), "num_statements", "covered_lines", "num_branches", "totals", "criterion")


def element(source: shapes.Bytes, depth: int = 0) -> str:
    """A testcase and what may lie around and in it."""
    tag = TAGS[source.next() % len(TAGS)]
    given = {NAMES[source.next() % len(NAMES)]: WORDS[source.next() % len(WORDS)] for _ in range(source.next() % 4)}
    inside = "".join(element(source, depth + 1) for _ in range(source.next() % 4)) if depth < shapes.DEEPEST else ""
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in given.items())
    return f"<{tag}{attributes}>{inside}</{tag}>"


def target(data: bytes) -> None:
    if data[:1] == b"<" or data[:1] < b"\x40":
        report = data if data[:1] == b"<" else element(shapes.Bytes(data[1:])).encode()
        with suppress(BadReportError):
            read_junit(report)
    with suppress(BadReportError):
        read_coverage(shapes.json_text(data, WORDS).encode("utf-8", "replace"))


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
