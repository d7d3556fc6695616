"""Locks that wait for each other: taken in two orders, or by a thread that holds them already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from omni.verify.concurrency.accesses import Called, Taken
from omni.verify.concurrency.names import Lock
from omni.verify.concurrency.races import Race
from omni.verify.concurrency.summary import Summary

DEEPEST = 4
"""Calls that are followed."""


@dataclass(frozen=True)
class Both:
    """One lock taken while another is held."""

    held: Lock
    taken: Taken
    path: str
    line: int
    """Where it is taken, or where what takes it is called."""
    by: str
    way: tuple[str, ...]
    around: frozenset[str]
    """All that is held then."""
    on_self: bool


def deadlocks(summary: Summary) -> Iterator[Race]:
    pairs = list(_pairs(summary))
    yield from dict.fromkeys(_again(pairs))
    by_names: dict[tuple[str, str], list[Both]] = {}
    for each in pairs:
        if each.held.name != each.taken.lock.name and ":" not in each.held.name + each.taken.lock.name:
            by_names.setdefault((each.held.name, each.taken.lock.name), []).append(each)
    for (one, other), there in sorted(by_names.items(), key=lambda item: item[0]):
        back = by_names.get((other, one), ())
        for first in there[:1] if one < other else ():
            against = next((each for each in back if not (each.around & first.around) - {one, other}), None)
            if against is not None:
                yield _inverted(first, against)


def _pairs(summary: Summary) -> Iterator[Both]:
    for name, seen in summary.seen.items():
        entered = summary.held_at_entry.get(name, frozenset())
        for taken in seen.taken:
            around = frozenset(lock.name for lock in taken.held) | entered
            for held in taken.held if taken.waits else ():
                yield Both(held, taken, taken.routine.path, taken.line, taken.routine.node.name, (), around, True)
        for call in seen.calls:
            around = frozenset(lock.name for lock in call.held) | entered
            for taken, way, on_self in _takes(summary, call, DEEPEST) if call.held else ():
                for held in call.held:
                    yield Both(held, taken, call.by.path, call.line, call.by.node.name, way, around, on_self)


def _takes(summary: Summary, call: Called, depth: int) -> Iterator[tuple[Taken, tuple[str, ...], bool]]:
    """What is taken in a call, with the way there and whether all of it is of the same object."""
    seen = summary.seen.get(call.routine.name)
    if seen is None or depth == 0:
        return
    name = call.routine.node.name
    tried = {taken.lock.name for taken in seen.taken if not taken.waits}  # it looks first whether somebody has it
    for taken in seen.taken:
        if taken.lock.name not in tried:
            yield taken, (name,), call.on_self
    for inner in seen.calls:
        if inner.routine is not call.routine:
            for taken, way, on_self in _takes(summary, inner, depth - 1):
                if taken.lock.name not in tried:
                    yield taken, (name, *way), call.on_self and on_self


def _again(pairs: list[Both]) -> Iterator[Race]:
    for each in pairs:
        same = each.held.name == each.taken.lock.name and each.held.kind == each.taken.lock.kind == "lock"
        of_one_object = each.on_self or not each.held.shown.startswith(("self.", "cls."))
        if same and of_one_object and each.held.shown == each.taken.lock.shown:
            through = (
                f"; {' → '.join(f'`{step}`' for step in each.way)} takes it again"
                if each.way
                else " and takes it again"
            )
            message = (
                f"`{each.by}` holds `{each.held.shown}`{through} ({each.taken.routine.path}:{each.taken.line}), "
                "and a Lock can't be taken twice: it waits for itself for ever"
            )
            yield Race("taken-twice", each.path, each.line, message, f"{each.by} {each.held.shown}")


def _inverted(first: Both, other: Both) -> Race:
    def told(each: Both) -> str:
        through = f" through {' → '.join(f'`{step}`' for step in each.way)}" if each.way else ""
        where = f"`{each.by}` ({each.path}:{each.line})"
        return f"{where} holds `{each.held.shown}` and takes `{each.taken.lock.shown}`{through}"

    message = (
        f"{told(first)}; {told(other)}, in the other order: when both happen at once, each waits for the other for ever"
    )
    return Race("lock-order", first.path, first.line, message, f"{first.held.shown} {first.taken.lock.shown}")
