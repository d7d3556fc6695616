"""TruffleHog, where it is installed. Gitleaks is in gitleaks.toml, the scanner of every verification in secrets.py."""

from __future__ import annotations

import json
from collections.abc import Iterator

from omni.verify.check import Check, Context, Item, Output
from omni.verify.tools import MACHINE


def parse(context: Context, output: Output) -> Iterator[Item]:
    """One JSON object a secret; the secret itself stands in `Raw`, which is not looked at."""
    for line in output.stdout.splitlines():
        each = json.loads(line)
        if "DetectorName" not in each:
            continue  # a line of its log
        place = each["SourceMetadata"]["Data"]["Filesystem"]
        name = each["DetectorName"]
        yield context.finding(name.lower(), f"a secret of {name}", place["file"], place.get("line"))


CHECK = Check(
    id="trufflehog",
    title="TruffleHog finds no secret in the files",
    tier=2,
    globs=("*",),
    tool="trufflehog",
    toolset=MACHINE,
    argv=("filesystem", ".", "--json", "--no-update", "--no-verification"),
    parse=parse,
    masks=True,
    why="Whoever sees the code can use the secret; it stays in the history after it is deleted.",
    advice="Revoke it, then take it from the environment or a secret store.",
    cwe="CWE-798",
)
