"""Data about people, their health and their cards never gets into logs.

Seen are calls of loggers (logging, structlog, loguru, `app.logger`, `console`), with the value as an argument, in an
f-string, in `extra`, or as a whole object of a class that holds such data. A value that is masked, hashed or counted
may be logged. A filter that is put on the loggers and whose patterns really match an e-mail address, a phone number,
an SSN or an IP address lets these kinds pass; its patterns are tried on samples.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from omni.verify.analysis.express import enclosed, without_comments
from omni.verify.analysis.places import BESIDE_THE_PRODUCT
from omni.verify.analysis.python import Function, dotted, last_name, text_of
from omni.verify.analysis.rule import Rule
from omni.verify.analysis.sensitive import Family, is_person, kind_of, snake
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.files import File
from omni.verify.parsing import walk
from omni.verify.report import Severity

LOGGED = Rule(
    "personal-data-in-logs",
    "personal-data-in-log",
    Severity.ERROR,
    why="Logs are kept for long, copied to many places and read by many who need not know it.",
    fix="Log the id instead, or mask the value: mask(email), hash, the last four digits.",
    cwe="CWE-532",
)
LEVELS = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "trace", "success"}
)
LOGS = re.compile(
    r"log\w*(\([^)]*\))?\.(debug|info|warn|error|exception|critical|fatal|log|trace|success|bind)", re.IGNORECASE
)
SPEAKS_OF_PEOPLE = re.compile(
    r"mail|phone|mobile|ssn|social_sec|passport|tax_|birth|dob|address|addr|street|zip|iban|account_number|card|cvv|cvc|"
    r"diagnos|medic|patient|treatment|symptom|surname|first_?name|last_?name|full_?name|user|customer|client|person",
    re.IGNORECASE,
)
"""In a file without such a word there is nothing to parse for."""
LOGGERS = re.compile(r"(^|[._])(log|logger|logging|_log|_logger|LOG|LOGGER|structlog)$")
SAFE_CALL = re.compile(
    r"mask|redact|scrub|hash|anonymi|pseudonymi|obfuscat|digest|sha\d|hmac|fingerprint|truncate_card|last_?(4|four)|censor|"
    r"^(len|bool|type|id|isinstance|any|all|count|sum)$",
    re.IGNORECASE,
)
FAMILIES: tuple[Family, ...] = ("personal", "health", "card_number", "card_code")
WHOLE = frozenset(
    {"model_dump", "dict", "json", "model_dump_json", "to_dict", "asdict", "vars", "__dict__", "repr", "str"}
)
SAMPLES = {
    "email": "jane.doe@mail.test", "phone": "+1 (415) 555-0132", "ssn": "078-05-1120", "ip": "203.0.113.7",
    "number": "4111 1111 1111 1111",
}  # fmt: skip
"""Kind → a value of it, that a scrubbing filter has to match."""
QUANTIFIED_GROUP = re.compile(r"\)\s*[*+]|\)\{")
SCRIPT_LOG = re.compile(
    r"\b(?:console|logger|log|winston|pino|req\.log|app\.log)\.(?:log|info|warn|error|debug|trace|fatal)\("
)
SCRIPT_VALUE = re.compile(r"(?<![\w.$'\"])((?:[A-Za-z_$][\w$]*\??\.)*[A-Za-z_$][\w$]*)(?!\s*[(:]|[\w$])")


def run(context: Context) -> Iterator[Item]:
    product = [file for file in context.files if not BESIDE_THE_PRODUCT.search(file.path)]
    passed = frozenset(_scrubbed(context, product))
    for file in product:
        text = context.text(file)
        if file.language != "python":
            yield from _script(file, text, passed)
        elif LOGS.search(text) and SPEAKS_OF_PEOPLE.search(text):
            tree = context.parse_python(file)
            yield from [tree] if isinstance(tree, Unseen) else _python(file, tree, passed)


@dataclass(frozen=True)
class _Scope:
    """What the names of one function hold."""

    records: frozenset[str]
    """Variables that hold a whole object about a person."""


def _python(file: File, tree: ast.Module, passed: frozenset[str]) -> Iterator[Item]:
    holders = _classes(tree)
    for function in (tree, *(node for node in walk(tree) if isinstance(node, Function))):
        scope = _Scope(frozenset(_records(function, holders)))
        for node in _own(function):
            if isinstance(node, ast.Call) and _is_log(node):
                found = [each for each in _values(node, scope) if each[1] not in passed]
                if found:
                    what = ", ".join(dict.fromkeys(f"`{shown}` ({kind})" for shown, kind in found))
                    yield LOGGED.at(file.path, node.lineno, f"{what} is logged")


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function or module, without those of functions within."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, Function):
            yield child
            yield from _own(child)


def _is_log(node: ast.Call) -> bool:
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in LEVELS:
        return False
    holder: ast.AST = node.func.value
    while isinstance(holder, ast.Call):  # log.bind(…).info, logging.getLogger(…).info
        if last_name(holder.func) in {"getLogger", "get_logger"}:
            return True
        holder = holder.func.value if isinstance(holder.func, ast.Attribute) else holder.func
    return bool(LOGGERS.search(dotted(holder)))


def _values(call: ast.Call, scope: _Scope) -> Iterator[tuple[str, str]]:
    """(as written, kind) of each value that should not be in a log."""
    for argument in call.args:
        yield from _said(argument, scope)
    for given in call.keywords:
        if given.arg in {"exc_info", "stack_info", "stacklevel"}:
            continue
        yield from _said(given.value, scope)
        if given.arg and not isinstance(given.value, ast.Constant | ast.Call):
            kind = _kind(given.arg, "")
            if kind and dotted(given.value) and not any(True for _ in _said(given.value, scope)):
                yield given.arg, kind


def _said(node: ast.AST, scope: _Scope) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        if SAFE_CALL.search(name):
            return
        if name in WHOLE and isinstance(node.func, ast.Attribute) and dotted(node.func.value) in scope.records:
            yield ast.unparse(node), "a whole record"
            return
        for child in (*node.args, *(each.value for each in node.keywords)):
            yield from _said(child, scope)
        if isinstance(node.func, ast.Attribute) and name in {
            "format",
            "strip",
            "lower",
            "upper",
            "get",
            "join",
            "encode",
        }:
            key = text_of(node.args[0]) if name == "get" and node.args else None
            kind = _kind(key, last_name(node.func.value)) if key else ""
            if kind:
                yield ast.unparse(node), kind
            elif name != "get":
                yield from _said(node.func.value, scope)
        return
    if isinstance(node, ast.Name | ast.Attribute):
        kind = _kind_of_name(node)
        if kind:
            yield dotted(node), kind
        elif dotted(node) in scope.records:
            yield dotted(node), "a whole record"
        return
    if isinstance(node, ast.Subscript):
        key = text_of(node.slice)
        kind = _kind(key, last_name(node.value)) if key else ""
        if kind:
            yield ast.unparse(node), kind
        elif key is None:
            yield from _said(node.value, scope)
        return
    if isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Lambda):
        return  # true or false tells nothing
    if isinstance(node, ast.IfExp):
        yield from _said(node.body, scope)
        yield from _said(node.orelse, scope)
        return
    if isinstance(node, ast.Dict):
        for held in node.values:
            yield from _said(held, scope)
        return
    for inner in ast.iter_child_nodes(node):
        yield from _said(inner, scope)


def _kind_of_name(node: ast.Name | ast.Attribute) -> str:
    if isinstance(node, ast.Attribute):
        if node.attr == "host" and last_name(node.value) == "client":
            return "ip"  # Starlette's request.client.host
        return _kind(node.attr, last_name(node.value))
    return _kind(node.id, "") if not node.id.isupper() else ""


def _kind(name: str, about: str) -> str:
    if re.search(
        r"(^|_)(template|label|field|column|key|type|count|id|re|regex|pattern|url|subject|backend|host|server|port)$",
        snake(name),
    ):
        return ""
    if re.match(r"(masked|hashed|redacted|scrubbed|encrypted|safe|anonymi[sz]ed)_", snake(name)):
        return ""
    return next((kind for family in FAMILIES if (kind := kind_of(name, family, about))), "")


def _classes(tree: ast.Module) -> frozenset[str]:
    """Classes of this file that hold data about people, by their fields, and say no `__repr__` of their own."""
    return frozenset(
        node.name
        for node in walk(tree)
        if isinstance(node, ast.ClassDef)
        and not any(isinstance(each, Function) and each.name in {"__repr__", "__str__"} for each in node.body)
        and any(isinstance(each, ast.AnnAssign) and _kind(dotted(each.target), node.name) for each in node.body)
    )


def _records(function: ast.AST, holders: frozenset[str]) -> Iterator[str]:
    """Parameters and variables of such a class; bodies of requests."""
    if isinstance(function, Function):
        arguments = function.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.annotation is not None and last_name(argument.annotation) in holders:
                yield argument.arg
    for node in _own(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and last_name(node.value.func) in holders:
            yield from (dotted(target) for target in node.targets)


# ── filters that scrub ───────────────────────────────────────────────────────────────────────────


def _scrubbed(context: Context, files: list[File]) -> Iterator[str]:
    """Kinds that a filter takes out of every record, when one is put on the loggers."""
    for file in files:
        text = context.text(file) if file.language == "python" else ""
        if not re.search(r"addFilter|add_filter|[\"']filters[\"']|processors\s*=|patcher", text):
            continue
        tree = context.parse_python(file)
        if isinstance(tree, ast.Module) and _installs(tree):
            yield from (
                kind for kind, sample in SAMPLES.items() if any(_matches(each, sample) for each in _patterns(tree))
            )


def _installs(tree: ast.Module) -> bool:
    """A class with `filter`, or a function, that replaces by a pattern."""
    for node in walk(tree):
        inner = ast.unparse(node) if isinstance(node, ast.ClassDef | Function) else ""
        if ".sub(" in inner and ("def filter(" in inner or "event_dict" in inner or "record" in inner):
            return True
    return False


def _patterns(tree: ast.Module) -> Iterator[str]:
    for node in walk(tree):
        called = isinstance(node, ast.Call) and dotted(node.func) in {"compile", "re.compile", "re.sub"}
        pattern = text_of(node.args[0]) if called and isinstance(node, ast.Call) and node.args else None
        if pattern is not None:
            yield pattern


def _matches(pattern: str, sample: str) -> bool:
    """Whether the foreign pattern finds the sample. One that could take long (repeated groups) is not tried."""
    if len(pattern) > 200 or QUANTIFIED_GROUP.search(pattern) or len(re.findall(r"[*+{]", pattern)) > 8:
        return False
    try:
        return re.search(pattern, f"from {sample} now") is not None
    except re.error:
        return False


# ── scripts ──────────────────────────────────────────────────────────────────────────────────────


def _script(file: File, text: str, passed: frozenset[str]) -> Iterator[Item]:
    bare = without_comments(text)
    for found in SCRIPT_LOG.finditer(bare):
        said = enclosed(bare, found.end())
        values = _script_values(said)
        kinds = [(name, kind) for name in values if (kind := _script_kind(name)) and kind not in passed]
        if kinds:
            line = bare.count("\n", 0, found.start()) + 1
            what = ", ".join(dict.fromkeys(f"`{name}` ({kind})" for name, kind in kinds))
            yield LOGGED.at(file.path, line, f"{what} is logged")


def _script_values(said: str) -> list[str]:
    """Names that stand outside of quotes, or within `${…}` of a template; not those that a masking call takes."""
    held = re.sub(r"\b\w*(?:mask|redact|scrub|hash|anonymi|digest)\w*\([^()]*\)", " ", said, flags=re.IGNORECASE)
    templates = " ".join(re.findall(r"\$\{([^}]*)\}", held))
    outside = re.sub(r"`[^`]*`|\"[^\"]*\"|'[^']*'", " ", held)
    return SCRIPT_VALUE.findall(re.sub(r"[\"'][^\"']*[\"']", " ", f"{outside} {templates}"))


def _script_kind(name: str) -> str:
    holder, _, last = name.replace("?", "").rpartition(".")
    if last == "ip" and holder in {"req", "request", "ctx"}:
        return "ip"
    about = holder.rpartition(".")[2]
    return _kind(last, about if is_person(about) else "")


CHECK = Check(
    id="personal-data-in-logs",
    title="Data about people stays out of logs",
    tier=2,
    languages=("python", "javascript", "typescript"),
    run=run,
)
