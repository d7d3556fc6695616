"""What models paste around the text of an edit, and what they leave out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NUMBERED = re.compile(r"^[ ]*(\d+)(\t|→|: ?| ?\| ?)(.*)$")
_FENCE = re.compile(r"^\s*(```+|~~~+)[\w+.-]*\s*$")
_COMMENT = r"(?:#|//|/\*|<!--|--|;|%|\{/\*)"
_DOTS = re.compile(
    rf"^\s*(?:{_COMMENT}\s*(?:\.\.\.|…).*|(?:\.\.\.|…)\s*\(?(?:existing|rest|remaining|same|unchanged|other|more)\b.*)$"
)
_WORDS = re.compile(
    rf"^\s*{_COMMENT}\s*\(?(?:the )?(?:rest of|remaining|existing|other|previous)\b.*"
    r"\b(?:code|unchanged|same|here|before|omitted|methods|function|file|class)\b.*$",
    re.IGNORECASE,
)
_BARE_DOTS = re.compile(r"^\s*(?:\.\.\.|…)\s*$")
_MAY_BE_A_BODY = (":", '"""', "'''", "{", ",", "[", "(")
"""A line of three dots after one that ends so is Python's own `...`."""


def without(old: str, new: str) -> Iterator[tuple[str, str, str]]:
    """Other readings of an edit that did not fit as it stands: old, new, and what was taken away."""
    for take, what in ((_outer_blanks, "blank lines around"), (_numbers, "line numbers"), (_markers, "diff markers"),
                       (_fences, "code fences")):  # fmt: skip
        taken = take(old, new)
        if taken is not None and taken[0].strip() and taken[0] != old:
            yield *taken, what


def _outer_blanks(old: str, new: str) -> tuple[str, str] | None:
    head, tail = len(old) - len(old.lstrip("\n")), len(old) - len(old.rstrip("\n"))
    inner = old.strip("\n") + ("\n" if tail else "")
    lead = min(head, len(new) - len(new.lstrip("\n")))
    new = new[lead:]
    if tail and new.endswith("\n"):
        more = min(tail - 1, len(new) - len(new.rstrip("\n")) - 1)
        new = new[: len(new) - more]
    return inner, new


def _numbers(old: str, new: str) -> tuple[str, str] | None:
    """`41→def f():`, the numbers in order; `new` has them on every line, or on none."""
    bare_old, bare_new = _unnumbered(old, in_order=True), _unnumbered(new, in_order=False)
    if bare_old is None:
        return None
    if bare_new is not None:
        return bare_old, bare_new
    return None if any(map(_NUMBERED.match, new.split("\n"))) else (bare_old, new)


def _unnumbered(text: str, *, in_order: bool) -> str | None:
    lines, ended = _lines(text)
    found = [_NUMBERED.match(line) for line in lines]
    matches = [each for each in found if each]
    if len(matches) != len(lines) or not lines or len({each[2].strip() for each in matches}) != 1:
        return None
    numbers = [int(each[1]) for each in matches]
    if in_order and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return None
    return "\n".join(each[3] for each in matches) + ended


def _markers(old: str, new: str) -> tuple[str, str] | None:
    """`-` before the lines of `old`, `+` before those of `new`, a blank before those that both have."""
    mine, theirs = _unmarked(old, "-"), _unmarked(new, "+")
    return (mine, theirs) if mine is not None and theirs is not None else None


def _unmarked(text: str, marker: str) -> str | None:
    lines, ended = _lines(text)
    if any(line[:1] not in ("", " ", marker) for line in lines) or not any(line[:1] == marker for line in lines):
        return "" if not text else None
    return "\n".join(line[1:] for line in lines) + ended


def _fences(old: str, new: str) -> tuple[str, str] | None:
    inner_old, inner_new = _unfenced(old), _unfenced(new)
    return None if inner_old is None else (inner_old, new if inner_new is None else inner_new)


def _unfenced(text: str) -> str | None:
    lines, _ = _lines(text.strip("\n"))
    if len(lines) < 3 or not _FENCE.match(lines[0]) or not _FENCE.match(lines[-1]):
        return None
    return "\n".join(lines[1:-1]) + "\n"


def _lines(text: str) -> tuple[list[str], str]:
    return (text[:-1].split("\n"), "\n") if text.endswith("\n") else (text.split("\n"), "")


def suspicious(text: str, old: str, new: str) -> str:
    """Why `new` can't be meant as it is written; empty when it can. `text` is the file's."""
    there = {line.strip() for line in old.split("\n")}
    added = [line for line in new.split("\n") if line.strip() and line.strip() not in there]
    if dots := left_out(new.split("\n"), there):
        return (
            f"`new` has the line {dots!r}, which would be written as it is. Write out every line that is to be there."
        )
    if added and all(line.startswith("+") for line in added) and "\n+" not in f"\n{text}":
        return "Every new line starts with `+`. Write `new` as the file is to be, without diff markers."
    if (
        len(added) > 1
        and all(re.match(r"^ *\d+[\t→|]", line) for line in added)
        and _unnumbered(old, in_order=True) is None
    ):
        return "The new lines start with line numbers. Write `new` as the file is to be, without them."
    if _unfenced(new) is not None and _unfenced(old) is None and "```" not in text and "~~~" not in text:
        return "`new` is wrapped in a code fence, and nothing in this file is. Write it without the fence."
    return ""


def left_out(lines: list[str], there: set[str]) -> str:
    """The first line that stands for others and is not one of `there`; empty when there is none."""
    before = ""
    for line in lines:
        bare = line.strip()
        if bare and bare not in there:
            stub = _BARE_DOTS.match(line) and not before.endswith(_MAY_BE_A_BODY)
            if stub or _DOTS.match(line) or _WORDS.match(line):
                return bare
        before = bare or before
    return ""


def has_dots(old: str) -> bool:
    """Whether `old` leaves lines out."""
    return any(map(stands_for_lines, old.split("\n")))


def stands_for_lines(line: str) -> bool:
    """`...`, `# ... existing code ...`, `// rest of the file unchanged`."""
    return any(pattern.match(line) for pattern in (_BARE_DOTS, _DOTS, _WORDS))
