"""A change of protocol buffers that breaks programs made from their earlier state, by buf and the base commit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from omni.verify.check import Check, Context, Failed, Gap, Item
from omni.verify.deep.base import find_base
from omni.verify.deep.play import last_words, scratch
from omni.verify.files import matches
from omni.verify.report import Status

READ = ("**/*.proto", "*.proto", "buf.yaml", "**/buf.yaml", "buf.work.yaml")
CHANGED = 100
"""buf's exit code when it found something."""


def run(context: Context) -> Iterator[Item]:
    base = find_base(context, lambda path: matches(path, READ))
    if isinstance(base, Gap):
        yield base
        return
    then = base.texts([path for path in base.paths() if matches(path, READ)])
    if not any(path.endswith(".proto") for path in then):
        yield Gap(f"{base.name} has no protocol buffers to compare with", Status.SKIPPED)
        return
    with scratch() as folder:
        for path, text in then.items():
            place = Path(folder, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, "utf-8")
        output = context.execute("buf", "breaking", "{tree}", "--against", folder, "--error-format", "json")
    rows = [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]
    if output.exit_code not in {0, CHANGED} or (output.exit_code and not rows):
        raise Failed(f"buf could not compare them: {last_words(output.stderr or output.stdout)}", Status.INCOMPLETE)
    for row in rows:
        if row["type"] == "COMPILE":
            yield Gap(f"buf could not compare them: {row.get('path', '')}: {row['message']}")
            continue
        message = f"{row['message']} (compared with {base.name})"
        yield context.finding(row["type"], message, row.get("path", ""), row.get("start_line"))


CHECK = Check(
    id="protobuf-breaking",
    title="Protocol buffers keep their promises to programs made from them",
    tier=2,
    languages=("protobuf",),
    config=("buf.yaml", "buf.work.yaml"),
    tool="buf",
    toolset="protobuf",
    package="buf-bin",
    run=run,
    fresh_for=0,
    why="Programs that were made from the earlier file read something else, or nothing, from what is sent now.",
    advice="Keep the field with its number and type, mark it deprecated, and add the new one under a new number.",
)
