"""Protocol buffers, by buf: each file compiles; with a buf.yaml the project's choice of rules counts."""

from __future__ import annotations

import json
from collections.abc import Iterator

from omni.verify.check import Check, Context, Failed, Gap, Item, Output
from omni.verify.report import Severity, Status


def parse(context: Context, output: Output) -> Iterator[Item]:
    """One JSON object a line. Raises `Failed` when buf gave up, as it does without modules it can't download."""
    rows = [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]
    if output.exit_code == 1 and not rows:
        raise Failed(f"buf could not look at it: {' '.join(output.stderr.split())[:300]}", Status.INCOMPLETE)
    chosen = any(file.path.rpartition("/")[2] in {"buf.yaml", "buf.work.yaml"} for file in context.inventory.files)
    lost = not chosen and any("does not exist" in row["message"] for row in rows)
    for row in rows:
        broken = row["type"] == "COMPILE"
        if broken and not chosen and "does not exist" in row["message"]:
            yield Gap(f"{row.get('path', '')}: {row['message']}; a buf.yaml says where imports start")
            continue
        if broken and lost and "cannot find" in row["message"]:
            continue  # it may stand in the file that was not found
        yield context.finding(
            row["type"],
            row["message"],
            row.get("path", ""),
            row.get("start_line"),
            column=row.get("start_column"),
            severity=Severity.ERROR if broken or chosen else Severity.NOTE,
        )


CHECK = Check(
    id="protobuf",
    title="Protocol buffers compile and keep to good practice",
    tier=2,
    languages=("protobuf",),
    config=("buf.yaml", "buf.work.yaml", "buf.lock"),
    tool="buf",
    toolset="protobuf",
    package="buf-bin",
    argv=("lint", "--error-format", "json"),
    exits=(0, 1, 100),
    parse=parse,
    why="Clients of several languages are made from it, each with its own idea of names.",
    advice="See the rule of that name in buf's documentation.",
)
