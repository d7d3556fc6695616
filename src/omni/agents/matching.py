"""Where in a text the block is that a model means, although it wrote white space, indentation or quotes a little
differently: exactly, folded (ends of lines, look-alike characters), shifted (indentation).

An edit is the difference between `old` and `new`. Lines that both have stay as the text has them, byte for byte.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from itertools import accumulate

LOOKALIKES = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2008\u2009\u200a\u202f\u3000", " "),
        **dict.fromkeys("\u200b\ufeff\u00ad", ""),
        "\u2026": "...",
    }
)
"""Characters that models, word processors and terminals exchange for one another."""
_NO_SPACES_BETWEEN_WORDS = "\u0e00"
"""From Thai on, most scripts of Unicode write without spaces: there, every character may end a word."""
_DIFFED = 400
"""Lines of an edit that are compared one by one; a longer middle is replaced as a whole."""
MOST = 1000
"""Places that are looked for; who has more is told so."""
_SHIFTABLE = 16
"""Letters and digits that a block must have to be recognised at another indentation."""


@dataclass(frozen=True)
class Splice:
    """Put `text` in the place of what is at `start` to `end`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Page:
    """A text with what is computed from it once."""

    text: str

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def starts(self) -> list[int]:
        """Offset of each line."""
        return [0, *accumulate(len(line) + 1 for line in self.lines)][:-1]

    @cached_property
    def folded(self) -> list[str]:
        if self.text.isascii():
            return [line.rstrip() for line in self.lines]
        # All at once: a line end composes with nothing, so this is `fold` of every line.
        return [line.rstrip() for line in unicodedata.normalize("NFC", self.text.translate(LOOKALIKES)).split("\n")]

    @cached_property
    def whole(self) -> str:
        """The folded lines, always with a final line end."""
        return "\n".join(self.folded) + "\n"

    @cached_property
    def folded_starts(self) -> list[int]:
        return [0, *accumulate(len(line) + 1 for line in self.folded)][:-1]

    @cached_property
    def bare(self) -> list[str]:
        """The folded lines without indentation."""
        return [line.lstrip() for line in self.folded]

    def numbers(self, splices: Sequence[Splice]) -> tuple[int, ...]:
        """Numbers, from 1, of the lines where the splices begin, which are in order."""
        numbers, number, at = [], 1, 0
        for splice in splices:
            number, at = number + self.text.count("\n", at, splice.start), splice.start
            numbers.append(number)
        return tuple(numbers)


def fold(line: str) -> str:
    """The line as it is compared: no blanks at its end, look-alikes exchanged, composed (NFC)."""
    if not line.isascii():
        line = unicodedata.normalize("NFC", line.translate(LOOKALIKES))
    return line.rstrip()


def _offsets(line: str) -> list[int] | None:
    """Offset in `line` of every character of `fold(line)`, and of its end. None where that can't be told."""
    folded = fold(line)
    if line.isascii():
        return list(range(len(folded) + 1))
    made, offsets, at = "", [], 0
    while at < len(line):
        end = at + 1
        while end < len(line) and unicodedata.combining(line[end]):
            end += 1
        piece = unicodedata.normalize("NFC", line[at:end].translate(LOOKALIKES))
        made += piece
        offsets += [at] * len(piece)
        at = end
    return [*offsets[: len(folded)], _end(line)] if made.rstrip() == folded else None


def _end(line: str) -> int:
    while line and not fold(line[-1]):
        line = line[:-1]
    return len(line)


def cuts_a_word(text: str, start: int, end: int) -> bool:
    """Whether a word goes on beyond this stretch: `id = 5` is not what `valid = 5` has."""
    before = start > 0 and _in_word(text[start - 1]) and _in_word(text[start])
    after = end < len(text) and _in_word(text[end - 1]) and _in_word(text[end])
    return before or after or (end < len(text) and unicodedata.combining(text[end]) != 0)


def _in_word(character: str) -> bool:
    return (character.isalnum() or character == "_") and character < _NO_SPACES_BETWEEN_WORDS


def occurrences(text: str, wanted: str) -> Iterator[int]:
    """The offsets, overlapping ones too, of the first `MOST` and one more."""
    at = text.find(wanted)
    for _ in range(MOST + 1):
        if at < 0:
            return
        yield at
        at = text.find(wanted, at + 1)


def exact(page: Page, old: str, new: str) -> list[Splice]:
    """The text as it is written, as whole words."""
    text, size = page.text, len(old)
    places = [at for at in occurrences(text, old) if not cuts_a_word(text, at, at + size)]
    return [Splice(at, at + size, _ended_like(text, at, at + size, new)) for at in places]


def _ended_like(text: str, start: int, end: int, new: str) -> str:
    """New lines end as the line does where they come in (a text of mixed line ends keeps each)."""
    if "\n" not in new or "\r\n" not in text:
        return new
    close = text.find("\n", max(start, end - 1))
    return new.replace("\n", "\r\n") if close > 0 and text[close - 1] == "\r" else new


def folded(page: Page, old: str, new: str) -> list[Splice]:
    """As `exact`, but blanks at the end of lines and look-alike characters don't count."""
    wanted = "\n".join(map(fold, old.split("\n")))
    if not wanted.strip():
        return []
    found = []
    for at in occurrences(page.whole, wanted):
        if not cuts_a_word(page.whole, at, at + len(wanted)):
            splice = _folded_splice(page, at, at + len(wanted), old.split("\n"), new.split("\n"))
            if splice is None:
                return []
            found.append(splice)
    return found


def _folded_splice(page: Page, at: int, to: int, old: list[str], new: list[str]) -> Splice | None:
    first, start = _place(page, at)
    last, end = _place(page, to)
    if start is None or end is None:
        return None
    if last == len(page.lines):  # the text lacks its last line end; `old` has it
        old, new, last, end = old[:-1], (new[:-1] if new[-1] == "" else new), last - 1, len(page.lines[-1])
    lines = page.lines[first : last + 1]
    if old[-1].strip() and not lines[-1][end:].strip():
        end = len(lines[-1])  # blanks and a carriage return at its end belong to a line
    pieces = [lines[0][start:], *lines[1:-1], lines[-1][:end]] if len(lines) > 1 else [lines[0][start:end]]
    text = "\n".join(merge(old, pieces, new, lambda indent: indent))
    return Splice(page.starts[first] + start, page.starts[last] + end, text)


def _place(page: Page, offset: int) -> tuple[int, int | None]:
    """Line and column in the text of an offset in `page.whole`."""
    line = bisect_right(page.folded_starts, offset) - 1
    column = offset - page.folded_starts[line]
    if column > len(page.folded[line]):
        return line + 1, 0
    offsets = _offsets(page.lines[line]) if column else [0]
    return line, None if offsets is None else offsets[column]


Indent = Callable[[str], str]
"""Indentation that a model wrote → the one that the text has there. Raises KeyError where that can't be told."""


def shifted(page: Page, old: str, new: str) -> list[Splice]:
    """Whole lines, all of them further in or out than `old`, or indented by another unit.

    Raises KeyError when a line of `new` has an indentation whose counterpart can't be told.
    """
    old_lines, ended = _whole_lines(old)
    new_lines, new_ended = _whole_lines(new)
    wanted = [fold(line).lstrip() for line in old_lines]
    if sum(map(str.isalnum, "".join(wanted))) < _SHIFTABLE:
        return []
    sought = set(wanted)
    common = Counter(line for line in page.bare if line in sought)
    anchor = min(range(len(wanted)), key=lambda index: common[wanted[index]])
    found = []
    for at in (index - anchor for index, line in enumerate(page.bare) if line == wanted[anchor]):
        if at >= 0 and page.bare[at : at + len(wanted)] == wanted:
            lines = page.lines[at : at + len(wanted)]
            indent = _rule(old_lines, lines)
            if indent is not None:
                start, end = page.starts[at], page.starts[at + len(wanted) - 1] + len(lines[-1])
                text = "\n".join(merge(old_lines, lines, new_lines, indent))
                found.append(Splice(start, end, text + ("\n" if new_ended and not ended else "")))
                if len(found) > MOST:
                    break
    return found


def _whole_lines(text: str) -> tuple[list[str], bool]:
    """The lines, and whether the last one had its end."""
    return (text[:-1].split("\n"), True) if text.endswith("\n") else (text.split("\n"), False)


def _rule(old: Sequence[str], lines: Sequence[str]) -> Indent | None:
    """How the indentation of `old` becomes that of the text; None when no single rule does that for all lines."""
    pairs: dict[str, str] = {}
    for mine, theirs in zip(old, lines, strict=True):
        if mine.strip() and pairs.setdefault(_indent(mine), _indent(theirs)) != _indent(theirs):
            return None
    return _further_in(pairs) or _further_out(pairs) or _other_unit(pairs)


def _further_in(pairs: dict[str, str]) -> Indent | None:
    """The same stretch before every line."""
    here, there = next(iter(pairs.items()))
    more = there.removesuffix(here)
    if any(more + mine != theirs for mine, theirs in pairs.items()):
        return None
    return _told(pairs, more, lambda written: more + written)


def _further_out(pairs: dict[str, str]) -> Indent | None:
    """The same stretch taken from every line."""
    here, there = next(iter(pairs.items()))
    less = here.removesuffix(there)
    if any(less + theirs != mine for mine, theirs in pairs.items()):
        return None

    def indent(written: str) -> str:
        if not written.startswith(less):
            raise KeyError(written)
        return written.removeprefix(less)

    return _told(pairs, less, indent)


def _told(pairs: dict[str, str], by: str, indent: Indent) -> Indent:
    """The rule, where it is the only one that the lines allow: two for four spaces may be a step or another unit."""
    sure = len(pairs) > 1 or not all(next(iter(pairs.items()))) or by.count("\t") == len(by) or len(by) % 4 == 0

    def careful(written: str) -> str:
        if written in pairs:
            return pairs[written]
        if not sure:
            raise KeyError(written)
        return indent(written)

    return careful


def _other_unit(pairs: dict[str, str]) -> Indent | None:
    """Tabs for spaces, or steps of another width. Only indentations that `old` shows too can be told."""
    ours = sorted(pairs, key=len)
    if any(set(indent) - {" "} and set(indent) - {"\t"} for indent in (*ours, *pairs.values())):
        return None
    theirs = [pairs[indent] for indent in ours]
    if len(set(theirs)) != len(ours) or sorted(theirs, key=len) != theirs:
        return None
    units = {
        (mine, step)
        for mine in ("\t", *(" " * width for width in (2, 3, 4, 8)))
        for step in ("\t", *(" " * width for width in (2, 3, 4, 8)))
        if all(
            _levels(here, mine) is not None and there == step * (_levels(here, mine) or 0)
            for here, there in pairs.items()
        )
    }

    def indent(written: str) -> str:
        if written in pairs:
            return pairs[written]
        told = {None if (levels := _levels(written, mine)) is None else step * levels for mine, step in units}
        answer = told.pop()
        if told or answer is None:
            raise KeyError(written)
        return answer

    return indent if units else None


def _levels(indent: str, unit: str) -> int | None:
    count, rest = divmod(len(indent), len(unit))
    return count if not rest and unit * count == indent else None


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def merge(old: list[str], lines: list[str], new: list[str], indent: Indent) -> list[str]:
    """What becomes of `lines`, which `old` means, when `old` becomes `new`."""
    made: list[str] = []
    for kind, i, j, k, m in _opcodes(old, new):
        if kind == "equal":
            made += lines[i:j]
        elif kind == "replace" and j - i == m - k:
            made += [_blend(*three, indent) for three in zip(old[i:j], lines[i:j], new[k:m], strict=True)]
        else:
            feed = "\r" if lines[max(i - 1, 0)].endswith("\r") else ""
            made += [_indented(line, indent) + feed for line in new[k:m]]
    if made:
        made[-1] = made[-1].removesuffix("\r") + ("\r" if lines[-1].endswith("\r") else "")
    return made


def _opcodes(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    left, right = old[head : len(old) - tail], new[head : len(new) - tail]
    middle: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(left), 0, len(right))]
    if len(left) + len(right) <= _DIFFED:
        middle = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    shifted_by = [(kind, i + head, j + head, k + head, m + head) for kind, i, j, k, m in middle]
    end = ("equal", len(old) - tail, len(old), len(new) - tail, len(new))
    return [("equal", 0, head, 0, head), *shifted_by, end]


def _indented(line: str, indent: Indent) -> str:
    return indent(_indent(line)) + line.lstrip() if line.strip() else line


def _blend(old: str, line: str, new: str, indent: Indent) -> str:
    """The line with what changed from `old` to `new`; the rest of it as it is, but for blanks at its end."""
    feed = "\r" if line.endswith("\r") else ""
    before, body, after = old.strip(), line.strip(), (new.strip() if old != old.rstrip() else new.lstrip())
    front = indent(_indent(new)) if _indent(new) != _indent(old) else _indent(line)
    theirs, mine = _offsets(body), _offsets(before)
    if not after.strip():
        return new.strip() + feed
    if theirs is None or mine is None or len(theirs) != len(mine):
        return front + after + feed
    head, tail = _common(before, after, frozenset(mine))
    middle = after[head : len(after) - tail]
    start, end = mine.index(head), mine.index(len(before) - tail)
    return front + body[: theirs[start]] + middle + body[theirs[end] :] + feed


def _common(before: str, after: str, edges: Set[int]) -> tuple[int, int]:
    """Lengths of what both begin and end with; `before` is cut only at `edges`, which are between letters."""
    most = min(len(before), len(after))
    head = 0
    while head < most and before[head] == after[head]:
        head += 1
    while head and (head not in edges or unicodedata.combining((after[head:] or " ")[0])):
        head -= 1
    tail = 0
    while tail < most - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    while tail and len(before) - tail not in edges:
        tail -= 1
    return head, tail
