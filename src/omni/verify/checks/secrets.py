"""Keys and tokens in the code, by Kingfisher: some 490 formats, none of them tried out on its service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from omni.verify.check import Check, Context, Item, Output, Scope, Unseen
from omni.verify.report import Severity

TESTS = re.compile(r"(^|/)(tests?|fixtures?|testdata|docs?|examples?)/|\.(example|sample|template)$")
KEPT_FOR_TESTS = ("private-key", "generic", "jwt", "curl-auth")
"""Kinds that tests and examples hold by the dozen, made for them. A token of a service counts there too."""


def parse(context: Context, output: Output) -> Iterator[Item]:
    """Kingfisher's JSON lines. The values are redacted by it, and nothing of them is taken over. Raises ValueError."""
    for line in output.stdout.splitlines():
        record = json.loads(line)
        if "finding" in record:
            found, rule = record["finding"], record["rule"]["name"]
            path = context.relative(found["path"])
            mild = bool(TESTS.search(path)) and any(kind in rule for kind in KEPT_FOR_TESTS)
            severity = Severity.WARNING if mild or found["confidence"] == "low" else Severity.ERROR
            yield context.finding(
                rule, f"a {rule.replace('-', ' ')} stands in the file", path, found["line"], severity=severity
            )
        for part in record.get("audit", {}).get("repositories", ()):
            if part["scan"]["status"] != "completed":
                yield Unseen(context.relative(part["repository"]), f"Kingfisher: {part['scan']['status']}")


CHECK = Check(
    id="secrets",
    title="No key or token is in the code",
    tier=2,
    scope=Scope.FILE,
    globs=("**",),
    tool="kingfisher",
    package="kingfisher-bin",
    argv=(
        "scan", "--no-validate", "--no-update-check", "--no-ignore", "--no-extract-archives", "--git-history", "none",
        "--no-dedup",  # the same key in another file is another finding
        "--redact", "--rule-cache-dir", "{cache}", "--format", "jsonl", "--", "{tree}",
    ),
    exits=(0, 200),
    parse=parse,
    masks=True,
    why="Whoever can read the repository, now or in its history, can use it.",
    advice="Revoke it at its service first; read the new one from the environment; remove it from the history.",
    cwe="CWE-798",
)  # fmt: skip
