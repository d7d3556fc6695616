"""SQL, by sqlfluff, where the project configures it: without its dialect most SQL is no SQL."""

from __future__ import annotations

from collections.abc import Iterator

from omni.verify.check import Check, Context, Failed, Gap, Item, Output
from omni.verify.report import Severity, Status

CONFIG = (".sqlfluff", "setup.cfg", "tox.ini", "pyproject.toml")


def run(context: Context) -> Iterator[Item]:
    if not any(_configures(context, name) for name in CONFIG):
        yield Gap("the project does not say its dialect in .sqlfluff", Status.SKIPPED)
        return
    paths = [file.path for file in context.files]
    output = context.execute("sqlfluff", "lint", "--format", "json", "--disable-progress-bar", *paths)
    if output.exit_code not in {0, 1}:
        raise Failed(f"sqlfluff failed: {' '.join((output.stderr or output.stdout).split())[-300:]}")
    yield from parse(context, output)


def _configures(context: Context, name: str) -> bool:
    file = context.inventory.by_path.get(name)
    return file is not None and not file.problem and "sqlfluff" in context.text(file)


def parse(context: Context, output: Output) -> Iterator[Item]:
    """A list of files with their violations; `PRS` is what it can't parse."""
    report = output.json()
    if not isinstance(report, list):
        raise TypeError("sqlfluff did not print a list")
    for file in report:
        for each in file["violations"]:
            yield context.finding(
                each["code"],
                each["description"],
                file["filepath"],
                each["start_line_no"],
                column=each["start_line_pos"],
                severity=Severity.WARNING if each.get("warning") else Severity.ERROR,
            )


CHECK = Check(
    id="sqlfluff",
    title="SQL keeps the project's style",
    tier=2,
    languages=("sql",),
    config=CONFIG,
    tool="sqlfluff",
    toolset="sqlfluff",
    optional=True,
    run=run,
    sandboxed=True,
    timeout=60,
    why="The project has chosen these rules.",
    advice="Type: sqlfluff fix",
)
