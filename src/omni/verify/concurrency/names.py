"""What an expression of a routine means to all of the program: a lock, a field, a global, a called routine."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property

from omni.verify.analysis.program import Class, Program, Routine
from omni.verify.analysis.python import dotted, last_name
from omni.verify.deep.callee import local_names, own_nodes

KINDS = {
    "threading.Lock": "lock",
    "threading.RLock": "reentrant",
    "threading.Condition": "reentrant",
    "threading.Semaphore": "counting",
    "threading.BoundedSemaphore": "counting",
    "multiprocessing.Lock": "lock",
    "multiprocessing.RLock": "reentrant",
    "asyncio.Lock": "async",
    "asyncio.Condition": "async",
    "asyncio.Semaphore": "async",
    "asyncio.BoundedSemaphore": "async",
    "anyio.Lock": "async",
    "trio.Lock": "async",
}
"""What makes a lock → what kind it is. A condition has a lock of its own, which the same thread may take twice."""
LOCK_NAME = re.compile(
    r"(r?lock|mutex|cond(ition)?|sema?(phore)?|guard|monitor|not_(empty|full))s?(_for)?$", re.IGNORECASE
)
CONSTRUCTION = frozenset(
    {"__init__", "__new__", "__post_init__", "__init_subclass__", "__setstate__", "__del__", "setUp"}
)
"""While these run, nobody else has the object."""


@dataclass(frozen=True)
class Lock:
    name: str
    """`app.pool.Pool.lock`: the field, of whichever object."""
    kind: str
    """Of `KINDS`; `unknown` of what is only named like a lock."""
    shown: str
    """As it is written: `self.lock`."""


class Names:
    def __init__(self, program: Program) -> None:
        self.program = program
        self._owners: dict[str, Class | None] = {}
        self._kinds: dict[str, dict[str, Class]] = {}
        self._methods: dict[tuple[str, str], Routine | None] = {}
        self._holders: dict[tuple[str, str], Class] = {}
        self._globals: dict[tuple[str, str], str] = {}

    def method(self, owner: Class, name: str) -> Routine | None:
        """By name, of the class or a base of it."""
        key = (owner.name, name)
        if key not in self._methods:
            self._methods[key] = self.program.method(owner, name) if name in self.program.methods else None
        return self._methods[key]

    def owner(self, routine: Routine) -> Class | None:
        """The class that `self` is of: that of the method around it, for a function within one."""
        if routine.owner is not None:
            return routine.owner
        if routine.name not in self._owners:
            around = self.program.routines.get(routine.name.rpartition(".")[0])
            own = {each.arg for each in (*routine.node.args.posonlyargs, *routine.node.args.args)}
            self._owners[routine.name] = self.owner(around) if around is not None and "self" not in own else None
        return self._owners[routine.name]

    @cached_property
    def _assigned(self) -> dict[str, dict[str, ast.expr | None]]:
        """Class → the fields that it gives a value, with the first that a constructor gives."""
        found: dict[str, dict[str, ast.expr | None]] = {name: {} for name in self.program.classes}
        ordered = sorted(self.program.routines.values(), key=lambda each: each.node.name not in CONSTRUCTION)
        for routine in ordered:
            owner = self.owner(routine)
            for node in own_nodes(routine.node) if owner is not None else ():
                targets = (
                    node.targets
                    if isinstance(node, ast.Assign)
                    else [node.target]
                    if isinstance(node, ast.AnnAssign)
                    else []
                )
                for target in targets:
                    if owner is not None and is_field(target):
                        found[owner.name].setdefault(target.attr, node.value)  # type: ignore[attr-defined]
        for name, each in self.program.classes.items():
            for statement in each.node.body:
                if isinstance(statement, ast.Assign):
                    for target in statement.targets:
                        if isinstance(target, ast.Name):
                            found[name].setdefault(target.id, statement.value)
        return found

    def holder(self, owner: Class, field: str) -> Class:
        """The class, it or a base, that first gives the field a value."""
        key = (owner.name, field)
        if key not in self._holders:
            above = (self.program.classes[each] for each in self.program.bases(owner) if each in self.program.classes)
            having = [each for each in (owner, *above) if field in self._assigned.get(each.name, ())]
            self._holders[key] = having[-1] if having else owner
        return self._holders[key]

    def place(self, routine: Routine, node: ast.AST) -> str:
        """`app.Pool.size` of a field of `self`, `app.size` of a global; empty for what is neither."""
        if is_field(node):
            owner = self.owner(routine)
            return f"{self.holder(owner, node.attr).name}.{node.attr}" if owner is not None else ""  # type: ignore[attr-defined]
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            of_class = self.program.classes.get(self.program.resolve(routine.module, node.value.id))
            if of_class is not None and node.attr in self._assigned.get(of_class.name, ()):
                return f"{of_class.name}.{node.attr}"
            return ""
        if not isinstance(node, ast.Name):
            return ""
        key = (routine.name, node.id)
        if key not in self._globals:
            self._globals[key] = self._global(routine, node.id)
        return self._globals[key]

    def _global(self, routine: Routine, name: str) -> str:
        declared = name in globals_of(routine)
        if not declared and (name in local_names(routine.node) or self._is_of_an_outer_function(routine, name)):
            return ""
        full = self.program.resolve(routine.module, name)
        holder, _, last = full.rpartition(".")
        module = self.program.modules.get(holder)
        return full if module is not None and (declared or last in module.constants) else ""

    def _is_of_an_outer_function(self, routine: Routine, name: str) -> bool:
        around = self.program.routines.get(routine.name.rpartition(".")[0])
        return around is not None and (name in local_names(around.node) or self._is_of_an_outer_function(around, name))

    def first_value(self, place: str) -> tuple[str, ast.expr] | None:
        """(the module, what a field or global was first given)."""
        holder, _, last = place.rpartition(".")
        if holder in self.program.classes:
            owner = self.program.classes[holder]
            value = self._assigned[holder].get(last)
            return (owner.module, value) if value is not None else None
        return self.program.constant(holder, last) if holder in self.program.modules else None

    def lock(self, routine: Routine, node: ast.AST) -> Lock | None:
        """The lock that an expression stands for."""
        called = isinstance(node, ast.Call)
        shown = ast.unparse(node.func if isinstance(node, ast.Call) else node)
        place = "" if called else self.place(routine, node)
        found = self.first_value(place) if place else None
        if found is not None and isinstance(found[1], ast.Call):
            made = self.program.resolve(found[0], dotted(found[1].func))
            if made in KINDS:
                around = self._lock_within(routine, found[1], place)
                return around or Lock(place, KINDS[made], shown)
        if LOCK_NAME.search(last_name(node)):
            return Lock(place or f"{routine.name}:{shown}", "unknown", shown)
        return None

    def _lock_within(self, routine: Routine, made: ast.Call, place: str) -> Lock | None:
        """The lock that a condition is made of."""
        given = made.args[0] if made.args and is_field(made.args[0]) and last_name(made.func) == "Condition" else None
        return self.lock(routine, given) if given is not None and self.place(routine, given) != place else None

    def called(self, routine: Routine, func: ast.AST) -> Routine | None:
        """The routine that is surely meant by what is called."""
        if not _is_plain(func):
            return self._of_super(routine, func)
        name = dotted(func)
        first, _, rest = name.partition(".")
        owner = self.owner(routine)
        if first in {"self", "cls"} and owner is not None and rest:
            if "." not in rest:
                return self.method(owner, rest)
            return self._method_of(routine, name)
        inner = self.program.routines.get(f"{routine.name}.{name}")
        if inner is not None:
            return inner
        if first in local_names(routine.node):
            return self._method_of(routine, name)
        full = self.program.resolve(routine.module, name)
        if full in self.program.classes:
            return self.method(self.program.classes[full], "__init__")
        if full in self.program.routines:
            return self.program.routines[full]
        holder, _, last = name.rpartition(".")
        constant = self.program.constant(routine.module, holder) if holder and "." not in holder else None
        if constant is not None and isinstance(constant[1], ast.Call):
            kind = self.program.find_class(constant[0], constant[1].func)
            return self.method(kind, last) if kind is not None else None
        return None

    def _of_super(self, routine: Routine, func: ast.AST) -> Routine | None:
        if not isinstance(func, ast.Attribute) or not isinstance(func.value, ast.Call) or routine.owner is None:
            return None
        if dotted(func.value) != "super":
            return None
        bases = (self.program.routines.get(f"{each}.{func.attr}") for each in self.program.bases(routine.owner))
        return next((each for each in bases if each is not None), None)

    def _method_of(self, routine: Routine, name: str) -> Routine | None:
        holder, _, last = name.rpartition(".")
        if routine.name not in self._kinds:
            self._kinds[routine.name] = self.program.kinds(routine)
        kind = self._kinds[routine.name].get(holder)
        return self.method(kind, last) if kind is not None else None


def is_field(node: ast.AST | None) -> bool:
    """`self.name`"""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}


def is_property(routine: Routine) -> bool:
    return any(last_name(each) in {"property", "cached_property"} for each in routine.node.decorator_list)


def globals_of(routine: Routine) -> frozenset[str]:
    return frozenset(name for node in own_nodes(routine.node) if isinstance(node, ast.Global) for name in node.names)


def _is_plain(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)
