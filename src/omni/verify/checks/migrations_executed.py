"""Each migration on a real PostgreSQL: applied, taken back, applied again; the schema has to come back both times.

Runs when `omni.toml` declares a service `postgresql` and there are migrations: SQL files in pairs (`….up.sql`,
`….down.sql`), Alembic's revisions, or the commands of `[verify.migrations]`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Gap, Item, Metric
from omni.verify.checks.migrations import GLOBS
from omni.verify.deep.declared import Service
from omni.verify.deep.migrating import Migration, find_migrations
from omni.verify.deep.play import WORK, Done, Step, last_words, perform, scratch
from omni.verify.deep.services import postgresql_programs, servers
from omni.verify.report import Severity, Status

FAILS = Rule(
    "migrations-executed",
    "fails",
    Severity.ERROR,
    why="It will fail in the same way when it is deployed.",
    fix="Run it on an empty PostgreSQL, and mend what that says.",
)
ROLLBACK_FAILS = Rule(
    "migrations-executed",
    "rollback-fails",
    Severity.ERROR,
    why="When the new version has to be taken back, the database can't follow.",
    fix="Run the way back on a PostgreSQL where it was applied, and mend what that says.",
)
TRACES = Rule(
    "migrations-executed",
    "rollback-leaves-traces",
    Severity.ERROR,
    why="After the way back the schema is not what the old version knows.",
    fix="Undo in the way back all that the way forth does, in the opposite order.",
)
NOT_REPEATABLE = Rule(
    "migrations-executed",
    "not-repeatable",
    Severity.ERROR,
    why="Applied again after it was taken back, it makes another schema: what is deployed depends on history.",
    fix="Let the way back leave nothing that changes what the way forth does.",
)
BOOKKEEPING = ("alembic_version", "django_migrations", "schema_migrations", "flyway_schema_history")
"""Tables of the migration tools themselves: they stay."""
FOLDER = "omni-deep/schema"
VARIES = re.compile(r"^(--.*|\\(un)?restrict \S+|\s*)$")
PSQL_LINE = re.compile(r"psql:([^:\n]+):(\d+): (?:ERROR|FATAL)")


def run(context: Context) -> Iterator[Item]:
    services = context.project.services
    if not any(service.kind == "postgresql" for service in services):
        yield Gap("omni.toml declares no service “postgresql”", Status.SKIPPED)
        return
    migrations = find_migrations(context)
    if not migrations:
        yield Gap("there are no migrations that could be run", Status.SKIPPED)
        return
    steps = [_dump("0"), *(step for number, each in enumerate(migrations, 1) for step in _steps(number, each))]
    with scratch() as folder:
        into = Path(folder)
        outcome = perform(context, servers(_programs(services)), steps, into=into, collect=(f"{FOLDER}/*",))
        dumps = {path.name: _schema(path) for path in sorted((into / FOLDER).glob("*"))}
    last = outcome.steps[-1]
    different = [item for number, each in enumerate(migrations, 1) for item in _differences(each, dumps, number)]
    yield from different
    if last.exit and not different:  # else what was left is why it could not go on
        yield _failure(migrations, last)
    yield Metric("migrations.executed", sum(f"{number}-again" in dumps for number in range(1, len(migrations) + 1)))


def _programs(services: Iterable[Service]) -> Iterator[Service]:
    """The database is a program of this machine here, of one version with the `pg_dump` that looks at it."""
    return (service.model_copy(update={"image": ""}) for service in services if service.kind != "container")


def _steps(number: int, migration: Migration) -> Iterator[Step]:
    yield Step(f"up {number}", migration.up)
    yield _dump(f"{number}-up")
    yield Step(f"down {number}", migration.down)
    yield _dump(f"{number}-down")
    yield Step(f"up {number}", migration.up)
    yield _dump(f"{number}-again")


def _dump(name: str) -> Step:
    left_out = (f"--exclude-table={table}" for table in BOOKKEEPING)
    argv = (f"{postgresql_programs()}/pg_dump", "--schema-only", "--no-owner", "--no-privileges", *left_out)
    return Step(f"dump {name}", argv, out=f"{WORK}/{FOLDER}/{name}")


def _schema(path: Path) -> list[str]:
    """Without comments, and the words that pg_dump makes up anew each time."""
    return [line for line in path.read_text("utf-8", "replace").splitlines() if not VARIES.match(line)]


def _differences(migration: Migration, dumps: dict[str, list[str]], number: int) -> Iterator[Item]:
    before = dumps.get("0" if number == 1 else f"{number - 1}-again")
    down, up, again = (dumps.get(f"{number}-{name}") for name in ("down", "up", "again"))
    if before is not None and down is not None and before != down:
        message = f"taken back, the schema is not what it was: {_words(before, down)}"
        yield TRACES.at(migration.down_path, migration.down_line, message)
    elif up is not None and again is not None and up != again:
        yield NOT_REPEATABLE.at(migration.path, 1, f"applied again, the schema is another: {_words(up, again)}")


def _words(expected: Sequence[str], found: Sequence[str]) -> str:
    changed = [line for line in difflib.unified_diff(expected, found, n=0) if line[:3] not in {"---", "+++"}]
    lines = [f"{line[0]} {' '.join(line[1:].split())}" for line in changed if not line.startswith("@@")]
    return "; ".join(lines[:4])[:300] + (f"; and {len(lines) - 4} more" if len(lines) > 4 else "")


def _failure(migrations: Sequence[Migration], step: Done) -> Item:
    kind, _, number = step.name.partition(" ")
    if kind == "dump":
        return Gap(f"the schema could not be read: {last_words(step.said)}")
    migration = migrations[int(number) - 1]
    said = f"it fails on PostgreSQL with exit code {step.exit}: {last_words(step.said)}"
    named = PSQL_LINE.search(step.said)
    if kind == "down":
        line = int(named[2]) if named else migration.down_line
        return ROLLBACK_FAILS.at(migration.down_path, line, said)
    return FAILS.at(migration.path, int(named[2]) if named else 1, said)


CHECK = Check(
    id="migrations-executed",
    title="Migrations run on a real PostgreSQL, forth and back",
    tier=3,
    globs=GLOBS,
    config=("**",),
    run=run,
    timeout=300,
)
