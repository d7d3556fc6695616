"""What the rules of compliance look at: models, endpoints, what each endpoint runs and what that does to which model.

Made once a verification and shared by the profiles' checks.
"""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from omni.verify.analysis.effects import Effects
from omni.verify.analysis.express import LANGUAGES, Change, Scripts, read_scripts
from omni.verify.analysis.handlers import Endpoint, before, code_of, python_endpoints
from omni.verify.analysis.places import BESIDE_THE_PRODUCT
from omni.verify.analysis.program import Program, Routine, read_program
from omni.verify.analysis.sensitive import Family, kind_of
from omni.verify.analysis.stored import (
    Model,
    Stored,
    core_tables,
    prisma_models,
    python_models,
    sql_models,
    typeorm_models,
)
from omni.verify.check import Context
from omni.verify.files import File

MIGRATION = re.compile(r"(^|/)(migrations|versions|alembic)/")


@dataclass(frozen=True)
class Place:
    """Where a rule is broken, and what is there."""

    path: str
    line: int | None
    message: str


@dataclass(frozen=True, eq=False)
class Sensitive:
    """A stored field that has to be protected."""

    model: Model
    field: Stored
    kind: str
    """`email`, `diagnosis`, …"""

    @property
    def shown(self) -> str:
        return f"{self.model.table or self.model.name}.{self.field.name}"


@dataclass
class Facts:
    """Of the product: tests, examples, documentation and tools are left out."""

    context: Context
    program: Program
    scripts: Scripts
    models: tuple[Model, ...]
    endpoints: tuple[Endpoint, ...]
    effects: Effects
    _code: dict[int, tuple[Routine, ...]] = field(default_factory=dict)

    def sensitive(self, family: Family) -> Iterator[Sensitive]:
        for model in self.models:
            for each in model.fields:
                if each.holds_data and (kind := kind_of(each.name, family, model.name)):
                    yield Sensitive(model, each, kind)

    def models_with(self, family: Family) -> dict[str, Model]:
        """By name: the models that hold such data, each once."""
        return {each.model.name: each.model for each in self.sensitive(family)}

    def code(self, endpoint: Endpoint) -> tuple[Routine, ...]:
        """Every function that may run for it, in Python."""
        if id(endpoint) not in self._code:
            self._code[id(endpoint)] = code_of(self.program, endpoint)
        return self._code[id(endpoint)]

    def text(self, endpoint: Endpoint) -> str:
        """All code that may run for it, and the expressions that stand before it."""
        view = [ast.unparse(endpoint.view.node)] if endpoint.view is not None else []
        guards = [ast.unparse(guard.node) for guard in endpoint.guards]
        return "\n".join([endpoint.text, *view, *guards, *(each.text for each in self.code(endpoint))])

    def before(self, endpoint: Endpoint) -> tuple[Routine, ...]:
        """What runs before the handler, with what that calls."""
        found = {each.name: each for start in before(self.program, endpoint) for each in self.program.reach(start)}
        return tuple(found.values())

    def changes(self, endpoint: Endpoint) -> tuple[Change, ...]:
        """What the endpoint does to models."""
        found = [
            Change(effect.kind, effect.model, routine.path, effect.line)
            for routine in self.code(endpoint)
            for effect in self.effects.of(routine)
        ]
        if endpoint.view is not None and not found:
            model = next(
                (each for base in [endpoint.view.node] if (each := self.effects.named_in(endpoint.view.module, base))),
                None,
            )
            kind = {"GET": "read", "POST": "create", "DELETE": "delete"}.get(endpoint.method, "update")
            found += [Change(kind, model, endpoint.file, endpoint.line)] if model is not None else []
        if endpoint.text:
            found += self.scripts.changes(self.models, endpoint.text, endpoint.file, endpoint.line)
        return tuple(found)

    @cached_property
    def everything(self) -> str:
        """All code of the product without comments: for what holds for the program as a whole."""
        python = (self.program.modules[name].tree for name in sorted(self.program.modules))
        return "\n".join([*(ast.unparse(tree) for tree in python), *self.scripts.texts.values(), *self.sql])

    @cached_property
    def sql(self) -> tuple[str, ...]:
        files = (file for file in self.context.files if file.language == "sql")
        return tuple(re.sub(r"--[^\n]*", "", self.context.text(file)) for file in files)


def read_facts(context: Context) -> Facts:
    program = read_program(context)
    scripts = read_scripts(context)
    models = [*python_models(program), *core_tables(program)]
    for file in context.files:
        if file.path.endswith(".prisma"):
            models += prisma_models(file.path, context.text(file))
        elif file.language in LANGUAGES:
            models += typeorm_models(file.path, scripts.texts[file.path])
    known = {each.table.lower() for each in models}
    for file in context.files:
        if file.language == "sql":
            models += (each for each in sql_models(file.path, context.text(file)) if each.table.lower() not in known)
    endpoints = (*python_endpoints(program), *scripts.endpoints())
    return Facts(context, program, scripts, tuple(models), endpoints, Effects(program, models))


_lock = threading.Lock()
_last: list[tuple[tuple[Path, tuple[File, ...]], Facts]] = []


def facts_of(context: Context) -> Facts:
    """The product's facts; the last ones are kept, since several checks of one run ask for the same."""
    product = tuple(each for each in context.files if not BESIDE_THE_PRODUCT.search(each.path))
    key = (context.root, product)
    with _lock:
        if not _last or _last[0][0] != key:
            _last[:] = [(key, read_facts(replace(context, files=product)))]
        return _last[0][1]
