"""What a package says of its own changes between two versions: read from the wheel that was installed, nothing fetched.

Its long description often holds the changelog, and some wheels bring it as a file. Where neither does, there is at best
an address for a person to look at.
"""

from __future__ import annotations

import re
from pathlib import Path

from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, ConfigDict

HEADING = re.compile(r"^\W{0,8}(?:version\s+|release\s+|v)?\[?(\d+(?:\.\d+)+(?:\w*\d)?)\b.{0,60}$", re.IGNORECASE)
"""A line that begins what changed in a version: `## [2.1.0] - 2026-01-01`, `2.1 (unreleased)`, `Version 2.1.0`."""
BREAKS = re.compile(
    r"\b(break(s|ing)?|backwards?.incompatib\w*|incompatib\w*|remov(e|es|ed|al)|drop(s|ped)?|no longer|renam(e|es|ed)|"
    r"deprecat\w*|now (raises?|requires?|returns?|rejects?)|must now)\b",
    re.IGNORECASE,
)
FILES = re.compile(r"^(CHANGE(S|LOG)|HISTORY|NEWS|RELEASES?)(\.\w+)?$", re.IGNORECASE)
ADDRESS = re.compile(r"^Project-URL:\s*[^,]*(change|release|history|news)[^,]*,\s*(\S+)", re.IGNORECASE | re.MULTILINE)
MOST = 12
LONGEST = 300


class Changes(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    breaks: tuple[str, ...] = ()
    """Lines that speak of something that may break, each with its version: `2.0: Removed …`."""
    address: str = ""
    """Where the package says that its changelog is; empty: it does not say."""
    read: bool = False
    """Whether there was something to read of the versions in question."""


def changes(packages: Path, name: str, old: str, new: str) -> Changes:
    """Of a package in a folder of packages, after version `old` up to `new`. `name` is normalised (PEP 503)."""
    wheel = re.compile("[-_.]+".join(map(re.escape, name.split("-"))) + r"-[^-]+\.dist-info", re.IGNORECASE)
    infos = [each for each in packages.glob("*.dist-info") if wheel.fullmatch(each.name)]
    if not infos:
        return Changes()
    metadata = infos[0] / "METADATA"
    text = metadata.read_text("utf-8", "replace") if metadata.is_file() else ""
    head, _, description = text.partition("\n\n")
    texts = [description, *(path.read_text("utf-8", "replace") for path in _files(packages, infos[0]))]
    sections = [section for each in texts for section in between(each, old, new)]
    said = dict.fromkeys(f"{version}: {line}" for version, lines in sections for line in lines if BREAKS.search(line))
    address = ADDRESS.search(head)
    return Changes(breaks=tuple(said)[:MOST], address=address[2] if address else "", read=bool(sections))


def between(text: str, old: str, new: str) -> list[tuple[str, tuple[str, ...]]]:
    """(version, its paragraphs and points) of the sections of a changelog after `old` up to `new`."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if heading := HEADING.match(line):
            found.append((heading[1], []))
        elif found and line.strip():
            _add(found[-1][1], line)
        elif found:
            found[-1][1].append("")
    kept = ((version, lines) for version, lines in found if _within(version, old, new))
    return [(version, tuple(line[:LONGEST] for line in lines if re.search(r"\w", line))) for version, lines in kept]


def _add(lines: list[str], line: str) -> None:
    """A point that goes on in the next line is one line."""
    goes_on = lines and lines[-1] and not re.match(r"\s*([-*+•]|\d+\.)\s", line) and not re.match(r"^[=~^#-]{3,}", line)
    if goes_on:
        lines[-1] = f"{lines[-1]} {line.strip()}"
    else:
        lines.append(re.sub(r"^[\s*+•#-]+", "", line).strip())


def _within(version: str, old: str, new: str) -> bool:
    try:
        return Version(old) < Version(version) <= Version(new)
    except InvalidVersion:
        return False


def _files(packages: Path, info: Path) -> list[Path]:
    """Files of the wheel that are named like a changelog."""
    record = info / "RECORD"
    lines = record.read_text("utf-8", "replace").splitlines() if record.is_file() else []
    paths = (packages / line.split(",", 1)[0] for line in lines)
    return [path for path in paths if FILES.match(path.name) and path.is_file() and not path.is_symlink()]
