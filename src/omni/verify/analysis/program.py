"""A Python program as one: its functions and classes by name, and what each can reach.

Calls are followed by name: through imports, `self`, annotated parameters, what a variable was made from, and functions
that are handed over (`Depends(current_user)`, decorators, callbacks). A method of something unknown is followed when
few classes of the program have one of that name. So `reach` may hold a little too much, and misses what is called
through containers, strings and libraries.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from omni.verify.analysis.modules import module_name
from omni.verify.analysis.python import Function, dotted, last_name, package_of, text_of
from omni.verify.parsing import children, walk

if TYPE_CHECKING:
    from omni.verify.check import Context

FEW = 3
"""Classes that may share a method's name, for it to be followed without knowing the object."""
COMMON = frozenset(
    {
        "add", "all", "append", "close", "commit", "count", "delete", "dict", "execute", "filter", "first", "flush",
        "format", "get", "info", "items", "join", "json", "keys", "one", "pop", "read", "refresh", "rollback", "run",
        "save", "scalar", "scalars", "send", "set", "split", "update", "values", "write",
    }
)  # fmt: skip
"""Methods of every second library; they say nothing about which of our classes is meant."""


@dataclass(frozen=True, eq=False)
class Class:
    name: str
    """`app.models.User`"""
    node: ast.ClassDef
    module: str
    path: str

    @property
    def short(self) -> str:
        return self.node.name


@dataclass(frozen=True, eq=False)
class Routine:
    """A function or method."""

    name: str
    node: Function
    module: str
    path: str
    owner: Class | None = None

    @cached_property
    def text(self) -> str:
        """Its code with decorators, without comments and docstring; written anew, so only names and values matter."""
        return "\n".join([*(ast.unparse(each) for each in self.node.decorator_list), _signature(self.node), self.body])

    @cached_property
    def body(self) -> str:
        return "\n".join(ast.unparse(each) for each in self.node.body if not _says_only(each))


def _signature(node: Function) -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"def {node.name}({ast.unparse(node.args)}){returns}:"


def _says_only(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and text_of(statement.value) is not None


@dataclass
class Module:
    name: str
    path: str
    tree: ast.Module
    names: dict[str, str] = field(default_factory=dict)
    """Local name → what it stands for, of imports."""
    constants: dict[str, ast.expr] = field(default_factory=dict)
    """Name → what it was given, at the top of the module."""


class Program:
    def __init__(self) -> None:
        self.modules: dict[str, Module] = {}
        self.routines: dict[str, Routine] = {}
        self.classes: dict[str, Class] = {}
        self._reach: dict[str, tuple[Routine, ...]] = {}
        self._roots: dict[str, list[str]] = {}
        """Name of a package → the folders that hold one."""

    def add(self, name: str, path: str, tree: ast.Module) -> None:
        self._roots.clear()
        module = self.modules[name] = Module(name, path, tree, dict(_imported(name, path, tree)))
        for statement in tree.body:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
                for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
                    if isinstance(target, ast.Name):
                        module.constants[target.id] = statement.value
        self._declare(module, tree, name, None)

    def _declare(self, module: Module, node: ast.AST, prefix: str, owner: Class | None) -> None:
        for child in children(node):
            if isinstance(child, Function):
                name = f"{prefix}.{child.name}"
                self.routines[name] = Routine(name, child, module.name, module.path, owner)
                self._declare(module, child, name, None)
            elif isinstance(child, ast.ClassDef):
                name = f"{prefix}.{child.name}"
                found = self.classes[name] = Class(name, child, module.name, module.path)
                self._declare(module, child, name, found)
            elif not isinstance(child, ast.expr):
                self._declare(module, child, prefix, owner)

    @cached_property
    def methods(self) -> dict[str, list[Routine]]:
        found: dict[str, list[Routine]] = defaultdict(list)
        for routine in self.routines.values():
            if routine.owner is not None:
                found[routine.node.name].append(routine)
        return found

    @cached_property
    def classes_by_name(self) -> dict[str, list[Class]]:
        found: dict[str, list[Class]] = defaultdict(list)
        for each in self.classes.values():
            found[each.short].append(each)
        return found

    def resolve(self, module: str, name: str) -> str:
        """What a dotted name in a module stands for, as a full name; through packages that pass it on."""
        first, _, rest = name.partition(".")
        here = self.modules.get(module)
        if here is None:
            return name
        base = here.names.get(first, f"{module}.{first}")
        full = self._rooted(module, f"{base}.{rest}" if rest else base)
        for _ in range(4):
            if full in self.routines or full in self.classes or full in self.modules:
                break
            holder, _, last = full.rpartition(".")
            passed = self.modules[holder].names.get(last) if holder in self.modules else None
            if passed is None:
                break
            full = self._rooted(holder, passed)
        return full

    def _rooted(self, module: str, name: str) -> str:
        """`backend.app.db.User` for `app.db.User`, where imports start at the folder `backend`, which is no package."""
        top = name.partition(".")[0]
        if top not in self._roots:
            self._roots[top] = self._roots_of(top)
        roots = self._roots[top]
        around = [root for root in roots if module.startswith(f"{root}.")] or roots
        return f"{around[0]}.{name}" if len(around) == 1 else name

    def _roots_of(self, top: str) -> list[str]:
        """The folders that hold a package of this name; none where it is at the top, or Python's own."""
        if top in sys.stdlib_module_names or any(each.partition(".")[0] == top for each in self.modules):
            return []
        places = ((name, f".{name}.".find(f".{top}.")) for name in self.modules)
        roots = {name[: at - 1] for name, at in places if at > 0 and name.partition(".")[0] not in self.modules}
        return sorted(root for root in roots if root not in self.modules)

    def constant(self, module: str, name: str) -> tuple[str, ast.expr] | None:
        """(its module, what it was given) of a name of the top level, here or imported."""
        full = self.resolve(module, name)
        holder, _, last = full.rpartition(".")
        value = self.modules[holder].constants.get(last) if holder in self.modules else None
        return (holder, value) if value is not None else None

    def find_class(self, module: str, node: ast.AST | None, depth: int = 0) -> Class | None:
        """The class of the program that a name or annotation means; `X | None` and `Annotated[X, …]` are X."""
        for name in _names_in(node):
            found = self.classes.get(self.resolve(module, name))
            constant = self.constant(module, name) if found is None and depth < 3 else None
            if constant is not None and isinstance(constant[1], ast.Subscript):
                found = self.find_class(constant[0], constant[1], depth + 1)
            if found is not None:
                return found
        return None

    def bases(self, found: Class) -> Iterator[str]:
        """The names of all its bases, those of its bases too."""
        seen: set[str] = set()
        queue = [found]
        while queue:
            current = queue.pop()
            for base in current.node.bases:
                name = dotted(base.value if isinstance(base, ast.Subscript) else base)
                full = self.resolve(current.module, name)
                if full not in seen:
                    seen.add(full)
                    yield full
                    if full in self.classes:
                        queue.append(self.classes[full])

    def method(self, found: Class, name: str) -> Routine | None:
        """By name, of the class or a base of it."""
        for each in (found.name, *self.bases(found)):
            if routine := self.routines.get(f"{each}.{name}"):
                return routine
        return None

    def reach(self, routine: Routine) -> tuple[Routine, ...]:
        """The routine and all that it can call, nearest first."""
        if routine.name not in self._reach:
            found = {routine.name: routine}
            queue = [routine]
            while queue:
                for called in self.called(queue.pop(0)):
                    if called.name not in found:
                        found[called.name] = called
                        queue.append(called)
            self._reach[routine.name] = tuple(found.values())
        return self._reach[routine.name]

    def called(self, routine: Routine) -> Iterator[Routine]:
        yield from self.referred(routine.module, routine.node, routine)

    def referred(self, module: str, node: ast.AST, within: Routine | None = None, depth: int = 0) -> Iterator[Routine]:
        """Every routine of the program that an expression or a function names."""
        kinds = self.kinds(within) if within is not None else {}
        for each in walk(node):
            if isinstance(each, ast.Name | ast.Attribute) and isinstance(each.ctx, ast.Load):
                yield from self._meant(module, each, within, kinds, depth)

    def _meant(
        self, module: str, node: ast.Name | ast.Attribute, within: Routine | None, kinds: dict[str, Class], depth: int
    ) -> Iterator[Routine]:
        name = dotted(node)
        if not name or name.startswith("."):
            holder, last = "", node.attr if isinstance(node, ast.Attribute) else ""
        else:
            full = self.resolve(module, name)
            if full in self.routines:
                yield self.routines[full]
                return
            if full in self.classes:
                made = (self.method(self.classes[full], each) for each in ("__init__", "__call__", "__post_init__"))
                yield from (each for each in made if each is not None)
                return
            constant = self.constant(module, name)
            if constant is not None and depth < 3:
                yield from self.referred(*constant, depth=depth + 1)
                return
            holder, _, last = name.rpartition(".")
        if not isinstance(node, ast.Attribute):
            return
        owner = within.owner if within is not None and holder in {"self", "cls"} else kinds.get(holder)
        if owner is not None and (method := self.method(owner, last)):
            yield method
        elif owner is None and last not in COMMON and len(self.methods.get(last, ())) <= FEW:
            yield from self.methods.get(last, ())

    def kinds(self, routine: Routine) -> dict[str, Class]:
        """Variable → class of the program that it holds, as far as the function and its class say."""
        found: dict[str, Class] = {}
        arguments = routine.node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if kind := self.find_class(routine.module, argument.annotation):
                found[argument.arg] = kind
        for each in walk(routine.node):
            if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call):
                if kind := self.find_class(routine.module, each.value.func):
                    found |= {dotted(target): kind for target in each.targets}
            elif isinstance(each, ast.AnnAssign) and (kind := self.find_class(routine.module, each.annotation)):
                found[dotted(each.target)] = kind
        init = self.routines.get(f"{routine.owner.name}.__init__") if routine.owner else None
        if init is not None and init is not routine:
            given = self.kinds(init)
            found |= {name: kind for name, kind in given.items() if name.startswith("self.")}
            for each in walk(init.node):
                if isinstance(each, ast.Assign) and isinstance(each.value, ast.Name) and each.value.id in given:
                    found |= {dotted(target): given[each.value.id] for target in each.targets}
        return found

    @cached_property
    def callers(self) -> dict[str, list[Routine]]:
        found: dict[str, list[Routine]] = defaultdict(list)
        for routine in self.routines.values():
            for called in {each.name for each in self.called(routine)}:
                found[called].append(routine)
        return found


def _names_in(node: ast.AST | None) -> Iterator[str]:
    """Every dotted name of an annotation; text is read as one."""
    if node is None:
        return
    written = text_of(node)
    if written is not None:
        yield written.split("[")[0].strip()
        return
    if isinstance(node, ast.Name | ast.Attribute):
        yield dotted(node)
    elif isinstance(node, ast.Subscript):
        if last_name(node.value) not in {"Literal", "type", "Type"}:
            yield from _names_in(node.slice)
        yield dotted(node.value)
    elif isinstance(node, ast.BinOp):
        yield from _names_in(node.left)
        yield from _names_in(node.right)
    elif isinstance(node, ast.Tuple) and node.elts:
        yield from _names_in(node.elts[0])


def _imported(name: str, path: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = ".".join([*package_of(name, path, node.level), *filter(None, [node.module])])
            for alias in node.names:
                yield alias.asname or alias.name, f"{base}.{alias.name}" if base else alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (first, first)


def read_program(context: Context) -> Program:
    """The Python inputs as one program; files that do not parse are left to `syntax`."""
    program = Program()
    for file, tree in context.parsed_python():
        if isinstance(tree, ast.Module):
            program.add(module_name(file.path, context.project.source_roots), file.path, tree)
    return program
