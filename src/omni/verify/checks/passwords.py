"""Passwords and keys that are written out: by the name they are given to, and by how random they look."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from omni.verify.analysis.rule import numbered
from omni.verify.check import Check, Context, Item, Scope
from omni.verify.files import File
from omni.verify.report import Severity

CLOUD_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b")
"""Access key of AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"""
SPEAKS_OF_ONE = re.compile(r"passw|pwd|secret|token|key|credential|AKIA|ASIA", re.IGNORECASE)
NAMED = (
    r"(?P<name>(?<![\w.-])[\w.-]{0,40}(?:passw(?:or)?d|pwd|secret|token|api_?key|access_?key|private_?key|credential)"
    r"[\w-]{0,40})"
)
ASSIGNED = re.compile(
    NAMED + r"[\"']?\s*(?::\s*str\s*)?(?:=|:)\s*(?P<quote>[\"'])(?P<value>[^\"'\s]{8,})(?P=quote)", re.IGNORECASE
)
UNQUOTED = re.compile(
    r"^[ \t]*(?:export[ \t]+|ENV[ \t]+|-[ \t]+)?" + NAMED + r"[ \t]*[=:][ \t]*(?P<value>[^\s\"'#]{8,})[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
WITHOUT_QUOTES = frozenset({"env", "ini", "yaml", "dockerfile", "shell"})
NOT_THE_VALUE = re.compile(
    r"(url|uri|name|field|file|path|dir|header|type|prefix|suffix|pattern|regex|label|hint|help|text|message|title|"
    r"length|min|max|ttl|age|expir\w*|algorithm|hash|hasher|scheme|endpoint|column|table|error|cookie|param|policy|"
    r"placeholder)s?$",
    re.IGNORECASE,
)
"""`token_url`, `password_field`: about a secret, not one."""
PLACEHOLDER = re.compile(
    r"example|change[-_]?me|placeholder|your[-_]|dummy|sample|redacted|insert|replace|default|secret[-_]?key$|^test|"
    r"not[-_]?a|password|^\$|\$\{|\{\{|^<|^%|^\*+$|^x+$|^\.+$|^/|://|^env[.:(]|os\.environ|getenv|\(\)|^!|"
    r"process\.env|^vault:|^ref\+",
    re.IGNORECASE,
)
KNOWN_FORMAT = re.compile(
    r"gh[a-z]_|github_pat_|glpat-|[sr]k_(live|test)_|xox[a-z]-|eyJ|AIza|AKIA|ASIA|npm_|pypi-|-----BEGIN"
)
"""Starts of what `secrets` finds by its form, so that one key is one finding."""
WORDS = re.compile(r"[A-Za-z]+([ ._:/-][A-Za-z]+)*|[a-z_.]+")
EXAMPLES = re.compile(
    r"(^|/)(tests?|docs?|examples?|fixtures?|locales?)/|\.(example|sample|template|md|rst|lock)$|(^|/)(test_|conftest)",
    re.IGNORECASE,
)
RANDOM = 3.3
"""Bits a character (Shannon). English words have less than 3 at such lengths."""


def run(context: Context) -> Iterator[Item]:
    for file in context.files:
        text = context.text(file)
        for number, line in numbered(text) if SPEAKS_OF_ONE.search(text) else ():
            for key in CLOUD_KEY.finditer(line):
                if "EXAMPLE" not in key[0]:
                    message = "an access key of AWS stands in the file"
                    yield context.finding("cloud-key", message, file.path, number)
            if not EXAMPLES.search(file.path) and SPEAKS_OF_ONE.search(line):
                yield from _assigned(context, file, number, line)


def _assigned(context: Context, file: File, number: int, line: str) -> Iterator[Item]:
    patterns = [ASSIGNED, UNQUOTED] if file.language in WITHOUT_QUOTES else [ASSIGNED]
    for found in (each for pattern in patterns for each in pattern.finditer(line)):
        name, value = found["name"], found["value"]
        if (
            NOT_THE_VALUE.search(name)
            or PLACEHOLDER.search(value)
            or WORDS.fullmatch(value)
            or KNOWN_FORMAT.match(value)
        ):
            continue
        severity = Severity.ERROR if entropy(value) >= RANDOM and len(value) >= 12 else Severity.WARNING
        message = f"`{name}` is given a value that looks like a real one"
        yield context.finding("written-out", message, file.path, number, severity=severity)


def entropy(value: str) -> float:
    """Shannon's, in bits a character."""
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())


CHECK = Check(
    id="passwords",
    title="No password is written out",
    tier=2,
    scope=Scope.FILE,
    languages=(
        "python", "javascript", "typescript", "yaml", "toml", "json", "ini", "env", "shell", "dockerfile", "terraform",
        "java", "go", "ruby", "php",
    ),
    run=run,
    masks=True,
    why="Whoever can read the repository, now or in its history, can use it.",
    advice="Change it where it is used first, then read the new one from the environment.",
    cwe="CWE-798",
)  # fmt: skip
