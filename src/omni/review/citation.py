"""A claim about code must cite a place that exists and quote the line that stands there; others are dropped, and
counted.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from omni.models.typed import Document, quoted

FILE_LIMIT, MATERIAL_LIMIT = 60_000, 240_000
"""Characters of one file, and of all together, that a judge is shown: about 60,000 tokens."""
LEAST_QUOTE = 4
"""Characters other than white space that a quotation has, unless the line has fewer."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Citation(Model):
    path: str
    line: Annotated[int, Field(ge=1)]
    quote: str
    """What stands on that line, or a part of it, to the letter."""


class Remark(Citation):
    """Something that should be otherwise."""

    rule: Line
    """What it breaks: a dimension, a route of the contract, a WCAG id (`WCAG 1.4.3`), a criterion."""
    severity: Literal["error", "warning", "note"]
    message: Line
    why: Line
    fix: Line
    replacement: str | None = None
    """What the quoted words should be replaced with; null when that alone does not mend it."""


class Findings(Document):
    """What a specialist found."""

    remarks: tuple[Remark, ...] = ()
    looked_at: tuple[str, ...] = ()
    """Paths that were really read."""


class Dropped(Model):
    """A claim that does not count."""

    claim: str
    why: str


class Cited(Protocol):
    @property
    def path(self) -> str: ...

    @property
    def line(self) -> int: ...

    @property
    def quote(self) -> str: ...


C = TypeVar("C", bound=Cited)


@dataclass(frozen=True)
class Material:
    """What is judged. `left_out`: path → why it was not shown."""

    files: Mapping[str, str]
    left_out: Mapping[str, str]

    def shown(self) -> str:
        """All files with line numbers, as a block of data each."""
        return "\n\n".join(quoted(path, numbered(text)) for path, text in self.files.items())


def material(files: Mapping[str, str]) -> Material:
    """As many of these files as may be shown, the smaller first, so that few are left out."""
    shown: dict[str, str] = {}
    left: dict[str, str] = {}
    room = MATERIAL_LIMIT
    for path, text in sorted(files.items(), key=lambda item: (len(item[1]), item[0])):
        if len(text) > FILE_LIMIT:
            left[path] = f"it has more than {FILE_LIMIT:,} characters"
        elif len(text) > room:
            left[path] = f"there was no room left of {MATERIAL_LIMIT:,} characters"
        else:
            room -= len(text)
            shown[path] = text
    return Material(dict(sorted(shown.items())), left)


def read_files(root: Path, paths: Iterable[str]) -> Material:
    """The same from a folder. What is no text, or leads out of the folder, is left out."""
    texts: dict[str, str] = {}
    left: dict[str, str] = {}
    for path in paths:
        place = root / path
        try:
            if not place.resolve().is_relative_to(root.resolve()):
                left[path] = "it leads out of the project"
                continue
            texts[path] = place.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            left[path] = "it is no readable text"
    found = material(texts)
    return Material(found.files, {**left, **found.left_out})


def numbered(text: str) -> str:
    return "\n".join(f"{number:>5}  {line}" for number, line in enumerate(text.splitlines(), 1))


def problem(cited: Cited, files: Mapping[str, str]) -> str:
    """Why a citation is wrong; empty when the place is there and says what is quoted."""
    if cited.path not in files:
        return f"{cited.path or 'no file'} was not shown to it"
    lines = files[cited.path].splitlines()
    if cited.line > len(lines):
        return f"{cited.path} has {len(lines)} lines, not {cited.line}"
    said, there = _folded(cited.quote), _folded(lines[cited.line - 1])
    if not said or (len(said) < LEAST_QUOTE and said != there):
        return f"{cited.path}:{cited.line} is not quoted"
    return "" if said in there else f"{cited.path}:{cited.line} says something else"


def checked(claims: Sequence[C], files: Mapping[str, str]) -> tuple[tuple[C, ...], tuple[Dropped, ...]]:
    """The claims whose citation is right, and the others with why they are dropped."""
    kept, dropped = [], []
    for claim in claims:
        if why := problem(claim, files):
            about = getattr(claim, "message", claim.quote)
            dropped.append(Dropped(claim=str(about)[:300], why=why))
        else:
            kept.append(claim)
    return tuple(kept), tuple(dropped)


def mended(remark: Remark, text: str) -> str | None:
    """The file with the remark's replacement applied; None when it has none, or its words stand there twice."""
    lines = text.splitlines(keepends=True)
    if remark.replacement is None or remark.line > len(lines) or lines[remark.line - 1].count(remark.quote) != 1:
        return None
    lines[remark.line - 1] = lines[remark.line - 1].replace(remark.quote, remark.replacement)
    return "".join(lines)


def patch(remarks: Iterable[Remark], files: Mapping[str, str]) -> str:
    """A unified diff of all mends that can be applied, one after the other; empty when there is none."""
    texts = dict(files)
    for remark in remarks:
        if remark.path in texts and (text := mended(remark, texts[remark.path])) is not None:
            texts[remark.path] = text
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for path, text in texts.items()
        for line in difflib.unified_diff(
            files[path].splitlines(keepends=True), text.splitlines(keepends=True), f"a/{path}", f"b/{path}"
        )
    )


def _folded(text: str) -> str:
    return re.sub(r"\s+", "", text)
