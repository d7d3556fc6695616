"""The built-in checks' declarations, remembered, so that the module of a check is loaded only when the check runs.

They hold as long as no file of Omni's verification code and data changes. What can't be read or written is made anew.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TypeAlias, cast

from omni.kernel.files import write_atomic
from omni.verify.check import Check, Context, Item, Output, Parser, Runner

Declared: TypeAlias = tuple[str, Check]
"""(name of the module that declares it, or empty, and the check)."""
_ONE_AT_A_TIME = threading.Lock()
"""Two threads that import modules which import one another may see half of one."""


@cache
def engine_digest() -> str:
    """Of all of Omni's verification code and data, the locks of the tools among it: SHA-256, hex."""
    root = os.path.dirname(__file__)  # noqa: PTH120 - with a Path for each of some 500 files it takes twice as long
    whole = hashlib.sha256()
    for path in sorted(_files(root)):
        with open(path, "rb") as file:  # noqa: PTH123 - likewise
            whole.update(f"{path[len(root) :]}\0".encode() + hashlib.sha256(file.read()).digest())
    return whole.hexdigest()


def _files(folder: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _files(entry.path) if entry.name != "__pycache__" else ()
        elif entry.is_file() and not entry.name.endswith(".pyc"):
            yield entry.path


def remembered(file: Path, load: Callable[[], Iterable[Declared]]) -> Iterator[Check]:
    """The checks that `load` gives, from `file` where that is of the same code."""
    engine = f"{engine_digest()} {sys.version}"
    known = _read(file, engine)
    if known is not None:
        yield from known
        return
    declared = list(load())
    rows = [[module, *_parts(check)] for module, check in declared]
    with suppress(OSError):  # a full disk: they are loaded again
        write_atomic(file, json.dumps({"engine": engine, "checks": rows}, separators=(",", ":")))
    yield from (check for _, check in declared)


def _parts(check: Check) -> tuple[object, bool, bool]:
    fields = check.model_dump(mode="json", exclude={"run", "parse"}, exclude_defaults=True)
    return fields, check.run is not None, check.parse is not None


def _read(file: Path, engine: str) -> list[Check] | None:
    try:
        kept = json.loads(file.read_bytes())
        if kept["engine"] != engine:
            return None
        return [_revived(module, fields, runs, parses) for module, fields, runs, parses in kept["checks"]]
    except (OSError, ValueError, KeyError, TypeError):  # of pydantic's, too: they are ValueErrors
        return None


def _revived(module: str, fields: dict[str, object], runs: bool, parses: bool) -> Check:
    """The check with functions that load its module when they are called."""
    name = str(fields["id"])

    def run(context: Context) -> Iterable[Item]:
        return cast("Runner", _loaded(module, name).run)(context)

    def parse(context: Context, output: Output) -> Iterable[Item]:
        return cast("Parser", _loaded(module, name).parse)(context, output)

    functions = {"run": run if runs else None, "parse": parse if parses else None}
    return Check.model_validate(fields | functions)


def _loaded(module: str, name: str) -> Check:
    with _ONE_AT_A_TIME:
        declared = declared_in(importlib.import_module(module))
    return next(check for check in declared if isinstance(check, Check) and check.id == name)


def declared_in(source: object) -> tuple[object, ...]:
    """What a module declares, its `CHECKS` or its `CHECK`; anything else stands for itself."""
    given = getattr(source, "CHECKS", None) or getattr(source, "CHECK", source)
    return given if isinstance(given, tuple) else (given,)
