"""Shared state that threads change without a lock: against the rule that its other uses keep, or without any rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from omni.verify.analysis.python import dotted
from omni.verify.concurrency.accesses import Access
from omni.verify.concurrency.names import Lock
from omni.verify.concurrency.summary import Summary, first
from omni.verify.concurrency.threads import Entry
from omni.verify.deep.callee import own_nodes

CHANGES = frozenset({"write", "item", "update", "check"})
UNSTEADY = frozenset(
    {
        "dict",
        "set",
        "OrderedDict",
        "defaultdict",
        "deque",
        "WeakSet",
        "WeakValueDictionary",
        "WeakKeyDictionary",
        "Counter",
    }
)
"""What raises RuntimeError when it changes under a loop."""


@dataclass(frozen=True)
class Race:
    rule: str
    path: str
    line: int
    message: str
    snippet: str
    sure: bool = True


def inconsistent(summary: Summary) -> Iterator[Race]:
    """A place is changed under a lock, and somewhere else without one."""
    for place, accesses in summary.places.items():
        guarded = [each for each in accesses if each.kind in CHANGES and _guards(summary, each, place)]
        if not guarded:
            continue
        bare = [each for each in accesses if not summary.held(each) and _counts(summary, each, guarded)]
        changed = [each for each in accesses if not summary.held(each) and each.kind in CHANGES]
        if len({each.line for each in changed}) > 2 * len({each.line for each in guarded}):
            continue  # the lock is there for something else
        for each in bare:
            yield _against(each, first(guarded), _lock_of(summary, guarded, place))


def _guards(summary: Summary, access: Access, place: str) -> bool:
    """Whether a lock of the same class or module is held, that threads wait for."""
    holder = place.rpartition(".")[0]
    kinds = {lock.name: lock.kind for lock in access.held}
    of_holder = (name for name in summary.held(access) if name.rpartition(".")[0] == holder and ":" not in name)
    return any(kinds.get(name) != "async" for name in of_holder) and not isinstance(
        access.routine.node, ast.AsyncFunctionDef
    )


def _counts(summary: Summary, access: Access, guarded: Sequence[Access]) -> bool:
    """Whether it takes more than one step of the interpreter, and who calls it is known."""
    if access.routine.name in summary.in_coroutines or summary.promised(access.routine):
        return False
    if summary.called_from_elsewhere(access.routine):
        return False
    if access.kind in {"update", "check"}:
        return True
    if access.kind == "loop":
        return any(each.kind == "item" or each.kind == "update" for each in guarded) and _unsteady(
            summary, access.place
        )
    return False


def _alone(access: Access) -> bool:
    """Whether the thread is started after it, or has ended before it, in the same routine."""
    calls = [
        each
        for each in own_nodes(access.routine.node)
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)
    ]
    starts = any(each.func.attr == "start" and each.lineno > access.line for each in calls)  # type: ignore[attr-defined]
    return starts or any(each.func.attr == "join" and not each.args and each.lineno <= access.line for each in calls)  # type: ignore[attr-defined]


def _unsteady(summary: Summary, place: str) -> bool:
    found = summary.names.first_value(place)
    if found is None:
        return False
    return isinstance(found[1], ast.Dict | ast.Set | ast.DictComp | ast.SetComp) or (
        isinstance(found[1], ast.Call) and dotted(found[1].func).rpartition(".")[2] in UNSTEADY
    )


def _lock_of(summary: Summary, guarded: Sequence[Access], place: str) -> str:
    """As it is written where the place is guarded."""
    holder = place.rpartition(".")[0]
    locks: list[Lock] = [lock for each in guarded for lock in each.held if lock.name.rpartition(".")[0] == holder]
    names = sorted({name.rpartition(".")[2] for each in guarded for name in summary.held(each)})
    return locks[0].shown if locks else f"{'self.' if holder in summary.program.classes else ''}{names[0]}"


DOES = {
    "update": "is read and stored again",
    "check": "is looked at, and stored in line {acted} as if nobody had changed it since,",
    "loop": "is looped over",
}
BECOMES = {
    "update": "of two threads that do so at once, one change is lost",
    "check": "two threads that do so at once both find it missing, or act on what the other has changed",
    "loop": "a thread that changes it meanwhile makes the loop end with a RuntimeError",
}


def _does(access: Access) -> str:
    return DOES[access.kind].format(acted=access.acted)


def _against(access: Access, guard: Access, lock: str) -> Race:
    where = f"`{guard.routine.node.name}` ({guard.routine.path}:{guard.line})"
    message = (
        f"`{access.shown}` {_does(access)} in `{access.routine.node.name}` without `{lock}`, under which {where} "
        f"changes it: {BECOMES[access.kind]}"
    )
    sure = access.kind in {"update", "loop"} or (access.kind == "check" and not isinstance(access.value, ast.Constant))
    return Race(
        "unguarded", access.routine.path, access.line, message, f"{access.routine.node.name} {access.shown}", sure
    )


def unguarded(summary: Summary) -> Iterator[Race]:
    """A place without any lock, that several threads change in more than one step."""
    for accesses in summary.places.values():
        if any(summary.held(each) for each in accesses if each.kind in CHANGES):
            continue
        for access in accesses:
            if access.kind not in {"update", "check"} or summary.promised(access.routine):
                continue
            if access.routine.name in summary.in_coroutines:
                continue
            if access.kind == "check" and not _has_identity(access.value):
                continue
            threads = summary.in_threads[access.shown.startswith("self.")]  # a class and a global are everybody's
            if (found := _two(summary, access, accesses, threads)) is not None:
                yield found


def _two(summary: Summary, access: Access, accesses: Sequence[Access], threads: dict[str, list[Entry]]) -> Race | None:
    """The race with another thread that runs the same, or with what runs outside of the thread."""
    mine = threads.get(access.routine.name, [])
    several = next((each for each in mine if each.many), None)
    head = f"`{access.shown}` {_does(access)} in `{access.routine.node.name}` without a lock"
    snippet = f"{access.routine.node.name} {access.shown}"
    path, line = access.routine.path, access.line
    if several is not None:
        how = f"which runs in several threads (`{several.how}`, {several.path}:{several.line})"
        return Race("unguarded", path, line, f"{head}, {how}: {BECOMES[access.kind]}", snippet, access.kind == "update")
    for other in accesses if not summary.called_from_elsewhere(access.routine) else ():
        theirs = threads.get(other.routine.name, [])
        if other is access or other.kind not in {"update", "write"} or _alone(other) or _alone(access):
            continue
        if set(mine) == set(theirs) or access.kind != "update" or summary.called_from_elsewhere(other.routine):
            continue
        entry = (mine or theirs)[0]
        if other.kind == "write" and other.routine.name == entry.starter:
            continue
        where = f"`{other.routine.node.name}` ({other.routine.path}:{other.line})"
        one, another = ("this", where) if mine else (where, "this")
        thread = f"a thread (`{entry.how}`, {entry.path}:{entry.line})"
        how = f"{where} stores it, too; {one} runs in {thread}, {another} outside of it"
        return Race("unguarded", path, line, f"{head}, and {how}: {BECOMES['update']}", snippet, other.kind == "update")
    return None


def _has_identity(value: ast.expr | None) -> bool:
    """Whether two of what is stored are not as good as one: a list to add to, a lock, a connection."""
    if isinstance(value, ast.Await):
        value = value.value
    if isinstance(value, ast.List | ast.Dict | ast.Set):
        return True
    if not isinstance(value, ast.Call):
        return False
    name = dotted(value.func).rpartition(".")[2]
    empty = not value.args and not value.keywords and name in {"dict", "list", "set", "deque"}
    return empty or name[:1].isupper() or name in {"defaultdict", "connect", "open", "create_engine"}
