"""What a function does to what is stored: which model it creates, changes, deletes or reads, and where."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from omni.verify.analysis.program import Program, Routine
from omni.verify.analysis.python import dotted, last_name, text_of
from omni.verify.analysis.stored import Model
from omni.verify.parsing import walk

Kind = Literal["create", "update", "delete", "read"]

CALLS: Mapping[str, Kind] = {
    "insert": "create", "create": "create", "bulk_create": "create", "get_or_create": "create", "create_user": "create",
    "acreate": "create", "update_or_create": "update", "update": "update", "bulk_update": "update", "aupdate": "update",
    "delete": "delete", "adelete": "delete",
    "select": "read", "get": "read", "query": "read", "all": "read", "filter": "read", "first": "read",
    "exclude": "read",
    "get_object_or_404": "read", "get_list_or_404": "read", "get_or_404": "read", "aget": "read", "scalar": "read",
    "values": "read", "values_list": "read", "get_one": "read",
}  # fmt: skip
"""Function or method → what it does to the model that it is given, or that it is called on."""
SQL = re.compile(
    r"\b(?:(?P<create>insert\s+(?:or\s+\w+\s+)?into)|(?P<update>update)|(?P<delete>delete\s+from)|(?P<read>from|join))\s+"
    r"(?:[\"`\[]?\w+[\"`\]]?\.)?[\"`\[]?(?P<table>\w+)",
    re.IGNORECASE,
)
SQL_START = re.compile(r"\A\s*(insert|update|delete|select|with)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Effect:
    kind: Kind
    model: Model
    routine: Routine
    node: ast.AST
    """Where."""

    @property
    def line(self) -> int:
        return int(getattr(self.node, "lineno", self.routine.node.lineno))

    @property
    def writes(self) -> bool:
        return self.kind != "read"


class Effects:
    """Of a program's functions, each looked at once."""

    def __init__(self, program: Program, models: Iterable[Model]) -> None:
        self._program = program
        found = list(models)
        self._by_class = {each.cls.name: each for each in found if each.cls is not None}
        self._by_variable = {f"{each.module}.{each.name}": each for each in found if each.module and each.cls is None}
        self._by_table = {each.table.lower(): each for each in found if each.table}
        self._known: dict[str, tuple[Effect, ...]] = {}

    def of(self, routine: Routine) -> tuple[Effect, ...]:
        if routine.name not in self._known:
            self._known[routine.name] = tuple(self._find(routine))
        return self._known[routine.name]

    def model_of(self, module: str, node: ast.AST) -> Model | None:
        """The model that a name means."""
        if not isinstance(node, ast.Name | ast.Attribute):
            return None
        full = self._program.resolve(module, dotted(node))
        return self._by_class.get(full) or self._by_variable.get(full)

    def named_in(self, module: str, node: ast.AST | None) -> Model | None:
        """The first model that an expression names."""
        if node is None:
            return None
        written = text_of(node)
        if written is not None and written.isidentifier():
            return self.model_of(module, ast.Name(written, ast.Load()))
        found = (self.model_of(module, each) for each in walk(node))
        return next((each for each in found if each is not None), None)

    def variables(self, routine: Routine) -> dict[str, Model]:
        """Variable → the model that it holds a row of."""
        held: dict[str, Model] = {}
        arguments = routine.node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if model := self.named_in(routine.module, argument.annotation):
                held[argument.arg] = model
        if routine.owner is not None and (own := self._by_class.get(routine.owner.name)):
            held["self"] = own
        for node in walk(routine.node):
            if isinstance(node, ast.Assign):
                model = self._made(routine, node.value)
                held |= {dotted(target): model for target in node.targets if model is not None}
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.For | ast.AsyncFor):
                value = node.iter if isinstance(node, ast.For | ast.AsyncFor) else node.value
                said = node.annotation if isinstance(node, ast.AnnAssign) else None
                model = self.named_in(routine.module, said) or (self._made(routine, value) if value else None)
                if model is not None:
                    held[dotted(node.target)] = model
        return held

    def _made(self, routine: Routine, value: ast.expr) -> Model | None:
        """The model of what an expression gives: it names one, or calls a function that says it returns one."""
        if model := self.named_in(routine.module, value):
            return model
        call = value.value if isinstance(value, ast.Await) else value
        if isinstance(call, ast.Call):
            for called in self._program.referred(routine.module, call.func, routine):
                if model := self.named_in(called.module, called.node.returns):
                    return model
        return None

    def _find(self, routine: Routine) -> Iterator[Effect]:
        held = self.variables(routine)
        for node in walk(routine.node):
            if isinstance(node, ast.Call):
                yield from self._call(routine, node, held)
            elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    model = held.get(dotted(target.value)) if isinstance(target, ast.Attribute) else None
                    if model is not None and _has(model, dotted(target).rpartition(".")[2]):
                        yield Effect("update", model, routine, node)
            elif (written := text_of(node)) is not None and SQL_START.match(written):
                yield from self._statement(routine, node, written)

    def _call(self, routine: Routine, node: ast.Call, held: dict[str, Model]) -> Iterator[Effect]:
        if model := self.model_of(routine.module, node.func):
            yield Effect("create", model, routine, node)
            return
        name = last_name(node.func)
        if name == "setattr" and node.args and (model := held.get(dotted(node.args[0]))):
            yield Effect("update", model, routine, node)
        if isinstance(node.func, ast.Attribute):
            holder = node.func.value
            if name in {"delete", "adelete"} and node.args and (model := held.get(dotted(node.args[0]))):
                yield Effect("delete", model, routine, node)
                return
            row = None if isinstance(holder, ast.Call) else held.get(dotted(holder))
            if row is not None and name in {"delete", "adelete", "save", "asave"}:
                yield Effect("delete" if "delete" in name else "update", row, routine, node)
                return
            if name in CALLS and (model := self.named_in(routine.module, holder)):
                yield Effect(CALLS[name], model, routine, node)
                return
        if name in CALLS and node.args and (model := self.named_in(routine.module, node.args[0])):
            yield Effect(CALLS[name], model, routine, node)

    def _statement(self, routine: Routine, node: ast.AST, written: str) -> Iterator[Effect]:
        for found in SQL.finditer(written):
            model = self._by_table.get(found["table"].lower())
            if model is not None:
                kinds: tuple[Kind, ...] = ("create", "update", "delete", "read")
                yield Effect(next(kind for kind in kinds if found[kind]), model, routine, node)


def _has(model: Model, attribute: str) -> bool:
    return any(attribute in {each.attribute, each.name} for each in model.fields)
