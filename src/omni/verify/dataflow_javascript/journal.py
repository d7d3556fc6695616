"""Every change of a name, an object or a note, so that a branch can be taken back and laid beside the other one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from omni.verify.dataflow_javascript.value import Entries, Value, join

Notes: TypeAlias = dict[str, frozenset[str]]
"""Expression, as it is written → weaknesses that it can't cause, as far as is known here."""
Place: TypeAlias = "Entries | Notes"
Held: TypeAlias = "Value | frozenset[str]"
H = TypeVar("H", Value, frozenset[str])
Change: TypeAlias = "dict[tuple[int, str], tuple[Place, str, Held | None]]"
"""What a stretch of the program left: place and key → what is there; None: nothing."""


@dataclass(slots=True)
class _Entry:
    place: Place
    key: str
    before: Held | None


class Journal:
    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def mark(self) -> int:
        return len(self._entries)

    def write(self, place: dict[str, H], key: str, value: H) -> None:
        before = place.get(key)
        if before is value:
            return
        self._entries.append(_Entry(place, key, before))  # type: ignore[arg-type]  # one of the two kinds of place
        place[key] = value
        if isinstance(place, Entries):
            place.version += 1

    def since(self, mark: int) -> Change:
        """What is different now."""
        found: Change = {}
        for entry in self._entries[mark:]:
            found[id(entry.place), entry.key] = (entry.place, entry.key, entry.place.get(entry.key))
        return found

    def undo(self, mark: int) -> Change:
        """Take back what came after the mark, and say what that was."""
        change = self.since(mark)
        for entry in reversed(self._entries[mark:]):
            _set(entry.place, entry.key, entry.before)
        del self._entries[mark:]
        return change

    def apply(self, change: Change) -> None:
        """Do it once more."""
        for place, key, value in change.values():
            self._put(place, key, value)

    def merge(self, *ways: Change) -> None:
        """One of these happened, it is not known which. An empty one: perhaps nothing."""
        if len(ways) == 1:
            self.apply(ways[0])
            return
        places = {each: (place, key) for way in ways for each, (place, key, _) in way.items()}
        for each, (place, key) in places.items():
            before = place.get(key)
            held = [way[each][2] if each in way else before for way in ways]
            self._put(place, key, joined(held))

    def _put(self, place: Place, key: str, value: Held | None) -> None:
        before = place.get(key)
        if value is not before:
            self._entries.append(_Entry(place, key, before))
            _set(place, key, value)


def joined(held: list[Held | None]) -> Held | None:
    """A value that only one way has stays; a note holds only if every way has it."""
    notes = [each for each in held if isinstance(each, frozenset)]
    if notes:
        return frozenset.intersection(*notes) if len(notes) == len(held) else None
    result: Value | None = None
    for each in held:
        if isinstance(each, Value):
            result = each if result is None else join(result, each)
    return result


def _set(place: Place, key: str, value: Held | None) -> None:
    if value is None:
        place.pop(key, None)
    else:
        place[key] = value  # type: ignore[assignment]  # it was there, or may be: of the right kind
    if isinstance(place, Entries):
        place.version += 1
