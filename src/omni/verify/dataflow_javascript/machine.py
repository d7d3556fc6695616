"""The abstract interpreter: it runs each function on what is known, at most once for each different knowledge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from omni.verify.dataflow.summary import Hit
from omni.verify.dataflow.value import Step, united
from omni.verify.dataflow_javascript import classes, expressions, handlers, patterns, statements
from omni.verify.dataflow_javascript.frame import Frame, merged
from omni.verify.dataflow_javascript.journal import Change, Journal, Notes
from omni.verify.dataflow_javascript.model import Models
from omni.verify.dataflow_javascript.program import Code, Found, Links, Module, Scope
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import (
    UNDEFINED,
    UNKNOWN,
    Entries,
    Func,
    Obj,
    Value,
    array,
    join_all,
    made,
    ref,
    tainted,
    taints_in,
)

MOST_STEPS = 60_000
"""Expressions and statements that are run for the top of one module, or for one function that is looked at, …"""
MOST_OF_ALL = 200_000
"""… and for all functions of a module together."""
MOST_LINES = 2500
"""Of one function, over all the different arguments that it is run on."""
DEEPEST_CALL = 8
MOST_BYTES = 3 << 20
"""Of source whose modules are kept at once; a tree takes some hundred times that."""
MOST_EFFECTS = 1000
"""Changes of a run that are remembered."""


class Exhausted(Exception):  # noqa: N818 - read as "raise Exhausted"
    """It takes too long to find out."""


Key: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a function gave and changed when it was run on this."""

    result: Value
    effects: Change
    own: bool
    """The result is an object that the function made: each call makes another one."""

    def again(self) -> Value:
        shape = self.result.shape
        if not self.own or not isinstance(shape, Obj):
            return self.result
        return Value(Obj(Entries(shape.entries.items()), shape.kind), self.result.taints)


class Machine:
    def __init__(self, models: Models, links: Links, load_tree: Callable[[str], Node | None]) -> None:
        """`load_tree` gives the tree of a file; None: it has none that can be read."""
        self.models = models
        self.links = links
        self.load_tree = load_tree
        self.journal = Journal()
        self.hits: dict[Hit, Hit] = {}
        self.unseen: dict[str, str] = {}
        """Path → why not all of it was analysed."""
        self.modules: dict[str, Module] = {}
        self.notes: Notes = {}
        """Name of something that a library holds → weaknesses that it can't cause, as far as is known here."""
        self.names: dict[Step, str] = {}
        """Where data came in → what it was taken from last."""
        self.attached = Entries()
        """What was put into something that a library holds, by its name."""
        self.steps = 0
        self._spent = 0
        self.waiting: list[tuple[Func, list[Value], str]] = []
        """Functions that a framework will call, with what, and what their result is."""
        self.roots: dict[Code, Func] = {}
        self._module: Module | None = None
        """That is loaded, or looked at."""
        self._ran: set[Code] = set()
        self._depth = 0
        self._running: Counter[Code] = Counter()
        self._contexts: Counter[Code] = Counter()
        self._known: dict[Key, Summary] = {}

    def evaluate(self, frame: Frame, node: Node) -> Value:
        self.tick()
        handler = expressions.HANDLERS.get(node.kind)
        return handler(frame, node) if handler else expressions.other(frame, node)

    def tick(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Exhausted

    def report(self, hit: Hit) -> None:
        known = self.hits.get(hit)
        if known is None or len(hit.taint.steps) < len(known.taint.steps):
            self.hits[hit] = hit

    # Modules

    def look_at(self, path: str) -> tuple[list[Hit], dict[str, str]]:
        """What goes wrong in a file, and in what it imports when it is called from there.

        It depends on these files alone, whatever was looked at before.
        """
        below = set(self.links.below(path))
        if sum(module.size for module in self.modules.values()) > MOST_BYTES:
            self.modules.clear()
        for each in self.links.order:
            if each in below:
                self.module(each)
        self.hits, self.unseen = {}, {}
        module = self.module(path)
        if module is not None:
            self._look_into(module)
        return list(self.hits.values()), dict(self.unseen)

    def module(self, path: str) -> Module | None:
        """A file of the program, run once; with those that it imports in a circle always in the same order."""
        for each in self.links.group(path):
            if each not in self.modules:
                root = self.load_tree(each)
                if root is not None:
                    self.modules[each] = Module(each, root)
        for each in self.links.group(path):
            if each in self.modules and self.modules[each].state == "new":
                self._load(self.modules[each])
        return self.modules.get(path)

    def imported(self, frame: Frame, said: str) -> Value:
        """What a module exports."""
        target = self.links.target(frame.module.path, said)
        if target is None:
            return ref(self.models.canonical(said))
        module = self.module(target)
        return UNKNOWN if module is None else module.exports

    def _load(self, module: Module) -> None:
        """Run its top. What was under way meanwhile waits, and neither sees the other's bounds."""
        module.state = "running"
        kept = (self.hits, self.unseen, self.steps, self.waiting, self.roots, self._ran, self._depth, self._running)
        memory = (self._contexts, self._known, self._spent, self._module)
        self._module = module
        self.hits, self.unseen, self.steps, self.waiting, self.roots = {}, {}, 0, [], {}
        self._ran, self._depth, self._running, self._contexts, self._known = set(), 0, Counter(), Counter(), {}
        self._spent = 0
        scope = Scope(None, function=True)
        module.exports = made()
        holder = made([("exports", module.exports)])
        scope.values |= {"module": holder, "exports": module.exports}
        frame = Frame(self, module, scope, this=module.exports)
        self._attempt(module.path, partial(statements.run_all, frame, module.root.children))
        if isinstance(holder.shape, Obj):
            module.exports = holder.shape.entries.get("exports", module.exports)
        handlers.exported(frame)
        module.found = Found(tuple(self.hits.values()), self.unseen, self.waiting, self.roots, frozenset(self._ran))
        self.hits, self.unseen, self.steps, self.waiting, self.roots, self._ran, self._depth, self._running = kept
        self._contexts, self._known, self._spent, self._module = memory
        module.state = "done"

    def _look_into(self, module: Module) -> None:
        """Run each function of the module: as a framework would call it, or on arguments of which nothing is known."""
        found = module.found
        if found is None:
            return
        self.hits, self.unseen = {hit: hit for hit in found.hits}, dict(found.unseen)
        self.waiting, self.roots, self._ran = list(found.waiting), dict(found.roots), set(found.ran)
        self._contexts, self._known = Counter(), {}
        self._module = module
        start = self.journal.mark()
        done = 0
        self._spent = 0
        while self.waiting or done < len(self.roots):
            if self.waiting:
                self._root(*self.waiting.pop(0))
                continue
            for func in tuple(self.roots.values())[done:]:
                done += 1
                given = handlers.arguments_of(self, func)
                if given is not None:
                    self._root(func, given, handlers.page_of(self, func))
                elif func.code not in self._ran:
                    self._root(func, handlers.unknown_arguments(self, func), "")
        self.journal.undo(start)

    def _root(self, func: Func, arguments: list[Value], page: str) -> None:
        """Its changes are perhaps done: other functions may be called without it."""
        mark = self.journal.mark()
        path = func.code.module.path
        self._attempt(path, partial(self.apply, func, arguments, self._this_of(func), page))
        self.journal.merge({}, self.journal.undo(mark))

    def _this_of(self, func: Func) -> Value:
        if func.this is not None or func.home is None:
            return func.this or UNKNOWN
        return classes.sample_of(Frame(self, func.code.module, func.scope), func.home)

    def _attempt(self, path: str, work: Callable[[], object]) -> None:
        self.steps = max(0, self._spent - MOST_OF_ALL + MOST_STEPS)
        before = self.steps
        mark = self.journal.mark()
        try:
            work()
        except Exhausted:
            self.unseen[path] = "following its data takes too long"
            self.journal.undo(mark)
        except RecursionError:
            self.unseen[path] = "nested too deeply to follow its data"
            self.journal.undo(mark)
        finally:
            self._spent += self.steps - before
            self._depth = 0
            self._running.clear()

    # Functions

    def call(self, func: Func, arguments: list[Value], this: Value, frame: Frame, node: Node) -> Value:
        """The result of calling a function of the program; the way leads through the call."""
        step = frame.step(node, f"{func.code.name or 'function'}(…)")

        nameless = func.code.module is frame.module and func.scope is frame.scope and not func.code.name

        def entered(value: Value) -> Value:
            if nameless or not value.taints:
                return value
            return Value(value.shape, tuple(taint.at(step) for taint in value.taints))

        return self.apply(func, [entered(each) for each in arguments], this)

    def apply(self, func: Func, arguments: list[Value], this: Value, page: str = "") -> Value:
        code, arguments = func.code, [*func.given, *arguments]
        this = func.this if func.this is not None else this
        if self._running[code] >= 2 or self._depth >= DEEPEST_CALL:
            return _vague(arguments)
        key = self._key(func, arguments, this)
        if not page and (known := self._known.get(key)) is not None:
            self.journal.apply(known.effects)
            return known.again()
        if self._contexts[code] >= min(max(MOST_LINES // code.lines, 6), 60):
            return _vague(arguments)
        self._contexts[code] += 1
        self._ran.add(code)
        self._running[code] += 1
        self._depth += 1
        mark = self.journal.mark()
        try:
            result = self._run(func, arguments, this, page)
        except RecursionError:
            if self._depth == 1:
                raise
            return _vague(arguments)  # it is looked at by itself, too
        finally:
            self._depth -= 1
            self._running[code] -= 1
        shape = result.shape
        own = isinstance(shape, Obj) and not any(shape is each.shape for each in (this, *arguments))
        if self.journal.mark() - mark <= MOST_EFFECTS and not (own and isinstance(shape, Obj) and shape.type):
            self._known[key] = Summary(result, self.journal.since(mark), own)
        return result

    def _run(self, func: Func, arguments: list[Value], this: Value, page: str) -> Value:
        code = func.code
        frame = Frame(self, code.module, Scope(func.scope, function=True), this, func.home, code, page=page)
        patterns.bind(frame, code, arguments)
        if not code.arrow:
            frame.declare("arguments", array(arguments))
        body = code.body
        if body is None:
            return UNKNOWN
        if body.kind == "statement_block":
            statements.run_all(frame, body.children)
        else:
            statements.give(frame, frame.evaluate(body), body)
        merged(frame, frame.exits)
        return join_all(frame.returned) if frame.returned else UNDEFINED

    def _key(self, func: Func, arguments: list[Value], this: Value) -> Key:
        seen = (func.scope.find(name) for name in func.code.used)
        values = [*arguments, this, *(value for value in seen if value is not None)]
        versions = tuple(value.shape.entries.version for value in values if isinstance(value.shape, Obj))
        return (func.code, func.scope, len(arguments), tuple(values), versions)

    def found(self, func: Func) -> None:
        """A function of the program is made here. Of other files', what happens is said when they are looked at."""
        if func.code.module is self._module:
            self.roots[func.code] = func


def _vague(arguments: list[Value]) -> Value:
    """The result of a function that is not run: whatever it is given may be in it."""
    return tainted(united(*(taints_in(value) for value in arguments)))
