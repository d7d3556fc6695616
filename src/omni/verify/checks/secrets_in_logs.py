"""Passwords, keys and tokens never get into logs: as arguments, in f-strings, in `extra`, or printed.

Data about people is looked for by `personal-data-in-logs`; headers of requests by a rule on patterns.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.places import BESIDE_THE_PRODUCT
from omni.verify.analysis.python import dotted, last_name, text_of
from omni.verify.analysis.rule import Rule, line_of
from omni.verify.check import Check, Context, Item, Scope, Unseen
from omni.verify.parsing import walk
from omni.verify.report import Severity

LOGGED = Rule(
    "secrets-in-logs",
    "secret-in-log",
    Severity.ERROR,
    "Logs are kept for long, copied to many places and read by many; whoever reads it can use it.",
    "Leave it out, or log something that can't be used: its id, or its last four characters.",
    "CWE-532",
)
PRINTED = Rule("secrets-in-logs", "secret-printed", Severity.WARNING, LOGGED.why, LOGGED.fix, LOGGED.cwe)
SECRET = re.compile(
    r"^(\w+_)?(password|passwd|passphrase|pwd|secret|secret_key|api_?key|apikey|private_key|client_secret|access_token|"
    r"refresh_token|auth_token|bearer_token|id_token|reset_token|session_token|jwt|otp_code|totp_secret|credentials)$",
    re.IGNORECASE,
)
NO_SECRET = re.compile(
    r"^(has|is|no|use|need|require|hashed|hash|encrypted|masked|redacted|public|min|max|len|num)_|_(hash|id|file|path)$"
)
SAFE = re.compile(
    r"mask|redact|scrub|hash|digest|sha\d|hmac|fingerprint|obfuscat|censor|^(len|bool|type|id|isinstance)$",
    re.IGNORECASE,
)
LOGGER = re.compile(r"(^|[._])(log|logger|logging|structlog)$", re.IGNORECASE)
LEVELS = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "trace", "success"}
)


def run(context: Context) -> Iterator[Item]:
    for file in context.files:
        text = context.text(file)
        if BESIDE_THE_PRODUCT.search(file.path) or not re.search(r"log|print\(", text):
            continue
        tree = context.parse_python(file)
        if isinstance(tree, Unseen):
            yield tree
            continue
        for node in walk(tree):
            rule = _rule(node) if isinstance(node, ast.Call) else None
            said = dict.fromkeys(_secrets(node)) if rule and isinstance(node, ast.Call) else {}
            if rule and said and isinstance(node, ast.Call):
                message = f"{', '.join(f'`{each}`' for each in said)} is written to the log"
                yield rule.at(file.path, node.lineno, message, snippet=line_of(text, node.lineno))


def _rule(call: ast.Call) -> Rule | None:
    if dotted(call.func) == "print":
        return PRINTED
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in LEVELS:
        return None
    holder = call.func.value
    while isinstance(holder, ast.Call) and isinstance(holder.func, ast.Attribute):  # log.bind(…).info
        if holder.func.attr in {"getLogger", "get_logger"}:
            return LOGGED
        holder = holder.func.value
    return LOGGED if LOGGER.search(dotted(holder)) else None


def _secrets(call: ast.Call) -> Iterator[str]:
    for each in (*call.args, *(given.value for given in call.keywords)):
        yield from _within(each)


def _within(node: ast.AST) -> Iterator[str]:
    """Values of such a name that are shown; what is compared, counted, masked or only tested is not."""
    if isinstance(node, ast.Call):
        if not SAFE.search(last_name(node.func)):
            for each in (*node.args, *(given.value for given in node.keywords)):
                yield from _within(each)
    elif isinstance(node, ast.Name | ast.Attribute):
        name = last_name(node)
        if SECRET.match(name) and not NO_SECRET.search(name) and not name.isupper():
            yield ast.unparse(node)
    elif isinstance(node, ast.Subscript):
        key = text_of(node.slice)
        if key and SECRET.match(key) and not NO_SECRET.search(key):
            yield ast.unparse(node)
    elif isinstance(node, ast.IfExp):
        yield from _within(node.body)
        yield from _within(node.orelse)
    elif not isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _within(child)


CHECK = Check(
    id="secrets-in-logs",
    title="No password, key or token is written to a log",
    tier=2,
    scope=Scope.FILE,
    languages=("python",),
    run=run,
)
