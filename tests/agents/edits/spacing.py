"""Edits whose white space or characters are not quite the file's. The place can be told, but for `uneven`."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import replace

from tests.agents.edits.corpus import Case
from tests.agents.edits.places import PYTHON, Place, applied, place, refused, text


def blanks_of_the_model(rng: random.Random) -> Case:
    """Blanks at the ends of lines that the file has not; the lines around the change are to stay as they are."""
    spot = place(rng)
    blank = rng.choice(("  ", "\t", " "))
    padded = {line: line + blank for line in spot.old if line in spot.new}
    return applied("trailing blanks", spot, text(tuple(padded.get(line, line) for line in spot.old)),
                   text(tuple(padded.get(line, line) for line in spot.new)))  # fmt: skip


def blanks_of_the_file(rng: random.Random) -> Case:
    """The file's lines around the change end with blanks, which the model leaves out."""
    spot = place(rng, kind=rng.choice(("change", "insert", "delete")))
    kept = set(spot.old) & set(spot.new)
    blank = rng.choice(("  ", "\t", "   "))
    pad = {line: line + blank for line in kept}
    lines = tuple(pad.get(line, line) for line in spot.lines)
    new = tuple(pad.get(line, line) for line in spot.new)
    return applied("trailing blanks", replace(spot, lines=lines, new=new), text(spot.old), text(spot.new))


def crlf_file(rng: random.Random) -> Case:
    spot = place(rng, kind=rng.choice(("change", "insert", "delete")))
    before, after = text(spot.lines, "\r\n"), text(spot.after, "\r\n")
    return applied("CRLF", spot, text(spot.old), text(spot.new), before=before, after=after)


def crlf_edit(rng: random.Random) -> Case:
    spot = place(rng, kind=rng.choice(("change", "insert")))
    return applied("CRLF", spot, text(spot.old, "\r\n"), text(spot.new, "\r\n"))


def mixed_ends(rng: random.Random) -> Case:
    """Every line keeps the end that it has."""
    spot = place(rng)
    ends = [rng.choice(("\n", "\r\n")) for _ in spot.lines]
    before = "".join(line + end for line, end in zip(spot.lines, ends, strict=True))
    after = "".join(line + end for line, end in zip(spot.after, ends, strict=True))
    return applied("CRLF", spot, text(spot.old), text(spot.new), before=before, after=after)


def further_out(rng: random.Random) -> Case:
    spot = place(rng, PYTHON, kind=rng.choice(("change", "insert", "delete")), deep=True)
    least = min(len(line) - len(line.lstrip()) for line in spot.old if line.strip())
    return applied("indentation", spot, text(tuple(line[least:] for line in spot.old)),
                   text(tuple(line[least:] for line in spot.new)))  # fmt: skip


def further_in(rng: random.Random) -> Case:
    spot = place(rng, PYTHON, kind=rng.choice(("change", "insert")), deep=True)
    by = rng.choice(("    ", "        "))
    return applied("indentation", spot, text(tuple(by + line if line else line for line in spot.old)),
                   text(tuple(by + line if line else line for line in spot.new)))  # fmt: skip


def _tabs(line: str, unit: str = "\t") -> str:
    bare = line.lstrip()
    return unit * ((len(line) - len(bare)) // 4) + bare


def _stepped(rng: random.Random) -> Place:
    """Every line of the text is indented by a number of fours."""
    while True:
        spot = place(rng, PYTHON, kind=rng.choice(("change", "insert")), deep=True)
        if all((len(line) - len(line.lstrip())) % 4 == 0 for line in spot.lines):
            return spot


def tabs_of_the_file(rng: random.Random) -> Case:
    spot = _stepped(rng)
    there = replace(spot, lines=tuple(map(_tabs, spot.lines)), new=tuple(map(_tabs, spot.new)))
    return applied("tabs", there, text(spot.old), text(spot.new))


def tabs_of_the_model(rng: random.Random) -> Case:
    spot = _stepped(rng)
    return applied("tabs", spot, text(tuple(map(_tabs, spot.old))), text(tuple(map(_tabs, spot.new))))


def steps_of_two(rng: random.Random) -> Case:
    spot = _stepped(rng)
    return applied("tabs", spot, text(tuple(_tabs(line, "  ") for line in spot.old)),
                   text(tuple(_tabs(line, "  ") for line in spot.new)))  # fmt: skip


def uneven(rng: random.Random) -> Case:
    """One line is further in than the others say: in Python, another program."""
    spot = place(rng, PYTHON, size=4, deep=True)
    odd = next(at for at in (1, 2) if spot.old[at].strip())
    wrong = tuple("    " + line if at == odd else line for at, line in enumerate(spot.old))
    return refused("indentation", spot, text(wrong), text(spot.new))


CURLY = {'"': "\u201c\u201d", "'": "\u2018\u2019"}


def curly(rng: random.Random) -> Case:
    """The file has typographic quotes or dashes where the model writes plain ones."""
    spot = place(rng, kind=rng.choice(("change", "insert")))
    if not any(set("\"'") & set(line) for line in set(spot.old) & set(spot.new)):
        return curly(rng)

    def typeset(line: str) -> str:
        made, opened = "", False
        for character in line:
            pair = CURLY.get(character, character * 2)
            made += pair[opened]
            opened ^= character in CURLY
        return made

    kept = {line: typeset(line) for line in set(spot.old) & set(spot.new)}
    there = replace(spot, lines=tuple(kept.get(line, line) for line in spot.lines),
                    new=tuple(kept.get(line, line) for line in spot.new))  # fmt: skip
    if rng.random() < 0.5:
        return applied("look-alikes", there, text(spot.old), text(spot.new))
    old, new = (text(tuple(kept.get(line, line) for line in lines)) for lines in (spot.old, spot.new))
    return applied("look-alikes", spot, old, new)


def blank_of_another_kind(rng: random.Random) -> Case:
    spot = place(rng)
    at = next((at for at, line in enumerate(spot.old) if " " in line.strip() and line in spot.new), None)
    if at is None:
        return blank_of_another_kind(rng)
    line = spot.old[at]
    strange = line[: len(line) - len(line.lstrip())] + line.lstrip().replace(" ", "\u00a0", 1)
    old, new = (text(tuple(strange if each == line else each for each in lines)) for lines in (spot.old, spot.new))
    if rng.random() < 0.5:
        return applied("look-alikes", spot, old, new)
    there = replace(spot, lines=tuple(strange if each == line else each for each in spot.lines),
                    new=tuple(strange if each == line else each for each in spot.new))  # fmt: skip
    return applied("look-alikes", there, text(spot.old), text(spot.new))


def composed(rng: random.Random) -> Case:
    """The same letters, composed in the one and decomposed in the other (NFC, NFD)."""
    spot = place(rng)
    at = next((at for at, line in enumerate(spot.old) if "e" in line and line in spot.new), None)
    if at is None:
        return composed(rng)
    line = spot.old[at]
    composed_, decomposed = line.replace("e", "é"), unicodedata.normalize("NFD", line.replace("e", "é"))
    mine, theirs = (composed_, decomposed) if rng.random() < 0.5 else (decomposed, composed_)
    there = replace(spot, lines=tuple(theirs if each == line else each for each in spot.lines),
                    new=tuple(theirs if each == line else each for each in spot.new))  # fmt: skip
    old, new = (text(tuple(mine if each == line else each for each in lines)) for lines in (spot.old, spot.new))
    return applied("look-alikes", there, old, new)
