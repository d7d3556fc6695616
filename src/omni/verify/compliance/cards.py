"""What is kept of payment cards: a token and the last four digits may be, the number only encrypted, the CVV never."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.express import enclosed
from omni.verify.analysis.python import dotted, last_name
from omni.verify.analysis.sensitive import kind_of
from omni.verify.compliance.encryption import not_encrypted
from omni.verify.compliance.facts import Facts, Place
from omni.verify.parsing import walk

KEEPS = frozenset(
    {
        "set",
        "setex",
        "hset",
        "hmset",
        "put",
        "add",
        "append",
        "lpush",
        "rpush",
        "write",
        "dump",
        "insert_one",
        "set_cookie",
    }
)
KEEPERS = re.compile(r"redis|cache|session|store|queue|cookie|file|collection|kv|memcache", re.IGNORECASE)
CODE_WORD = re.compile(r"\b(cvv2?|cvc2?|card_?(security_?)?code|card_?verification\w*)\b", re.IGNORECASE)


def stored_numbers(facts: Facts) -> Iterator[Place]:
    """PCI-001"""
    for each in facts.sensitive("card_number"):
        if re.search(r"(^|_)(token|last_?(4|four)|masked|hash(ed)?)(_|$)", each.field.name, re.IGNORECASE):
            continue
        if why := not_encrypted(facts, each):
            message = f"`{each.shown}` keeps the number of a card, and {why.removeprefix('is ')}"
            yield Place(each.model.path, each.field.line, message.replace("and stored", "stored"))


def stored_codes(facts: Facts) -> Iterator[Place]:
    """PCI-002"""
    for each in facts.sensitive("card_code"):
        if each.field.name.lower() != "security_code" or re.search(r"card|payment", each.model.name, re.IGNORECASE):
            yield Place(each.model.path, each.field.line, f"`{each.shown}` keeps the security code of a card")
    yield from _kept_elsewhere(facts)
    for path, text in facts.scripts.texts.items():
        for found in re.finditer(r"\b(?P<holder>[\w.]*)\.(set|setEx|hSet|put|write\w*|setItem)\(", text):
            if KEEPERS.search(found["holder"]) and CODE_WORD.search(enclosed(text, found.end())):
                yield Place(
                    path,
                    text.count("\n", 0, found.start()) + 1,
                    f"`{found['holder']}` keeps the security code of a card",
                )


def _kept_elsewhere(facts: Facts) -> Iterator[Place]:
    """In a cache, a session, a file."""
    for routine in facts.program.routines.values():
        for node in walk(routine.node):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in KEEPS:
                holder = dotted(node.func.value)
                given = [*node.args, *(each.value for each in node.keywords)]
                if KEEPERS.search(holder) and any(_is_code(part) for each in given for part in walk(each)):
                    yield Place(routine.path, node.lineno, f"`{holder}` keeps the security code of a card")
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                holder = dotted(node.targets[0].value)
                if KEEPERS.search(last_name(node.targets[0].value)) and _is_code(node.value):
                    yield Place(routine.path, node.lineno, f"`{holder}` keeps the security code of a card")


def _is_code(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and bool(kind_of(last_name(node), "card_code"))
