"""A program as its threads see it: accesses by place, what is held when a routine begins, what runs in which thread."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from functools import cached_property

from omni.verify.analysis.program import Class, Program, Routine
from omni.verify.analysis.python import last_name
from omni.verify.concurrency.accesses import Access, Called, Seen, see
from omni.verify.concurrency.names import CONSTRUCTION, Names, is_field, is_property
from omni.verify.concurrency.threads import Entry, entries
from omni.verify.deep.callee import TESTS, own_nodes
from omni.verify.parsing import walk

PROMISED = re.compile(
    r"\b(lock|mutex)\b[^.]{0,60}\b(hold|holds|holding|held|acquired|owned|taken)\b"
    r"|\b(hold|held|acquire)\w*\b[^.]{0,40}\b(lock|mutex)\b|not thread.?safe",
    re.IGNORECASE,
)
"""What a docstring says of a routine whose caller holds the lock, or that is for one thread."""
NAMED = re.compile(
    r"_locked$|^locked_|_with_lock$|^_?(unlocked|unsafe|nolock|no_lock|without_lock)_"
    r"|_(unlocked|unsafe|nolock|no_lock|without_lock)$"
)
"""What such a routine is called."""


class Summary:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.names = Names(program)
        self._known_bases: dict[str, frozenset[str]] = {}
        self.routines = {name: each for name, each in program.routines.items() if not TESTS.search(each.path)}
        self.seen: dict[str, Seen] = {name: see(self.names, each) for name, each in self.routines.items()}
        self.callers: dict[str, list[Called]] = defaultdict(list)
        for seen in self.seen.values():
            for call in seen.calls:
                for meant in (call.routine, *self._overriding(call)):
                    self.callers[meant.name].append(call)

    def _overriding(self, call: Called) -> Iterator[Routine]:
        """What may be called instead: the methods of classes below."""
        owner = call.routine.owner
        if owner is None:
            return
        for each in self.program.methods.get(call.routine.node.name, ()):
            if each.owner is not None and each.owner is not owner and owner.name in self._bases(each.owner):
                yield each

    def _bases(self, owner: Class) -> frozenset[str]:
        if owner.name not in self._known_bases:
            self._known_bases[owner.name] = frozenset(self.program.bases(owner))
        return self._known_bases[owner.name]

    def called_from_elsewhere(self, routine: Routine) -> bool:
        """It is handed over, or private and nothing here calls it: so who calls it, and with what held, is unknown."""
        if any(each.routine is routine for each in self.entries):
            return False
        private = routine.node.name.startswith("_") and not routine.node.name.startswith("__")
        return routine.name in self.escaped or (private and not self.callers.get(routine.name))

    @cached_property
    def places(self) -> dict[str, list[Access]]:
        """By place, of all routines but those in which nobody else has the object yet."""
        found: dict[str, list[Access]] = defaultdict(list)
        for name, seen in self.seen.items():
            if name not in self.constructing:
                for access in seen.accesses:
                    found[access.place].append(access)
        return found

    @cached_property
    def entries(self) -> list[Entry]:
        return [each for each in entries(self.names) if not TESTS.search(each.path)]

    @cached_property
    def escaped(self) -> frozenset[str]:
        """Routines that are handed over, or called by what is, so when that is and what is held then is not known."""
        found = {each.routine.name for each in self.entries}
        known = {each.node.name for each in self.routines.values()}
        for routine in self.routines.values():
            for node in _handed_over(routine):
                meant = self.names.called(routine, node) if last_name(node) in known else None
                if meant is not None and not is_property(meant):
                    found.add(meant.name)
        return frozenset(found)

    @cached_property
    def constructing(self) -> frozenset[str]:
        """Constructors, and what only they call."""
        found = {name for name, each in self.routines.items() if each.node.name in CONSTRUCTION}
        while more := {name for name in self.routines if name not in found and self._only_called_by(found, name)}:
            found |= {name for name in more if all(each.on_self for each in self.callers[name])}
            if not found & more:
                break
        return frozenset(found)

    @cached_property
    def in_coroutines(self) -> frozenset[str]:
        """Coroutines, and what only they call: all of them run in one thread."""
        found = {name for name, each in self.routines.items() if isinstance(each.node, ast.AsyncFunctionDef)}
        while more := {name for name in self.routines if name not in found and self._only_called_by(found, name)}:
            found |= more
        return frozenset(found)

    def _only_called_by(self, callers: Container[str], name: str) -> bool:
        calls = self.callers.get(name, ())
        return bool(calls) and name not in self.escaped and all(each.by.name in callers for each in calls)

    @cached_property
    def held_at_entry(self) -> dict[str, frozenset[str]]:
        """The locks that every caller holds, of routines whose callers are all known."""
        inner = {
            name
            for name in self.routines
            if name not in self.escaped and self.callers.get(name) and not name.rpartition(".")[2].startswith("__")
        }
        held: dict[str, frozenset[str] | None] = dict.fromkeys(inner)  # None: all locks there are
        for _ in range(8):
            before = dict(held)
            for name in inner:
                ways = [
                    self._held_at(call, before) for call in self.callers[name] if call.by.name not in self.constructing
                ]
                known = [each for each in ways if each is not None]
                held[name] = frozenset.intersection(*known) if known else None
            if held == before:
                break
        return {name: each or frozenset() for name, each in held.items()}

    @staticmethod
    def _held_at(call: Called, held: dict[str, frozenset[str] | None]) -> frozenset[str] | None:
        here = frozenset(lock.name for lock in call.held)
        if call.by.name not in held:
            return here
        above = held[call.by.name]
        return None if above is None else here | above

    def held(self, access: Access) -> frozenset[str]:
        return frozenset(lock.name for lock in access.held) | self.held_at_entry.get(access.routine.name, frozenset())

    def promised(self, routine: Routine) -> bool:
        """Whether its name or docstring says that the caller holds the lock, or that it is for one thread."""
        text = ast.get_docstring(routine.node) or ""
        owner = self.names.owner(routine)
        about = ast.get_docstring(owner.node) or "" if owner is not None else ""
        return bool(
            NAMED.search(routine.node.name) or PROMISED.search(text) or re.search(r"(?i)not thread.?safe", about)
        )

    def reached(self, start: Routine, on_self: bool) -> frozenset[str]:
        """What a routine calls, directly or not; with `on_self` only what is of the same object."""
        found = {start.name}
        waiting = [start.name]
        while waiting:
            for call in self.seen[name].calls if (name := waiting.pop()) in self.seen else ():
                if call.routine.name not in found and (call.on_self or not on_self):
                    found.add(call.routine.name)
                    waiting.append(call.routine.name)
        return frozenset(found)

    @cached_property
    def in_threads(self) -> dict[bool, dict[str, list[Entry]]]:
        """Routine → the threads that run it: of any object, and (`True`) of the object that others have, too."""
        found: dict[bool, dict[str, list[Entry]]] = {False: defaultdict(list), True: defaultdict(list)}
        for entry in self.entries:
            for on_self in (False, True) if entry.on_self else (False,):
                for name in self.reached(entry.routine, on_self):
                    found[on_self][name].append(entry)
        return found


def _handed_over(routine: Routine) -> Iterator[ast.AST]:
    """Names and fields that are read and not called, and all in a lambda."""
    nodes = own_nodes(routine.node)
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    later = (inner for node in nodes if isinstance(node, ast.Lambda) for inner in walk(node.body))
    for node in (*(each for each in nodes if id(each) not in called), *later):
        if (is_field(node) or isinstance(node, ast.Name)) and isinstance(getattr(node, "ctx", None), ast.Load):
            yield node


def first(accesses: Iterable[Access]) -> Access:
    return min(accesses, key=lambda each: (each.routine.path, each.line))
