"""Unfinished work: stubs, marks and filler that look like a result."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator

from omni.verify.analysis.python import Function, body_without_docstring, dotted, functions, last_name
from omni.verify.analysis.rule import Rule, numbered
from omni.verify.check import Check, Context, Item, Scope, Unseen
from omni.verify.files import File
from omni.verify.parsing import walk
from omni.verify.report import Severity

STUB = Rule(
    "placeholders",
    "stub",
    Severity.ERROR,
    why="A caller takes its silence, or its exception, for a result.",
    fix="Write the body, or remove the function. If doing nothing is right, a docstring saying so is enough.",
    cwe="CWE-1071",
)
UNFINISHED = Rule(
    "placeholders",
    "unfinished-mark",
    Severity.WARNING,
    why="Somebody knew that this is not done.",
    fix="Do it, or move it to the issue tracker and name the issue beside the mark.",
    cwe="CWE-546",
)
FILLER = Rule(
    "placeholders",
    "filler-text",
    Severity.WARNING,
    why="Filler reaches people, or a program that takes it for a value.",
    fix="Put the real text or value in its place, or read it from the configuration.",
)

MARK = re.compile(r"(?:#|//|/\*|<!--|\{#|--|;)[^\n]*?\b(?P<mark>TODO|FIXME|XXX|TBD)\b(?P<rest>[^\n]*)")
WORD = re.compile(r"TODO|FIXME|XXX|TBD")
TRACKED = re.compile(r"#\d+|[A-Z][A-Z0-9]+-\d+|https?://")
TEXT = re.compile(
    r"\blorem ipsum\b|\b(?:YOUR|INSERT|REPLACE)[ _-](?:WITH[ _-])?[A-Z]+(?:[ _-][A-Z]+)*[ _-]HERE\b"
    r"|<your[ -][a-z -]{1,60}>|\breplace[ _-]me\b|\bcoming soon\b",
    re.IGNORECASE,
)
EXAMPLES = re.compile(
    r"(^|/)(tests?|docs?|examples?|fixtures?|bench(marks?)?)/|(^|/)bench(mark)?[^/]*\.py$|\.example|\.sample|(^|/)(test_[^/]+|[^/]+_test)\.\w+$",
    re.IGNORECASE,
)
HANDLERS = frozenset({"get", "post", "put", "patch", "delete", "route", "websocket", "task", "command"})
"""Decorators that give a function to callers of other kinds: an empty one there is a stub all the same."""
NOTHING_ON_PURPOSE = re.compile(r"no_?op|nothing|dummy|null|ignore|discard|_+", re.IGNORECASE)


def run(context: Context) -> Iterator[Item]:
    for file in context.files:
        text = context.text(file)
        if file.language == "python":
            tree = context.parse_python(file)
            if isinstance(tree, Unseen):
                yield tree
            elif not file.path.endswith(".pyi") and not EXAMPLES.search(file.path):
                yield from _stubs(file, text, tree)
        yield from _marks(file, text)
        if not EXAMPLES.search(file.path):
            for number, line in numbered(text):
                for found in TEXT.finditer(line):
                    yield FILLER.at(file.path, number, f"filler: “{found[0]}”")


def _marks(file: File, text: str) -> Iterator[Item]:
    if not WORD.search(text):
        return
    commented = _python_comments(text) if file.language == "python" else text
    for number, line in numbered(commented):
        found = MARK.search(line) if WORD.search(line) else None
        if found and not TRACKED.search(found["rest"]):
            yield UNFINISHED.at(file.path, number, f"marked {found['mark']}", snippet=line)


def _python_comments(text: str) -> str:
    """The source with nothing left but its comments, each on its line."""
    lines = [""] * (text.count("\n") + 2)
    with contextlib.suppress(tokenize.TokenError, SyntaxError):  # `syntax` says so; what was read until here counts
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                lines[token.start[0] - 1] = token.string
    return "\n".join(lines)


def _stubs(file: File, text: str, tree: ast.Module) -> Iterator[Item]:
    lines = text.splitlines()
    bases = {last_name(base) for node in walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases}
    names = Counter((function.name, owner) for function, owner in functions(tree))
    defaults = {id(inner) for function, _ in functions(tree) for inner in walk(function) if _stands_in(inner, function)}
    typing = {id(inner) for node in walk(tree) if _for_types_only(node) for inner in walk(node)}
    for function, owner in functions(tree):
        kind = _empty(function)
        if owner and owner.name in bases:
            continue  # its subclasses fill it in
        if id(function) in typing | defaults or names[function.name, owner] > 1:
            continue  # one of two branches does nothing: the other one says what it is for
        if kind and _counts(function, owner, kind) and not _explained(function, lines):
            name = f"{owner.name}.{function.name}" if owner else function.name
            yield STUB.at(file.path, function.lineno, f"`{name}` {kind}")


def _stands_in(inner: ast.AST, outer: Function) -> bool:
    """`def log(text): pass` for the parameter `log` that nobody gave."""
    given = (*outer.args.posonlyargs, *outer.args.args, *outer.args.kwonlyargs)
    return isinstance(inner, Function) and inner is not outer and inner.name in {each.arg for each in given}


def _for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _empty(function: Function) -> str:
    """What the function does instead of its work; empty when it does something."""
    body = body_without_docstring(function)
    if len(body) != 1:
        return ""
    only = body[0]
    if isinstance(only, ast.Pass):
        return "does nothing (`pass`)"
    if isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant) and only.value.value is ...:
        return "has no body (`...`)"
    if isinstance(only, ast.Raise) and only.exc is not None and last_name(only.exc) == "NotImplementedError":
        return "only raises NotImplementedError"
    return ""


def _counts(function: Function, owner: ast.ClassDef | None, kind: str) -> bool:
    decorators = {last_name(each) for each in function.decorator_list}
    if decorators & HANDLERS and any(isinstance(each, ast.Call) for each in function.decorator_list):
        return not ("command" in decorators and "pass" in kind)
    if decorators or NOTHING_ON_PURPOSE.fullmatch(function.name.strip("_")):
        return False  # overload, abstractmethod, fixtures, hooks and groups have empty bodies by nature
    if owner is None:
        return True
    bases = {last_name(base) for base in owner.bases} | {last_name(each.value) for each in owner.keywords}
    if bases & {"Protocol", "ABC", "ABCMeta", "Interface"}:
        return False
    # A method that does nothing may be a default for subclasses; one without a body, or that raises, in a class that
    # is not made to be a base of others, is not.
    return "pass" not in kind and not owner.bases and not _is_base(owner)


def _is_base(owner: ast.ClassDef) -> bool:
    """By its name, or because its other methods call the empty ones: the template-method pattern."""
    if re.search(r"^_*(Abstract|Base|I[A-Z])|(Base|Mixin|Interface|Protocol|Backend|Adapter)$", owner.name):
        return True
    called = {dotted(node.func) for node in walk(owner) if isinstance(node, ast.Call)}
    return any(name.startswith("self.") for name in called)


def _explained(function: Function, lines: list[str]) -> bool:
    """A body of `pass` with a docstring, or a comment that says why."""
    written = lines[function.lineno - 1 : function.end_lineno]
    documented = len(body_without_docstring(function)) < len(function.body)
    is_pass = isinstance(function.body[-1], ast.Pass)
    return is_pass and (documented or any("#" in line for line in written))


CHECK = Check(
    id="placeholders",
    title="Nothing is unfinished",
    tier=1,
    scope=Scope.FILE,
    languages=(
        "python",
        "javascript",
        "typescript",
        "html",
        "jinja",
        "css",
        "shell",
        "sql",
        "yaml",
        "toml",
        "dockerfile",
    ),
    run=run,
)
