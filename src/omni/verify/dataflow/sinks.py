"""Whether a call, an assignment or a returned value is dangerous with what it is given."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from omni.verify.dataflow.binding import Arguments
from omni.verify.dataflow.model import Misuse, Sink, lookup
from omni.verify.dataflow.value import (
    ClassRef,
    Const,
    Instance,
    Ref,
    Sequence,
    Step,
    Table,
    Taint,
    Value,
    beginning,
    taints_in,
    transform,
)

if TYPE_CHECKING:
    from omni.verify.dataflow.frame import Frame

HOST_IS_FIXED = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]+[/?#]|/[^/\\]|\?|#", re.IGNORECASE)
"""Beginnings of an address after which nothing changes to which machine it leads."""
STATEMENT = re.compile(
    r"\s*\(*\s*(select|insert|update|delete|replace|create|drop|alter|truncate|with|merge|grant|call|exec|execute|pragma|"
    r"show|explain|begin|set|declare|attach|copy|values)\b",
    re.IGNORECASE,
)
DATABASE = re.compile(
    r"(?i)(^|_)(c|cur|curs|cursor|conn|connection|con|db|database|session|engine|pool|tx|sqlite|pg)\d?$"
)
"""Names of variables that hold a connection."""
SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "cmd", "cmd.exe", "powershell", "pwsh"})
COMMAND_FOLLOWS = frozenset({"-c", "/c", "-lc", "-command"})
PLAIN_PAGES = re.compile(
    r"(?i)(application/(?!xhtml)|text/(plain|csv|xml|event-stream|calendar|css)|image/(?!svg)|audio/|video/)"
)


@lru_cache(maxsize=4)
def _sensitive(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def check_call(
    frame: Frame, node: ast.Call, name: str, receiver: Value, arguments: Arguments, place: ast.expr | None
) -> None:
    models = frame.machine.models
    for misuse in lookup(models.misuses, name):
        _misused(frame, node, name, misuse, arguments)
    for sink in lookup(models.sinks, name):
        if _applies(sink.when, sink.unless, arguments):
            _given(frame, node, name, sink, receiver, arguments, place)
    if name in models.renderers or (name[:1] != "*" and f"*.{name.rpartition('.')[2]}" in models.renderers):
        _rendered(frame, node, arguments)
    for key, value in arguments.named.items():
        named_value(frame, key, value, node)


def _rendered(frame: Frame, node: ast.Call, arguments: Arguments) -> None:
    """The template is the argument that is the name of one."""
    named = Value(Table(dict[object, Value](arguments.named.items())))
    for given in arguments.all:
        if given.text and frame.machine.templates.raw(given.text):
            check_page(frame, given.text, [named, *arguments.all], frame.step(node, given.text))


def check_page(frame: Frame, name: str, variables: Iterable[Value], step: Step) -> None:
    """A template is rendered with these variables, as tables: some of them it may show as they are."""
    raw = frame.machine.templates.raw(name)
    for given in variables:
        if isinstance(given.shape, Table):
            for key in sorted(raw & {key for key in given.shape.entries if isinstance(key, str)}):
                frame.hit("xss", given.shape.entries[key], step, frozenset({"remote"}))


def _applies(when: object, unless: object, arguments: Arguments) -> bool:
    """Whether the keywords are as they have to be. What is not written out may be so."""
    wanted = dict(when) if isinstance(when, dict) else {}
    refused = dict(unless) if isinstance(unless, dict) else {}
    for name, value in wanted.items():
        given = arguments.named.get(name)
        if given is None or (isinstance(given.shape, Const) and bool(given.shape.value) is not value):
            return False
    return not any(
        (given := arguments.named.get(name)) is not None
        and isinstance(given.shape, Const)
        and bool(given.shape.value) is value
        for name, value in refused.items()
    )


def _given(
    frame: Frame, node: ast.Call, name: str, sink: Sink, receiver: Value, arguments: Arguments, place: ast.expr | None
) -> None:
    values = [receiver] if sink.receiver else []
    for index in sink.arguments:
        values += arguments.all if index < 0 else arguments.positional[index : index + 1]
    values += [arguments.named[key] for key in sink.keywords if key in arguments.named]
    if arguments.rest and sink.arguments:
        values += arguments.rest
    if sink.form == "page" and _plain_page(arguments):
        return
    certain = name in sink.names and not name.startswith("*.")
    for value in values:
        if taints_in(value) and _matters(frame, sink, certain, value, place):
            _hit(frame, node, sink, _dangerous(sink, value))


def _hit(frame: Frame, node: ast.AST, sink: Sink, value: Value) -> None:
    what = ast.unparse(node.func) if isinstance(node, ast.Call) else ast.unparse(node)
    step = (
        Step("", 0, "")
        if frame.module.library
        else frame.step(node, f"{what[-60:]}(…)" if isinstance(node, ast.Call) else what[:60])
    )
    frame.hit(sink.weakness, value, step, frozenset(sink.kinds), getattr(node, "col_offset", 0) + 1)


def _matters(frame: Frame, sink: Sink, certain: bool, value: Value, place: ast.expr | None) -> bool:
    """`certain`: it is known whose method it is."""
    start = beginning(value)
    if sink.form == "location":
        return not HOST_IS_FIXED.match(start)
    if sink.form == "statement":
        if start.strip():
            return bool(STATEMENT.match(start))
        return certain or (isinstance(value.shape, Ref) and _is_database(place) and _direct(frame, value.shape.name))
    return True


def _direct(frame: Frame, name: str) -> bool:
    """Whether it was just taken from a source. Anything else may be a statement that is an object."""
    parts = name.split(".")
    starts = (".".join(parts[: end + 1]) for end in range(len(parts)))
    return any(start in frame.machine.models.sources for start in starts)


def _is_database(place: ast.expr | None) -> bool:
    name = place.id if isinstance(place, ast.Name) else place.attr if isinstance(place, ast.Attribute) else ""
    return bool(DATABASE.search(name))


def _dangerous(sink: Sink, value: Value) -> Value:
    """The part of the argument that matters: of a command's list the program, and what a shell is given."""
    shape = value.shape
    if sink.form != "argv" or not isinstance(shape, Sequence) or not shape.items:
        return value
    if taints_in(shape.items[0]):
        return shape.items[0]
    words = [(item.text or "").rpartition("/")[2].lower() for item in shape.items]
    if len(words) > 1 and words[1] in COMMAND_FOLLOWS and (words[0] in SHELLS or shape.items[0].text is None):
        return Value(Sequence(shape.items[2:], shape.rest))
    return shape.items[0]


def _plain_page(arguments: Arguments) -> bool:
    """The content type says that it is no HTML."""
    for name in ("mimetype", "content_type", "media_type"):
        given = arguments.named.get(name)
        if given is not None and given.text and PLAIN_PAGES.match(given.text):
            return True
    headers = arguments.named.get("headers")
    return headers is not None and _plain_headers(headers)


def _plain_headers(headers: Value) -> bool:
    if not isinstance(headers.shape, Table):
        return False
    return any(
        isinstance(key, str) and key.lower() == "content-type" and bool(value.text and PLAIN_PAGES.match(value.text))
        for key, value in headers.shape.entries.items()
    )


def _misused(frame: Frame, node: ast.Call, name: str, misuse: Misuse, arguments: Arguments) -> None:
    if any(
        (given := arguments.named.get(key)) is not None
        and (not isinstance(given.shape, Const) or bool(given.shape.value) is value)
        for key, value in misuse.unless.items()
    ):
        return
    if len(arguments.all) < misuse.least:
        return
    value = _argument(misuse, arguments)
    if misuse.argument is None and not misuse.keyword:
        found = True
    elif value is None:
        found = misuse.missing and not arguments.rest
    else:
        found = _bad(misuse, value)
    if found:
        step = Step("", 0, "") if frame.module.library else frame.step(node, f"{name.removeprefix('*.')}(…)")
        frame.hit(misuse.weakness, Value(None, (Taint("code", step),)), step, frozenset({"code"}), node.col_offset + 1)


def _argument(misuse: Misuse, arguments: Arguments) -> Value | None:
    if misuse.keyword and misuse.keyword in arguments.named:
        return arguments.named[misuse.keyword]
    if misuse.argument is not None and misuse.argument < len(arguments.positional):
        return arguments.positional[misuse.argument]
    return None


def _bad(misuse: Misuse, value: Value) -> bool:
    if not misuse.values:
        return True
    if isinstance(value.shape, Ref):
        text = value.shape.name.lower()
    elif isinstance(value.shape, Const):
        text = str(value.shape.value).lower()
    else:
        return False
    return any(text.startswith(each) for each in misuse.values)


def named_value(frame: Frame, name: str, value: Value, node: ast.AST) -> None:
    """What must not be guessed is kept under a name that says so."""
    if not value.taints or not name or not _sensitive(frame.machine.models.sensitive).search(name):
        return
    step = Step("", 0, "") if frame.module.library else frame.step(node, name)
    frame.hit("weak-randomness", value, step, frozenset({"random"}), getattr(node, "col_offset", 0) + 1)


def assigned(frame: Frame, holder: Value, suffix: str, value: Value, node: ast.AST, base: str = "") -> None:
    """`headers["Location"] = value`, `session[key] = value`"""
    if not taints_in(value):
        return
    if isinstance(holder.shape, Ref):
        name = f"{holder.shape.name}{suffix}"
    elif holder.shape is None:
        name = f"*.{base}{suffix}" if suffix == "[]" else f"*{suffix}"
    else:
        return
    given = Arguments(list(value.shape.items) if isinstance(value.shape, Sequence) and suffix == "[]" else [value])
    for sink in lookup(frame.machine.models.sinks, name):
        for index in sink.arguments:
            for each in given.all if index < 0 else given.positional[index : index + 1]:
                if _matters(frame, sink, True, each, None):
                    _hit(frame, node.targets[0] if isinstance(node, ast.Assign) else node, sink, each)


def returned(frame: Frame, value: Value, node: ast.AST) -> Value:
    """What a handler of a web framework gives back is a page, unless it is an object that says otherwise.

    Gives the value, of which no other handler that passes it on has to speak.
    """
    body, shape = value, value.shape
    if isinstance(shape, Sequence) and shape.items and shape.rest is None:
        if any(_plain_headers(item) for item in shape.items[1:]):
            return value
        body = shape.items[0]
    if not body.taints or isinstance(body.shape, Table | Sequence | Instance | ClassRef):
        return value
    step = frame.step(node, "the page that is returned")
    frame.hit("xss", body, step, frozenset({"remote"}), getattr(node, "col_offset", 0) + 1)
    return transform(value, lambda taints: tuple(taint.without("xss") for taint in taints))
