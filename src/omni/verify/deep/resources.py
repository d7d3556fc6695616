"""Files, sockets, connections and processes that a function opens, and that nobody closes.

A resource is its owner's: who opens it, or calls a function that returns it open. Handing it to a function of the
program that only uses it changes nothing; storing, returning or handing it to anything else makes it somebody else's
to close.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from omni.verify.analysis.program import Program, Routine
from omni.verify.deep.callee import callee, full_name, is_plain, own_nodes, parameter_of

OPENERS = {
    "open": "file",
    "io.open": "file",
    "codecs.open": "file",
    "gzip.open": "file",
    "bz2.open": "file",
    "lzma.open": "file",
    "tarfile.open": "archive",
    "zipfile.ZipFile": "archive",
    "shelve.open": "file",
    "os.fdopen": "file",
    "tempfile.NamedTemporaryFile": "file",
    "tempfile.TemporaryFile": "file",
    "urllib.request.urlopen": "connection",
    "socket.socket": "socket",
    "socket.create_connection": "socket",
    "sqlite3.connect": "connection",
    "psycopg.connect": "connection",
    "psycopg2.connect": "connection",
    "pymysql.connect": "connection",
    "http.client.HTTPConnection": "connection",
    "http.client.HTTPSConnection": "connection",
    "smtplib.SMTP": "connection",
    "smtplib.SMTP_SSL": "connection",
    "ftplib.FTP": "connection",
    "mmap.mmap": "mapping",
    "concurrent.futures.ThreadPoolExecutor": "pool",
    "concurrent.futures.ProcessPoolExecutor": "pool",
    "multiprocessing.Pool": "pool",
}
CLOSERS = frozenset(
    {"close", "shutdown", "terminate", "quit", "release", "stop", "disconnect", "aclose", "cleanup", "detach",
     "__exit__", "server_close", "unlink", "join", "abort", "kill"}
)  # fmt: skip


@dataclass(frozen=True)
class Leak:
    path: str
    line: int
    kind: str
    variable: str
    """Empty: it is used without ever having a name."""
    opener: Routine | None
    """The function of the program that returns it open."""
    opener_line: int = 0
    handed_to: str = ""
    """A function that it is handed to and that does not close it either."""


@dataclass
class Resources:
    program: Program

    @cached_property
    def returned(self) -> dict[str, tuple[str, int]]:
        """Function → (kind, line on which it is opened), of those that return what they opened."""
        found: dict[str, tuple[str, int]] = {}
        plain = [each for each in self.program.routines.values() if is_plain(each)]
        changed = True
        while changed:
            changed = False
            for routine in plain:
                if routine.name not in found and (given := self._returns(routine, found)):
                    found[routine.name], changed = given, True
        return found

    def _returns(self, routine: Routine, found: dict[str, tuple[str, int]]) -> tuple[str, int] | None:
        opened: dict[str, tuple[str, int]] = {}
        answers = []
        for node in own_nodes(routine.node):
            if isinstance(node, ast.Assign) and (kind := self._opened(routine, node.value, found)):
                opened |= {target.id: kind for target in node.targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.Return) and node.value is not None:
                answers.append(node.value)
        for value in answers:
            if isinstance(value, ast.Name) and value.id in opened:
                return opened[value.id]
            if kind := self._opened(routine, value, found):
                return kind
        return None

    def _opened(
        self, routine: Routine, value: ast.expr, returned: dict[str, tuple[str, int]]
    ) -> tuple[str, int] | None:
        """(kind, line) of what a call opens."""
        if not isinstance(value, ast.Call):
            return None
        if called := callee(self.program, routine, value):
            return returned.get(called.name)
        kind = OPENERS.get(full_name(self.program, routine, value))
        return (kind, value.lineno) if kind else None

    def leaks(self) -> Iterator[Leak]:
        for routine in self.program.routines.values():
            for node in own_nodes(routine.node):
                if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                    name = node.targets[0].id
                    kind = self._opened(routine, node.value, self.returned)
                    if kind and (handed := self._kept(routine, name)) is not None:
                        yield self._leak(routine, node.value, kind, name, handed)
                elif isinstance(node, ast.Attribute) and node.attr not in CLOSERS and isinstance(node.value, ast.Call):
                    called = callee(self.program, routine, node.value)
                    if called and called.name in self.returned:
                        yield self._leak(routine, node.value, self.returned[called.name], "", "")

    def _leak(self, routine: Routine, call: ast.expr, kind: tuple[str, int], name: str, handed: str) -> Leak:
        opener = callee(self.program, routine, call)
        return Leak(routine.path, call.lineno, kind[0], name, opener, kind[1] if opener else 0, handed)

    def _kept(self, routine: Routine, name: str) -> str | None:
        """None when it is closed or somebody else's; else a function that it was only lent to, or nothing."""
        handed, uses = "", _uses(routine)
        mine = [(parent, above) for node, parent, above in uses if node.id == name and isinstance(node.ctx, ast.Load)]
        stores = sum(node.id == name and isinstance(node.ctx, ast.Store) for node, _, _ in uses)
        if stores != 1:
            return None  # it may be the one or the other
        for parent, above in mine:
            if isinstance(parent, ast.Attribute):
                if parent.attr in CLOSERS or not isinstance(above, ast.Call | ast.Attribute):
                    return None
            elif isinstance(parent, ast.For | ast.comprehension):
                continue
            elif isinstance(parent, ast.Call) and (lent := self._lent(routine, parent, name)):
                handed = lent
            else:
                return None
        return handed

    def _lent(self, routine: Routine, call: ast.Call, name: str) -> str:
        """The function of the program that takes it and only uses it."""
        called = callee(self.program, routine, call)
        given = next((each for each in call.args if isinstance(each, ast.Name) and each.id == name), None)
        if called is None or given is None:
            return ""
        parameter = parameter_of(call, called, given)
        return called.node.name if parameter and self._only_used(called, parameter) else ""

    def _only_used(self, routine: Routine, name: str) -> bool:
        return all(
            (isinstance(parent, ast.Attribute) and parent.attr not in CLOSERS and isinstance(above, ast.Call))
            or isinstance(parent, ast.For | ast.comprehension)
            for node, parent, above in _uses(routine)
            if node.id == name
        )


def _uses(routine: Routine) -> list[tuple[ast.Name, ast.AST, ast.AST]]:
    """Every name in the function, those of functions in it too, with what holds it and what holds that."""
    found: list[tuple[ast.Name, ast.AST, ast.AST]] = []
    waiting: list[tuple[ast.AST, ast.AST, ast.AST]] = [(routine.node, routine.node, routine.node)]
    while waiting:
        node, parent, above = waiting.pop()
        if isinstance(node, ast.Name):
            found.append((node, parent, above))
        waiting.extend((child, node, parent) for child in ast.iter_child_nodes(node))
    return found
