"""What to say of an edit that fits nowhere: where the text almost has it, as a small diff."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from html import unescape

from omni.agents.matching import Page, fold
from omni.agents.pasted import has_dots

SHOWN = 24
"""Lines of a diff that are shown."""
_ALIKE = 0.6
"""How much of a block has to be the same for it to be named."""
_COMMON = 50
"""A line that the text has more often says nothing about where a block is."""
_CANDIDATES = 200
_COMPARED = 120
"""Lines of `old` that are compared with each candidate."""
_LETTERS = 6000
"""Characters of them."""
_WIDTH = 200


def advice(page: Page, old: str, new: str) -> str:
    """Why `old` is not there, as far as that can be told, and where something like it is."""
    return (
        " ".join(["`old` is not in the file.", *_causes(page, old)]) + _nearest(page, old) + _there_already(page, new)
    )


def _causes(page: Page, old: str) -> list[str]:
    causes = []
    if has_dots(old):
        causes.append("It leaves lines out (`...`): write them out, or use several edits.")
    if "\\n" in old and old.replace("\\n", "\n").strip() in page.text:
        causes.append("It has the two characters \\n where the file has a line end: write a real line end.")
    if unescape(old) != old and unescape(old) in page.text:
        causes.append("It is escaped as HTML (&lt; &amp;): write the characters themselves.")
    if re.match(r"^(@@ |diff --git|--- |\+\+\+ )", old):
        causes.append("It is a diff: put the lines as they are into `old`, and as they are to be into `new`.")
    if old in page.text:
        causes.append("It is only a part of longer words there: give whole words.")
    return causes


def _nearest(page: Page, old: str) -> str:
    wanted = old.strip("\n").split("\n")[:_COMPARED]
    found = _best(page, wanted)
    if found is None:
        return " Nothing in the file is like it: read the file before you edit it."
    at, alike = found
    lines = page.lines[at : at + len(wanted)]
    named = f"line {at + 1}" if len(lines) == 1 else f"lines {at + 1}-{at + len(lines)}"
    if [fold(line).split() for line in lines] == [fold(line).split() for line in wanted]:
        named += " (only white space differs)"
    diff = _diff([line.rstrip("\r") for line in lines], wanted)
    more = f"\n  … {len(diff) - SHOWN} more" if len(diff) > SHOWN else ""
    return (
        f" Did you mean {named}? ({alike:.0%} alike; `-` is the file's, `+` is yours)\n"
        + "\n".join(diff[:SHOWN])
        + more
        + "\nCopy the file's lines into `old` and try again."
    )


def _diff(theirs: list[str], mine: list[str]) -> list[str]:
    made: list[str] = []
    for kind, i, j, k, m in SequenceMatcher(None, theirs, mine, autojunk=False).get_opcodes():
        if kind == "equal":
            made += [f"  {line[:_WIDTH]}" for line in theirs[i:j]]
        else:
            made += [f"- {line[:_WIDTH]}" for line in theirs[i:j]]
            made += [f"+ {line[:_WIDTH]}" for line in mine[k:m]]
    return made


def _there_already(page: Page, new: str) -> str:
    at = page.text.find(new.strip("\n")) if len(new.strip()) > 3 else -1
    return f"\nNote: `new` is in the file at line {page.text.count(chr(10), 0, at) + 1}." if at >= 0 else ""


def _best(page: Page, wanted: list[str]) -> tuple[int, float] | None:
    """First line of the block that is most like `wanted`, and how much, 0 to 1."""
    goal = _pieces(wanted)
    best: tuple[int, float] | None = None
    for at in _candidates(page, wanted):
        matcher = SequenceMatcher(None, goal, _pieces(page.bare[at : at + len(wanted)]))
        least = max(_ALIKE, best[1] if best else 0)
        if matcher.real_quick_ratio() > least and matcher.quick_ratio() > least and (alike := matcher.ratio()) > least:
            best = at, alike
    return best


def _pieces(lines: list[str]) -> list[str]:
    """Words and signs: what a line is made of, white space aside."""
    return re.findall(r"\w+|[^\w\s]", "\n".join(lines)[:_LETTERS])


def _candidates(page: Page, wanted: list[str]) -> list[int]:
    """First lines of blocks worth a comparison: those that share whole lines, or else rare words."""
    bare = [fold(line).strip() for line in wanted]
    known = {line for line in bare if len(line) > 2}
    places: dict[str, list[int]] = {line: [] for line in known}
    for number, line in enumerate(page.bare):
        if line in known:
            places[line].append(number)
    votes: Counter[int] = Counter()
    for index, line in enumerate(bare):
        for number in places.get(line, ()) if len(places.get(line, ())) <= _COMMON else ():
            votes[max(number - index, 0)] += len(line)
    if votes:
        return [at for at, _ in votes.most_common(12)]
    return _by_words(page, bare)


def _by_words(page: Page, bare: list[str]) -> list[int]:
    index = max(range(len(bare)), key=lambda each: len(bare[each]))
    words = sorted(set(re.findall(r"\w{3,}", bare[index])), key=len, reverse=True)[:6]
    scored = Counter(
        {number: score for number, line in enumerate(page.bare) if (score := sum(word in line for word in words))}
    )
    return [max(number - index, 0) for number, _ in scored.most_common(_CANDIDATES if len(bare) < 20 else 40)]
