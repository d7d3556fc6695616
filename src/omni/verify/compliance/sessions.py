"""How long a session or token lives, as far as the source says: settings, defaults, and calls that make one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.python import dotted, keyword, last_name
from omni.verify.compliance.facts import Facts, Place
from omni.verify.parsing import walk

LONGEST = 15 * 60
"""Seconds."""
SETTING = re.compile(
    r"^(session_cookie_age|permanent_session_lifetime|(access_)?token_(expire|lifetime|ttl|max_age)\w*|access_token_lifetime|"
    r"jwt_(access_token_)?(expir|lifetime|ttl)\w*|session_(timeout|ttl|lifetime|max_age|expir|duration|idle)\w*|"
    r"idle_timeout\w*|remember_cookie_duration|session_(minutes|seconds|hours|days))$",
    re.IGNORECASE,
)
UNITS = {
    "ms": 0.001,
    "millisecond": 0.001,
    "sec": 1.0,
    "minute": 60.0,
    "min": 60.0,
    "hour": 3600.0,
    "day": 86400.0,
    "week": 604800.0,
}
SCRIPT = re.compile(
    r"\b(?P<name>maxAge|expiresIn|sessionTimeout\w*|SESSION_TIMEOUT\w*|idleTimeout\w*|ttl)\s*[:=]\s*(?P<value>[\"'`][^\"'`]+[\"'`]|[\d_]+(?:\s*\*\s*[\d_]+)*)"
)
ENV = re.compile(
    r"^\s*(?:-\s*|export\s+)?(?P<name>[A-Z_]*(?:SESSION|TOKEN)[A-Z_]*(?:TIMEOUT|TTL|LIFETIME|EXPIR|MINUTES|SECONDS|HOURS|DAYS|AGE)[A-Z_]*)\s*[=:]\s*[\"']?(?P<value>\d+)[\"']?\s*$",
    re.MULTILINE,
)


def long_sessions(facts: Facts) -> Iterator[Place]:
    """HIPAA-004"""
    found = [*_python(facts), *_scripts(facts), *_environment(facts)]
    for path, line, name, seconds in found:
        if seconds > LONGEST:
            yield Place(path, line, f"`{name}` lets a session live for {_shown(seconds)}; 15 minutes are the most")
    if not found and facts.endpoints and facts.models_with("health"):
        first = facts.endpoints[0]
        yield Place(first.file, first.line, "nothing says when a session ends; the defaults of frameworks are days")


def _shown(seconds: float) -> str:
    for size, unit in ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= size:
            number = f"{seconds / size:g}"
            return f"{number} {unit}{'' if number == '1' else 's'}"
    return f"{seconds:g} seconds"


def _python(facts: Facts) -> Iterator[tuple[str, int, str, float]]:
    for module in facts.program.modules.values():
        for node in walk(module.tree):
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    name = _setting(target)
                    seconds = _seconds(node.value, name) if SETTING.match(name) else None
                    if seconds is not None:
                        yield module.path, node.lineno, name, seconds
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
                    seconds = _seconds(value, name) if SETTING.match(name) else None
                    if seconds is not None:
                        yield module.path, value.lineno, name, seconds
            elif isinstance(node, ast.Call):
                yield from _call(module.path, node)


def _setting(target: ast.expr) -> str:
    """`NAME`, `config.NAME`, `app.config["NAME"]`"""
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return str(target.slice.value)
    return dotted(target).rpartition(".")[2]


def _call(path: str, node: ast.Call) -> Iterator[tuple[str, int, str, float]]:
    """`add_middleware(SessionMiddleware, max_age=…)`, `response.set_cookie("session", max_age=…)`"""
    text = ast.unparse(node)[:300]
    if "SessionMiddleware" in text or (
        last_name(node.func) == "set_cookie" and re.search(r"session|token|sid", text, re.IGNORECASE)
    ):
        given = keyword(node, "max_age")
        seconds = _seconds(given, "max_age_seconds") if given is not None else None
        if seconds is not None:
            yield path, node.lineno, "max_age", seconds
        elif given is None and "SessionMiddleware" in text and last_name(node.func) == "add_middleware":
            yield path, node.lineno, "max_age", 14 * 86400.0  # Starlette's default


def _seconds(value: ast.expr, name: str) -> float | None:
    if isinstance(value, ast.Call):
        if last_name(value.func) == "timedelta":
            sizes = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0, "weeks": 604800.0}
            parts = [(each.arg or "", _number(each.value)) for each in value.keywords]
            parts += [("days", _number(each)) for each in value.args[:1]]
            known = [number * sizes[unit] for unit, number in parts if number is not None and unit in sizes]
            return sum(known) if len(known) == len(parts) and known else None
        if last_name(value.func) in {"Field", "int", "getenv", "get", "env", "config"}:
            given = keyword(value, "default") or (value.args[-1] if value.args else None)
            return _seconds(given, name) if given is not None and given is not value else None
    number = _number(value)
    return None if number is None else number * _unit(name)


def _number(node: ast.expr) -> float | None:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return float(node.value)
        if isinstance(node.value, str) and node.value.isdigit():
            return float(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        left, right = _number(node.left), _number(node.right)
        return left * right if left is not None and right is not None else None
    return None


def _unit(name: str) -> float:
    """What a number means by its name; seconds when it does not say."""
    for word, size in UNITS.items():
        if re.search(rf"(^|_){word}s?(_|$)", name.lower()):
            return size
    return 1.0


def _scripts(facts: Facts) -> Iterator[tuple[str, int, str, float]]:
    """express-session counts milliseconds, jsonwebtoken seconds or `"30m"`."""
    for path, text in facts.scripts.texts.items():
        if not re.search(r"session|jwt|jsonwebtoken|cookie", text, re.IGNORECASE):
            continue
        for found in SCRIPT.finditer(text):
            seconds = _script_seconds(found["name"], found["value"])
            if seconds is not None:
                yield path, text.count("\n", 0, found.start()) + 1, found["name"], seconds


def _script_seconds(name: str, value: str) -> float | None:
    if value[0] in "\"'`":
        said = re.fullmatch(r"(\d+)\s*(ms|s|m|h|d|w)?\w*", value.strip("\"'`"))
        sizes = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, None: 0.001}
        return float(said[1]) * sizes[said[2]] if said else None
    product = 1.0
    for part in value.split("*"):
        product *= float(part.strip().replace("_", ""))
    return product * (0.001 if name == "maxAge" else _unit(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)))


def _environment(facts: Facts) -> Iterator[tuple[str, int, str, float]]:
    for file in facts.context.files:
        if file.language in {"env", "yaml", "ini", "dockerfile"}:
            text = facts.context.text(file)
            for found in ENV.finditer(text):
                yield (
                    file.path,
                    text.count("\n", 0, found.start("name")) + 1,
                    found["name"],
                    float(found["value"]) * _unit(found["name"]),
                )
