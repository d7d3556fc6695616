"""Edits with something pasted around, left out or escaped; edits made before; the ends of a file."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from tests.agents.edits.corpus import Block, Case
from tests.agents.edits.places import WORDS, applied, other, place, refused, text


def dots_in_old(rng: random.Random) -> Case:
    spot = place(rng, size=6)
    dots = rng.choice(("...", "    # ... existing code ...", "// ... rest of the code ..."))
    return refused("ellipses", spot, text((spot.old[0], dots, spot.old[-1])), text(spot.new))


def dots_in_both(rng: random.Random) -> Case:
    """The same lines are left out of both: what is written is there once, and in this order."""
    spot = place(rng, size=6)
    first, last = spot.old[0], spot.old[-1]
    if not (0 < spot.changed < 5) or any(spot.lines.count(line) != 1 for line in (first, last)):
        return dots_in_both(rng)
    taken = frozenset(line.strip() for line in spot.lines)
    if not all(re.search(r"[A-Za-z_]{4,}", line) for line in (first, last)):
        return dots_in_both(rng)
    new_first, new_last = other(rng, first, taken), other(rng, last, taken)
    there = replace(spot, new=(new_first, *spot.old[1:-1], new_last))
    return applied("ellipses", there, text((first, "...", last)), text((new_first, "...", new_last)))


WRITTEN_DOTS = (
    "# ... existing code ...",
    "// ... rest of the code unchanged ...",
    "/* ... */",
    "# rest of the code unchanged",
)


def dots_in_new(rng: random.Random) -> Case:
    """Written as it is, it would lose the lines that the dots stand for."""
    spot = place(rng, size=5)
    dots = rng.choice(
        (
            "# ... existing code ...",
            "// ... rest of the code unchanged ...",
            "/* ... */",
            "# rest of the code unchanged",
        )
    )
    return refused("ellipses", spot, text(spot.old), text((spot.new[0], dots, spot.new[-1])))


NUMBERED = ("{0}\t{1}", "{0:>6}\t{1}", "{0}: {1}", "{0:>4} | {1}", "{0:>5}→{1}")


def numbers(rng: random.Random) -> Case:
    spot = place(rng)
    form = rng.choice(NUMBERED)
    old = tuple(form.format(spot.start + at, line) for at, line in enumerate(spot.old, 1))
    new = tuple(form.format(spot.start + at, line) for at, line in enumerate(spot.new, 1))
    return applied("line numbers", spot, text(old), text(new if rng.random() < 0.6 else spot.new))


def some_numbers(rng: random.Random) -> Case:
    spot = place(rng)
    half = len(spot.old) // 2
    old = tuple(f"{spot.start + at}\t{line}" if at > half else line for at, line in enumerate(spot.old, 1))
    return refused("line numbers", spot, text(old), text(spot.new))


def numbers_in_new(rng: random.Random) -> Case:
    spot = place(rng)
    new = tuple(f"{spot.start + at:>6}\t{line}" for at, line in enumerate(spot.new, 1))
    return refused("line numbers", spot, text(spot.old), text(new))


def markers(rng: random.Random) -> Case:
    spot = place(rng, kind=rng.choice(("change", "insert")))
    if not any(line not in spot.new for line in spot.old):
        old = tuple(f"-{line}" for line in spot.old)
        new = tuple(f"+{line}" for line in spot.new)
    else:
        old = tuple(f"{' ' if line in spot.new else '-'}{line}" for line in spot.old)
        new = tuple(f"{' ' if line in spot.old else '+'}{line}" for line in spot.new)
    return applied("diff markers", spot, text(old), text(new))


def hunk(rng: random.Random) -> Case:
    spot = place(rng)
    head = f"@@ -{spot.start + 1},{len(spot.old)} +{spot.start + 1},{len(spot.new)} @@"
    return refused("diff markers", spot, text((head, *(f"-{line}" for line in spot.old))), text(spot.new))


def plus_in_new(rng: random.Random) -> Case:
    spot = place(rng, kind="insert")
    new = tuple(line if line in spot.old else f"+{line}" for line in spot.new)
    return refused("diff markers", spot, text(spot.old), text(new))


def fences(rng: random.Random) -> Case:
    spot = place(rng)
    if any("```" in line for line in spot.lines):
        return fences(rng)
    fence = rng.choice(("```", "```python", "```ts"))
    return applied("pasted around", spot, text((fence, *spot.old, "```")), text((fence, *spot.new, "```")))


def blank_lines_around(rng: random.Random) -> Case:
    spot = place(rng)
    if not spot.lines[spot.start - 1] or not spot.lines[spot.end]:
        return blank_lines_around(rng)
    return applied("pasted around", spot, f"\n{text(spot.old)}\n", f"\n{text(spot.new)}\n")


def already(rng: random.Random) -> Case:
    spot = place(rng, kind=rng.choice(("change", "insert")))
    after = text(spot.after)
    return Case("", "already applied", after, (Block(text(spot.old), text(spot.new)),), after, ("already",))


def part_of_a_word(rng: random.Random) -> Case:
    """Meanwhile the name is a part of longer names only."""
    spot = place(rng)
    line = spot.old[spot.changed]
    names = re.findall(r"[a-z_]{5,}", line)
    if not names:
        return part_of_a_word(rng)
    name = rng.choice(names)
    lines = tuple(re.sub(rf"(?<![A-Za-z_]){name}(?![A-Za-z_])", f"re{name}", each) for each in spot.lines)
    if any(re.search(rf"(?<![A-Za-z_]){name}(?![A-Za-z_])", each) for each in lines) or lines == spot.lines:
        return part_of_a_word(rng)
    return refused("part of a word", replace(spot, lines=lines), name, f"{name}_{rng.choice(WORDS)}")


def escaped(rng: random.Random) -> Case:
    r"""Escaped once too often: `\n` in place of line ends."""
    spot = place(rng)
    return refused("escaped", spot, text(spot.old).replace("\n", "\\n"), text(spot.new).replace("\n", "\\n"))


def as_html(rng: random.Random) -> Case:
    spot = place(rng)
    if not any(set('<>&"') & set(line) for line in spot.old):
        return as_html(rng)
    return refused("escaped", spot, _html(text(spot.old)), _html(text(spot.new)))


def _html(plain: str) -> str:
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def no_last_end(rng: random.Random) -> Case:
    """The file does not end with a line end, and goes on so."""
    spot = place(rng)
    lines = spot.lines[: spot.end]
    ends = rng.random() < 0.5
    before = text(lines)[:-1]
    after = text((*lines[: spot.start], *spot.new))[:-1]
    old, new = text(spot.old), text(spot.new)
    return Case(
        "", "last line end", before, (Block(old if ends else old[:-1], new if ends else new[:-1]),), after, ("applied",)
    )


def byte_order_mark(rng: random.Random) -> Case:
    spot = place(rng)
    lines = spot.lines[spot.start :]
    before, after = "\ufeff" + text(lines), "\ufeff" + text((*spot.new, *spot.lines[spot.end :]))
    if text(lines).count(text(spot.old)) != 1:
        return byte_order_mark(rng)
    return applied("byte order mark", spot, text(spot.old), text(spot.new), before=before, after=after)
