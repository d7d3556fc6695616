"""The abstract interpreter: it runs each function on what is known, at most once for each different knowledge."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping

from omni.verify.analysis.python import imports
from omni.verify.dataflow import binding, expressions, statements
from omni.verify.dataflow.binding import Arguments
from omni.verify.dataflow.frame import Frame
from omni.verify.dataflow.model import Models
from omni.verify.dataflow.pages import Pages
from omni.verify.dataflow.project import Class, Function, FunctionNode, Module, Project
from omni.verify.dataflow.summary import Callee, Hit, Summary
from omni.verify.dataflow.value import (
    UNKNOWN,
    ClassRef,
    Instance,
    ModuleRef,
    Ref,
    Step,
    Value,
    blurred,
    join_all,
    tainted,
    taints_in,
    united,
)
from omni.verify.parsing import parse_python, walk

MOST_STEPS = 150_000
"""Expressions and statements that are run for one function that is looked at."""
MOST_LINES = 4000
"""Of one function, over all the different arguments that it is run on; then it is run on less exact ones."""
DEEPEST_CALL = 8


class Exhausted(Exception):  # noqa: N818 - read as "raise Exhausted"
    """It takes too long to find out."""


class Machine:
    def __init__(self, project: Project, models: Models, templates: Pages) -> None:
        self.project = project
        self.models = models
        self.templates = templates
        self.hits: dict[Hit, Hit] = {}
        self.handlers: dict[Function, Callee] = {}
        """Functions that a framework calls, and …"""
        self.arguments: dict[Function, tuple[Value, ...]] = {}
        """… with what."""
        self.pages: set[Function] = set()
        """Handlers whose result is shown as HTML."""
        self.fixed: dict[Function | None, tuple[str, ...]] = {}
        """Sources that hold nothing untrusted in a handler: its path is written out."""
        self.steps = 0
        self._depth = 0
        self._known: dict[tuple[Function, tuple[Value, ...]], Summary] = {}
        self._contexts: Counter[Function] = Counter()
        self._running: set[Function] = set()
        self._stubs: dict[str, Module] = {}
        self._defaults: dict[int, Value] = {}
        self._imports: dict[Module, frozenset[str]] = {}
        self._used: dict[FunctionNode, frozenset[str]] = {}
        self._roots: dict[tuple[ast.AST, Module], Callee] = {}

    def evaluate(self, frame: Frame, node: ast.expr) -> Value:
        self.tick()
        handler = expressions.HANDLERS.get(type(node))
        return handler(frame, node) if handler else UNKNOWN

    def run(self, frame: Frame, body: list[ast.stmt]) -> bool:
        for statement in body:
            self.tick()
            handler = statements.HANDLERS.get(type(statement))
            if handler is not None and not handler(frame, statement):
                return False
        return True

    def tick(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Exhausted

    def report(self, hit: Hit) -> None:
        known = self.hits.get(hit)
        if known is None or len(hit.taint.steps) < len(known.taint.steps):
            self.hits[hit] = hit

    # Modules

    def module(self, name: str) -> Module | None:
        """A module of the project, or the model of one of a library; its globals are known then."""
        found = self.project.find(name) or self._stub(name)
        if found is not None:
            self.load(found)
        return found

    def load(self, module: Module) -> None:
        if module.state != "new":
            return
        module.state = "running"
        frame = Frame(self, module, names=module.names)
        self.run(frame, module.tree.body)
        if frame.names is not module.names:  # branches and loops make new ones
            module.names.update(frame.names)
        module.state = "done"

    def imports(self, module: Module) -> frozenset[str]:
        """Top-level packages that the module imports."""
        if module not in self._imports:
            self._imports[module] = frozenset(each.module.split(".")[0] for each in imports(module.tree))
        return self._imports[module]

    def _stub(self, name: str) -> Module | None:
        if name not in self._stubs and name in self.models.stubs:
            tree = parse_python(self.models.stubs[name].python)
            self._stubs[name] = Module(name, "", tree, library=True)
        return self._stubs.get(name)

    def imported(self, name: str) -> Value:
        """What a dotted name of another module stands for."""
        module = self.module(name)
        if module is not None and not module.library:
            return Value(ModuleRef(module))
        head, _, tail = name.rpartition(".")
        if head and (holder := self.module(head)) is not None:
            if tail in holder.names:
                return holder.names[tail]
            if not holder.library:
                return UNKNOWN
        return Value(Ref(self.models.canonical(name)))

    # Functions

    def default(self, function: Function, node: ast.expr) -> Value:
        """Of a parameter that nothing is given for."""
        if id(node) not in self._defaults:
            self._defaults[id(node)] = Frame(self, function.module).evaluate(node)
        return self._defaults[id(node)]

    def found(self, callee: Callee) -> None:
        """A function of the project was defined."""
        if not callee.function.module.library:
            self._roots[callee.function.node, callee.function.module] = callee

    def roots(self) -> Iterator[Callee]:
        """Every function once, also those that are defined while others are run."""
        done: set[ast.AST] = set()
        while waiting := [callee for (node, _), callee in self._roots.items() if node not in done]:
            for callee in waiting:
                done.add(callee.function.node)
                yield callee

    def look_at(self, callee: Callee) -> None:
        """Run the function as a framework would call it, or on arguments of which nothing is known."""
        function = callee.function
        frame = Frame(self, function.module)
        handler = self.handlers.get(function)
        if handler is not None:
            self.run_on(handler, self.arguments[function], frame, function.node)
            return
        unknown = [UNKNOWN] * len(binding.names(function))
        if function.owner is not None and function.parameters and function.kind in {"", "property"}:
            unknown[0] = Value(Instance(function.owner, {}))
        elif function.owner is not None and function.parameters and function.kind == "class":
            unknown[0] = Value(ClassRef(function.owner))
        self.run_on(callee, tuple(unknown), frame, function.node)

    def run_on(self, callee: Callee, values: tuple[Value, ...], frame: Frame, node: ast.AST) -> Value:
        """The result of a function on these values, one for each of its parameters."""
        return self._apply(callee, list(values), Arguments(), frame, node, None)

    def reset(self) -> None:
        """After one that was broken off."""
        self._depth = 0
        self._running.clear()

    def call(self, callee: Callee, arguments: Arguments, frame: Frame, node: ast.AST) -> Value:
        """The result of calling a function of the project; what it does to its arguments is in `Arguments.after`."""
        bound = binding.bind(self, callee, arguments)
        return self._apply(callee, bound, arguments, frame, node, frame.step(node, f"{callee.function.name}(…)"))

    def _apply(
        self, callee: Callee, bound: list[Value], arguments: Arguments, frame: Frame, node: ast.AST, step: Step | None
    ) -> Value:
        if callee.closure is not None:  # it sees the values of this very run
            return self._apply_nested(callee, bound, arguments, frame)
        symbols = binding.Symbols()
        key = tuple(symbols.replace(value) for value in bound)
        summary = self._summary(callee, key)
        if summary is None:
            taints = united(*(taints_in(value) for value in bound))
            return tainted(taints)
        back = binding.Restorer(
            symbols.actual,
            None if callee.function.module.library else step,
            frame.step(node, f"{callee.function.name}(…)"),
        )
        for hit in summary.hits:
            frame.hit_taint(back.hit(hit))
        arguments.after = {index: back.value(summary.arguments[index]) for index in summary.changed}
        return back.value(summary.result)

    def _apply_nested(self, callee: Callee, bound: list[Value], arguments: Arguments, frame: Frame) -> Value:
        summary = self._summary(callee, tuple(bound))
        if summary is None:
            return tainted(united(*(taints_in(value) for value in bound)))
        for hit in summary.hits:
            frame.hit_taint(hit)
        arguments.after = {index: summary.arguments[index] for index in summary.changed}
        return summary.result

    def visible(self, node: FunctionNode, *scopes: Mapping[str, Value]) -> dict[str, Value]:
        """What a nested function uses of what is around it; the later scopes hide the earlier."""
        if node not in self._used:
            self._used[node] = frozenset(each.id for each in walk(node) if isinstance(each, ast.Name))
        return {name: scope[name] for scope in scopes for name in self._used[node] if name in scope}

    def _summary(self, callee: Callee, key: tuple[Value, ...]) -> Summary | None:
        function = callee.function
        memorable = callee.closure is None
        if memorable and (known := self._known.get((function, key))) is not None:
            return known
        if function in self._running or self._depth >= DEEPEST_CALL:
            return None
        if not function.module.library:
            most = min(max(MOST_LINES // function.lines, 8), 400)
            if self._contexts[function] >= 2 * most:
                return None
            if self._contexts[function] >= most and (vague := tuple(blurred(value) for value in key)) != key:
                return self._summary(callee, vague)
            self._contexts[function] += memorable
        self._running.add(function)
        self._depth += 1
        try:
            summary = self._run_function(callee, key)
        finally:
            self._depth -= 1
            self._running.discard(function)
        if memorable:
            self._known[function, key] = summary
        return summary

    def _run_function(self, callee: Callee, key: tuple[Value, ...]) -> Summary:
        function = callee.function
        names = binding.names(function)
        frame = Frame(self, function.module, function, dict(zip(names, key, strict=True)), callee.closure or {})
        frame.owner = function.owner
        if isinstance(function.node, ast.Lambda):
            result = frame.evaluate(function.node.body)
        else:
            self.run(frame, function.node.body)
            result = binding.result(frame)
        after = tuple(frame.names.get(name, before) for name, before in zip(names, key, strict=True))
        changed = frozenset(
            index for index, (value, before) in enumerate(zip(after, key, strict=True))
            if value is not before and names[index] not in frame.rebound
        )  # fmt: skip
        return Summary(result, after, changed, tuple(frame.hits))

    def instantiate(self, kind: Class, arguments: Arguments, frame: Frame, node: ast.AST) -> Value:
        """A new object of a class of the project."""
        given = taints_in(join_all([*arguments.positional, *arguments.named.values(), *arguments.rest]))
        init = kind.member("__init__")
        if init is not None and isinstance(init.shape, Callee):
            new = Value(Instance(kind, {}))
            self.call(Callee(init.shape.function, new, init.shape.closure), arguments, frame, node)
            made = arguments.after.get(0, new)
            outside = next(kind.outside(), None)
            return Value(made.shape, given) if outside and not kind.fields and not made.shape else made
        fields = [name for each in reversed([*kind.lineage()]) for name in each.fields]
        attributes = dict(zip(fields, arguments.positional, strict=False)) | arguments.named
        loose = bool(arguments.rest) or (not fields and bool(arguments.positional))
        return Value(Instance(kind, attributes), given if loose else ())
