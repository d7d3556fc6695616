"""A report for a reader: a person, a program, a code host, a CI server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import cast

from omni.kernel.errors import Exit, OmniError, declare
from omni.verify.report import Report

UNKNOWN_FORMAT = declare(
    "V007", "There is no such format", Exit.USAGE, "Known: text, json, ndjson, sarif, html, junit, comment."
)

FORMATS = ("text", "json", "ndjson", "sarif", "html", "junit", "comment")

MEDIA_TYPES: Mapping[str, str] = {
    "text": "text/plain",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "sarif": "application/sarif+json",
    "html": "text/html",
    "junit": "application/xml",
    "comment": "text/markdown",
}


def render(report: Report, format: str, *, color: bool = False) -> str:  # noqa: A002 - the option's name
    """The report in one of `FORMATS`; `color` is for text on a terminal. Raises `V007`."""
    if format not in FORMATS:
        raise OmniError(UNKNOWN_FORMAT, f"“{format}”")
    write = cast("Callable[..., str]", import_module(f"{__name__}.{format}").write)  # only the one that is asked for
    return write(report, color=color) if format == "text" else write(report)
