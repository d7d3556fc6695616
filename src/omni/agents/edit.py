"""Edits as models write them: text in, text out. An edit is applied where it must be meant, or refused with help.

It looks for `old` as it is written; then without regard to blanks at the end of lines and look-alike characters; then
at another indentation; then without what models paste around a text. The first of these that finds anything decides:
found as often as `times` says, it is applied; found more often, it is refused. It is never applied somewhere near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from omni.agents.matching import MOST, Page, Splice, cuts_a_word, exact, fold, folded, occurrences, shifted
from omni.agents.near import advice
from omni.agents.pasted import stands_for_lines, suspicious, without
from omni.models.wire import Model

BOM = "\ufeff"
_TELLING = 8
"""Letters and digits that `new` must have for its presence to say that an edit was made before."""


class Edit(Model):
    """`new` in the place of `old`."""

    model_config = ConfigDict(use_attribute_docstrings=True)  # a model is told them too

    old: str
    """Text of the file, with enough lines around the change that it is there just once."""
    new: str
    """What is to be there instead; empty: nothing."""
    times: Annotated[int, Field(ge=1, le=MOST)] = 1
    """How many places have `old` and are all to be changed."""


class Outcome(Model):
    """What became of one edit."""

    status: Literal["applied", "already", "refused"]
    lines: tuple[int, ...] = ()
    """First lines, from 1: of the places in the text before (applied), or where `new` was found (already)."""
    how: str = ""
    """What did not count when `old` was looked for; empty: it was there as it is written."""
    why: str = ""
    """Of a refusal: what is wrong and what to do."""


class Edited(Model):
    """`text` has every edit that was applied; `outcomes` are in the order of the edits."""

    text: str
    outcomes: tuple[Outcome, ...]

    @property
    def ok(self) -> bool:
        return all(outcome.status != "refused" for outcome in self.outcomes)


@dataclass(frozen=True)
class _Found:
    splices: tuple[Splice, ...]
    how: str


class _No(Exception):  # noqa: N818 - an answer
    def __init__(self, outcome: Outcome, *, later: bool = False) -> None:
        super().__init__(outcome.why)
        self.outcome = outcome
        self.later = later
        """Another edit may bring about what this one looks for."""


def apply(text: str, edits: Sequence[Edit]) -> Edited:
    """Apply edits to a text whose line ends, byte order mark and last line end stay as they are.

    All are looked for in the text as it was, so that their order does not matter and none sees another's work. One
    that is not there, or that shares lines with another, is looked for in what the others made.
    """
    mark = BOM if text.startswith(BOM) else ""
    body = text.removeprefix(BOM)
    uniform = body.count("\r\n") == body.count("\n") > 0
    if uniform:
        body = body.replace("\r\n", "\n")
    page = Page(body)
    outcomes: dict[int, Outcome] = {}
    taken: list[Splice] = []
    waiting: list[int] = []
    plain = [_plain(edit) for edit in edits]
    for number, edit in enumerate(plain):
        try:
            found = _find(page, edit)
        except _No as answer:
            if answer.later and len(edits) > 1:
                waiting.append(number)
            outcomes[number] = answer.outcome
            continue
        if any(_touch(one, other) for one in found.splices for other in taken):
            waiting.append(number)
            continue
        taken += found.splices
        outcomes[number] = _applied(page, found)
    body = _spliced(body, taken)
    for number in waiting:
        body, outcomes[number] = _alone(Page(body), plain[number])
    whole = mark + (body.replace("\n", "\r\n") if uniform else body)
    return Edited(text=whole, outcomes=tuple(outcomes[number] for number in range(len(edits))))


def _alone(page: Page, edit: Edit) -> tuple[str, Outcome]:
    try:
        found = _find(page, edit)
    except _No as answer:
        return page.text, answer.outcome
    return _spliced(page.text, found.splices), _applied(page, found)


def _applied(page: Page, found: _Found) -> Outcome:
    return Outcome(status="applied", lines=page.numbers(found.splices), how=found.how)


def _plain(edit: Edit) -> Edit:
    return Edit(old=edit.old.replace("\r\n", "\n"), new=edit.new.replace("\r\n", "\n"), times=edit.times)


def _spliced(text: str, splices: Sequence[Splice]) -> str:
    pieces, at = [], 0
    for splice in sorted(splices, key=lambda each: each.start):
        pieces += [text[at : splice.start], splice.text]
        at = splice.end
    return "".join([*pieces, text[at:]])


def _touch(one: Splice, other: Splice) -> bool:
    return one.start <= other.end and other.start <= one.end


def _find(page: Page, edit: Edit) -> _Found:
    """Where and how the edit applies. Raises `_No`."""
    if not page.text and not edit.old:
        return _Found((Splice(0, 0, edit.new),), "")
    if why := _senseless(edit):
        raise _No(Outcome(status="refused", why=why))
    for old, new, aside in ((edit.old, edit.new, ""), *without(edit.old, edit.new)):
        if found := _search(page, old, new, aside):
            if why := suspicious(page.text, old, new):
                raise _No(Outcome(status="refused", why=why))
            return _checked(page, Edit(old=old, new=new, times=edit.times), found)
    if found := _in_parts(page, edit):
        return found
    raise _No(_absent(page, edit), later=True)


def _senseless(edit: Edit) -> str:
    if not edit.old:
        return "`old` is empty. Give the text that is to be replaced; `write` makes a new file."
    if edit.old == edit.new:
        return "`old` and `new` are the same: there is nothing to do."
    return ""


def _search(page: Page, old: str, new: str, aside: str) -> _Found | None:
    """The places that the first way of looking finds which finds any."""
    for search, how in _WAYS:
        try:
            splices = search(page, old, new)
        except KeyError as problem:
            why = (
                "`old` is there with another indentation, and how far in some lines of `new` belong can't be told from "
                "that. Copy the file's lines into `old`, and indent `new` as the file is."
            )
            raise _No(Outcome(status="refused", why=why)) from problem
        if splices:
            return _Found(tuple(splices), ", ".join(filter(None, (aside, how))))
    return None


_WAYS = ((exact, ""), (folded, "blanks at line ends, look-alike characters"), (shifted, "indentation"))


def _checked(page: Page, edit: Edit, found: _Found) -> _Found:
    """The places, when they are as many as were to be and nothing speaks against the edit. Raises `_No`."""
    text, splices = page.text, found.splices
    lines = page.numbers(splices)
    if all(_made(text, edit, splice) for splice in splices):
        raise _No(Outcome(status="already", lines=lines, how=found.how), later=False)
    if len(splices) != edit.times:
        raise _No(Outcome(status="refused", why=_wrong_number(lines, edit.times, found.how)))
    if edit.old.endswith("\n") and edit.new and not edit.new.endswith("\n"):
        if any(splice.end < len(text) for splice in splices):
            why = (
                "`old` ends with a line end and `new` does not, which would join two lines. End both alike; "
                "to join lines, have both of them in `old`."
            )
            raise _No(Outcome(status="refused", why=why))
        splices = tuple(replace(each, text=_ended(text, each.text)) for each in splices)
    if not edit.new:
        splices = tuple(_whole_line(text, splice) for splice in splices)
    return replace(found, splices=splices)


def _made(text: str, edit: Edit, splice: Splice) -> bool:
    """Whether the place is already as the edit would have it: it changes nothing, or `new` is there around it."""
    if text[splice.start : splice.end] == splice.text:
        return True
    reach = range(max(0, splice.end - len(edit.new)), splice.start + 1)
    return edit.old in edit.new and any(
        text.startswith(edit.new, at)
        for offset in occurrences(edit.new, edit.old)
        if (at := splice.start - offset) in reach
    )


def _ended(text: str, new: str) -> str:
    return new if new.endswith("\n") or not text.endswith("\n") else f"{new}\n"


def _whole_line(text: str, splice: Splice) -> Splice:
    """Lines of which nothing is left go with their ends."""
    start = text.rfind("\n", 0, splice.start) + 1
    end = text.find("\n", max(splice.end - 1, splice.start))
    end = len(text) if end < 0 else end
    if (
        text[splice.end - 1 : splice.end] == "\n"
        or text[start : splice.start].strip()
        or text[splice.end : end].strip()
    ):
        return splice
    return Splice(start - 1, end, "") if end == len(text) and start else Splice(start, min(end + 1, len(text)), "")


def _wrong_number(lines: tuple[int, ...], times: int, how: str) -> str:
    named = ", ".join(map(str, lines[:12])) + (", …" if len(lines) > 12 else "")
    aside = f" (leaving aside {how})" if how else ""
    if len(lines) == 1:
        return f"`old` is there once{aside}, at line {named}, not {times} times."
    if len(lines) > MOST:
        return f"`old` is there more than {MOST} times{aside}. Give more of the lines around the one that you mean."
    return (
        f"`old` is there {len(lines)} times{aside}, at lines {named}. Give more of the lines around the one that you "
        f"mean, or say times={len(lines)} to change them all."
    )


def _in_parts(page: Page, edit: Edit) -> _Found | None:
    """`old` and `new` leave out the same lines (`...`): every part is there once, and in this order."""
    olds, news = _parts(edit.old), _parts(edit.new)
    if len(olds) < 2 or len(olds) != len(news) or edit.times != 1:
        return None
    splices: list[Splice] = []
    at = 0
    for old, new in zip(olds, news, strict=True):
        if not old.strip():
            if new.strip():
                return None
            continue
        found = _search(page, old, new, "")
        if found is None or len(found.splices) != 1 or found.splices[0].start < at:
            return None
        at = found.splices[0].end
        splices += found.splices
    return _Found(tuple(splices), "lines left out") if splices else None


def _parts(text: str) -> list[str]:
    """The stretches between lines of dots."""
    parts = [""]
    for line in text.removesuffix("\n").split("\n"):
        if stands_for_lines(line):
            parts.append("")
        else:
            parts[-1] += f"{line}\n"
    return parts


def _absent(page: Page, edit: Edit) -> Outcome:
    """`old` is nowhere: the edit was made before, or it is refused with help."""
    mine = {line.strip() for line in edit.old.split("\n")}
    added = "".join(line for line in edit.new.split("\n") if line.strip() not in mine)
    wanted = "\n".join(map(fold, edit.new.strip("\n").split("\n")))
    if sum(map(str.isalnum, added)) >= _TELLING:
        places = [at for at in occurrences(page.whole, wanted) if not cuts_a_word(page.whole, at, at + len(wanted))]
        if len(places) == edit.times:
            lines = tuple(page.whole.count("\n", 0, at) + 1 for at in places)
            return Outcome(status="already", lines=lines)
    return Outcome(status="refused", why=advice(page, edit.old, edit.new))
