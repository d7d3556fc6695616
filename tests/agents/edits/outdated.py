"""Edits of a text that has changed since, of duplicates, of moved code; several blocks in one call."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from tests.agents.edits.corpus import Block, Case, Status
from tests.agents.edits.places import PYTHON, Place, applied, other, place, refused, text


def stale_word(rng: random.Random) -> Case:
    """A word that the file no longer has so."""
    spot = place(rng)
    at = rng.choice([at for at, line in enumerate(spot.old) if re.search(r"[A-Za-z_]{4,}", line)])
    wrong = other(rng, spot.old[at], frozenset(line.strip() for line in spot.lines))
    old = tuple(wrong if place_ == at else line for place_, line in enumerate(spot.old))
    return refused("near match", spot, text(old), text(spot.new))


def missing_line(rng: random.Random) -> Case:
    spot = place(rng, size=5)
    inner = [at for at in (1, 2, 3) if at != spot.changed and spot.old[at].strip()]
    if not inner:
        return missing_line(rng)
    gone = rng.choice(inner)
    old = tuple(line for at, line in enumerate(spot.old) if at != gone)
    new = tuple(line for at, line in enumerate(spot.new) if at != gone)
    return refused("near match", spot, text(old), text(new))


def extra_line(rng: random.Random) -> Case:
    spot = place(rng)
    extra = other(rng, spot.old[spot.changed], frozenset(line.strip() for line in spot.lines))
    old = (*spot.old[: spot.changed + 1], extra, *spot.old[spot.changed + 1 :])
    return refused("near match", spot, text(old), text(spot.new))


def inner_blanks(rng: random.Random) -> Case:
    """White space within a line may mean something (a string, Markdown, alignment)."""
    spot = place(rng)
    at = next((at for at, line in enumerate(spot.old) if re.search(r"\S \S", line)), None)
    if at is None:
        return inner_blanks(rng)
    wrong = re.sub(r"(\S) (\S)", r"\1  \2", spot.old[at], count=1)
    old = tuple(wrong if place_ == at else line for place_, line in enumerate(spot.old))
    return refused("near match", spot, text(old), text(spot.new))


def another_case(rng: random.Random) -> Case:
    spot = place(rng)
    wrong = spot.old[spot.changed].swapcase()
    old = tuple(wrong if at == spot.changed else line for at, line in enumerate(spot.old))
    return refused("near match", spot, text(old), text(spot.new))


def _twice(rng: random.Random, copies: int = 2) -> Place:
    """The block is there several times; the one that is meant is the first."""
    spot = place(rng)
    gap = tuple(f"# part {number}" for number in range(copies - 1))
    lines = list(spot.lines[: spot.end])
    for mark in gap:
        lines += [mark, *spot.old]
    return replace(spot, lines=(*lines, *spot.lines[spot.end :]))


def duplicate(rng: random.Random) -> Case:
    spot = _twice(rng, rng.choice((2, 3)))
    return refused("duplicates", spot, text(spot.old), text(spot.new))


def duplicate_with_blanks(rng: random.Random) -> Case:
    """Twice there, and neither as the model wrote it."""
    spot = _twice(rng)
    old = text(tuple(f"{line}  " for line in spot.old))
    return refused("duplicates", spot, old, text(spot.new))


def duplicate_at_other_depths(rng: random.Random) -> Case:
    """Twice there, at two indentations, neither of them the model's."""
    spot = place(rng, PYTHON, deep=True)
    deeper = tuple(f"    {line}" if line else line for line in spot.old)
    there = replace(spot, lines=(*spot.lines[: spot.end], "# again", *deeper, *spot.lines[spot.end :]))
    least = min(len(line) - len(line.lstrip()) for line in spot.old if line.strip())
    old, new = (text(tuple(line[least:] for line in lines)) for lines in (spot.old, spot.new))
    return refused("duplicates", there, old, new)


def every_duplicate(rng: random.Random) -> Case:
    copies = rng.choice((2, 3, 4))
    spot = _twice(rng, copies)
    before = text(spot.lines)
    old, new = text(spot.old), text(spot.new)
    return Case("", "duplicates", before, (Block(old, new, copies),), before.replace(old, new), ("applied",))


def wrong_number(rng: random.Random) -> Case:
    spot = _twice(rng, 3)
    return refused("wrong count", spot, text(spot.old), text(spot.new), rng.choice((2, 4)))


def duplicate_with_context(rng: random.Random) -> Case:
    """Enough lines around say which one is meant."""
    spot = _twice(rng)
    if rng.random() < 0.5:
        before = spot.lines[spot.start - 1]
        if not before.strip() or spot.lines[spot.start - 1 : spot.end].count(before) != 1:
            return duplicate_with_context(rng)
        return applied("duplicates", spot, text((before, *spot.old)), text((before, *spot.new)))
    mark = spot.lines[spot.end]
    return applied("duplicates", spot, text((*spot.old, mark)), text((*spot.new, mark)))


def moved(rng: random.Random) -> Case:
    """The block is elsewhere than when the model read it."""
    spot = place(rng)
    rest = (*spot.lines[: spot.start], *spot.lines[spot.end :])
    at = rng.randint(0, len(rest))
    there = Place((*rest[:at], *spot.old, *rest[at:]), at, at + len(spot.old), spot.new, spot.changed)
    if text(there.lines).count(text(spot.old)) != 1:
        return moved(rng)
    return applied("moved code", there, text(spot.old), text(spot.new))


def moved_deeper(rng: random.Random) -> Case:
    """Meanwhile it stands in a class, four blanks further in."""
    spot = place(rng, PYTHON, kind=rng.choice(("change", "insert")), deep=True)

    def deeper(lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"    {line}" if line else line for line in lines)

    there = replace(spot, lines=deeper(spot.lines), new=deeper(spot.new))
    return applied("moved code", there, text(spot.old), text(spot.new))


def swapped(rng: random.Random) -> Case:
    """Two lines have changed places since."""
    spot = place(rng, size=4)
    old = (spot.old[0], spot.old[2], spot.old[1], spot.old[3])
    if len(set(spot.old)) != 4 or not (spot.old[1].strip() and spot.old[2].strip()):
        return swapped(rng)
    return refused("moved code", spot, text(old), text(spot.new))


def partial(rng: random.Random) -> Case:
    """Several blocks, some of which are not there: the others are applied."""
    spot = place(rng, size=3)
    lines, after = list(spot.lines), list(spot.after)
    second = rng.choice([*range(spot.start - 1), *range(spot.end + 1, len(lines))])
    line = lines[second]
    wordy = all(re.search(r"[A-Za-z_]{4,}", each) for each in (line, lines[spot.start]))
    if not wordy or lines.count(line) != 1 or text(spot.lines).count(line) != 1:
        return partial(rng)
    taken = frozenset(each.strip() for each in (*lines, *after))
    made, stale = other(rng, line, taken), other(rng, lines[spot.start], taken)
    after[after.index(line)] = made
    good: list[tuple[Block, Status]] = [
        (Block(text(spot.old), text(spot.new)), "applied"),
        (Block(f"{line}\n", f"{made}\n"), "applied"),
    ]
    bad: tuple[Block, Status] = (Block(f"{stale}\n{line}\n", f"{stale}\n{made}\n"), "refused")
    blocks = [*good, bad]
    rng.shuffle(blocks)
    return Case("", "partial blocks", text(spot.lines), tuple(block for block, _ in blocks), text(tuple(after)),
                tuple(status for _, status in blocks))  # fmt: skip


def chain(rng: random.Random) -> Case:
    """The second block changes what the first one made."""
    spot = place(rng)
    taken = frozenset(line.strip() for line in (*spot.lines, *spot.after))
    made = spot.new[spot.changed]
    last = other(rng, made, taken)
    after = text(spot.after).replace(f"{made}\n", f"{last}\n")
    blocks = (Block(text(spot.old), text(spot.new)), Block(f"{made}\n", f"{last}\n"))
    if text(spot.after).count(f"{made}\n") != 1:
        return chain(rng)
    return Case("", "several edits", text(spot.lines), blocks, after, ("applied", "applied"))


def shared_lines(rng: random.Random) -> Case:
    """Both blocks show the same line between what they change."""
    spot = place(rng, size=3)
    first, shared, last = spot.old
    taken = frozenset(line.strip() for line in spot.lines)
    if not all(re.search(r"[A-Za-z_]{4,}", line) for line in (first, last)) or not shared.strip():
        return shared_lines(rng)
    before = text(spot.lines)
    old = (f"{first}\n{shared}\n", f"{shared}\n{last}\n")
    if any(before.count(each) != 1 for each in old):
        return shared_lines(rng)
    new_first, new_last = other(rng, first, taken), other(rng, last, taken)
    there = replace(spot, new=(new_first, shared, new_last))
    blocks = (Block(old[0], f"{new_first}\n{shared}\n"), Block(old[1], f"{shared}\n{new_last}\n"))
    return Case("", "several edits", before, blocks, text(there.after), ("applied", "applied"))


def elsewhere(rng: random.Random) -> Case:
    """The block is of another file."""
    spot, alien = place(rng, ("client.ts.txt", "model.ts.txt")), place(rng, PYTHON)
    return refused("another file", spot, text(alien.old), text(alien.new))
