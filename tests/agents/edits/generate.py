"""Makes `generated.jsonl`: real edits of Omni's own texts, each written down as models write them.

Every case starts from an edit that is known by its place. What must come of it is computed from that place. Only then
is the edit written wrongly, in one way that was seen of models; the way says whether the place can still be told
(applied) or not (refused). Omni's own matching is not asked.

.venv/bin/python tests/agents/edits/generate.py
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.agents.edits import outdated, pasted, spacing
from tests.agents.edits.corpus import FOLDER, Block, Case, dumped
from tests.agents.edits.places import Maker, applied, place, text


def exact(rng: random.Random) -> Case:
    spot = place(rng)
    return applied("exact", spot, text(spot.old), text(spot.new))


def exact_without_end(rng: random.Random) -> Case:
    spot = place(rng, kind=rng.choice(("change", "insert")))
    return applied("exact", spot, text(spot.old)[:-1], text(spot.new)[:-1])


def insertion(rng: random.Random) -> Case:
    spot = place(rng, kind="insert")
    return applied("insertion", spot, text(spot.old), text(spot.new))


def deletion(rng: random.Random) -> Case:
    spot = place(rng, kind="delete")
    return applied("deletion", spot, text(spot.old), text(spot.new))


def deletion_of_all(rng: random.Random) -> Case:
    spot = place(rng)
    return applied("deletion", replace(spot, new=()), text(spot.old), "")


def fragment(rng: random.Random) -> Case:
    """A part of one line."""
    spot = place(rng)
    line, made = spot.old[spot.changed], spot.new[spot.changed]
    start = next(at for at in range(len(line)) if line[at] != made[at])
    word = re.match(r"\w+", line[start:]) or re.match(r"\W*", line[start:])
    assert word
    left = line[:start].rfind(" ") + 1
    old, new = line[left : start + word.end()], made[left : len(made) - len(line) + start + word.end()]
    if text(spot.lines).count(old) != 1 or not re.match(r"\W|$", line[start + word.end() :]):
        return fragment(rng)
    block = Block(old, new, fragment=True)
    return Case("", "part of a line", text(spot.lines), (block,), text(spot.after), ("applied",))


def huge(rng: random.Random) -> Case:
    """About 20 MB around a text of ours."""
    make = rng.choice(
        (
            exact,
            insertion,
            spacing.blanks_of_the_file,
            spacing.further_out,
            outdated.stale_word,
            outdated.duplicate,
            pasted.numbers,
            outdated.missing_line,
        )
    )
    before = rng.randint(50_000, 250_000)
    return replace(make(rng), category="huge file", lines_before=before, lines_after=300_000 - before)


PLAN: tuple[tuple[Maker, int], ...] = (
    (exact, 14),
    (exact_without_end, 8),
    (insertion, 10),
    (deletion, 8),
    (deletion_of_all, 6),
    (fragment, 12),
    (spacing.blanks_of_the_model, 10),
    (spacing.blanks_of_the_file, 12),
    (spacing.crlf_file, 14),
    (spacing.crlf_edit, 6),
    (spacing.mixed_ends, 8),
    (spacing.further_out, 12),
    (spacing.further_in, 8),
    (spacing.tabs_of_the_file, 8),
    (spacing.tabs_of_the_model, 6),
    (spacing.steps_of_two, 6),
    (spacing.uneven, 8),
    (spacing.curly, 10),
    (spacing.blank_of_another_kind, 6),
    (spacing.composed, 8),
    (outdated.stale_word, 18),
    (outdated.missing_line, 8),
    (outdated.extra_line, 6),
    (outdated.inner_blanks, 8),
    (outdated.another_case, 4),
    (outdated.duplicate, 10),
    (outdated.duplicate_with_blanks, 5),
    (outdated.duplicate_at_other_depths, 5),
    (outdated.every_duplicate, 8),
    (outdated.wrong_number, 5),
    (outdated.duplicate_with_context, 8),
    (outdated.moved, 8),
    (outdated.moved_deeper, 6),
    (outdated.swapped, 6),
    (outdated.partial, 16),
    (pasted.dots_in_old, 6),
    (pasted.dots_in_both, 8),
    (pasted.dots_in_new, 8),
    (pasted.numbers, 10),
    (pasted.some_numbers, 4),
    (pasted.numbers_in_new, 4),
    (pasted.markers, 8),
    (pasted.hunk, 4),
    (pasted.plus_in_new, 4),
    (pasted.fences, 6),
    (pasted.blank_lines_around, 6),
    (pasted.already, 10),
    (pasted.part_of_a_word, 6),
    (pasted.escaped, 5),
    (pasted.as_html, 4),
    (pasted.no_last_end, 8),
    (pasted.byte_order_mark, 5),
    (outdated.chain, 6),
    (outdated.shared_lines, 6),
    (outdated.elsewhere, 6),
    (huge, 8),
)


def cases() -> Iterator[Case]:
    """Always the same."""
    for make, count in PLAN:
        rng = random.Random(make.__name__)
        for number in range(1, count + 1):
            yield replace(make(rng), id=f"{make.__name__}-{number}")


if __name__ == "__main__":
    (FOLDER / "generated.jsonl").write_text(dumped(cases()), "utf-8")
