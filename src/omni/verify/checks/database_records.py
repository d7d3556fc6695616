"""What the database profile wants on record: a plan for each written query, a run at size for each migration.

A plan is a file in a folder `plans/` that holds the statement and the output of EXPLAIN ANALYZE (`actual time=`). A run
at size stands in the migration (`Tested on 12,000,000 rows: 4 s`) or in a file in a folder `migration-runs/` that names
the revision. Statements that an ORM makes can't be seen here; `log_min_duration_statement` and auto_explain show them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni.verify.analysis.python import text_of
from omni.verify.analysis.rule import Rule, line_with
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.checks.database import NOT_THE_PROGRAM
from omni.verify.parsing import walk
from omni.verify.report import Severity

PLAN = Rule(
    "database-records",
    "query-without-plan",
    Severity.WARNING,
    "Nobody has looked whether it uses an index; with the real number of rows it may read them all.",
    "Run EXPLAIN ANALYZE with the statement on real data, and keep both in plans/<name>.txt.",
)
SIZE = Rule(
    "database-records",
    "migration-without-size-run",
    Severity.WARNING,
    "On a hundred rows every migration is quick; in production it locks a table for an hour.",
    "Run it on a copy of production's size, and write into it: Tested on 12,000,000 rows: 4 s.",
)
QUERY = re.compile(
    r"\A\s*(select\b.+\bfrom\b|update\b.+\bwhere\b|delete\s+from\b.+\bwhere\b)", re.IGNORECASE | re.DOTALL
)
SIZED = re.compile(r"tested (on|with) [\d,_. ]+\s*(k|m|thousand|million)?\s*rows", re.IGNORECASE)
REVISION = re.compile(r"^revision(?:\s*:\s*str)?\s*=\s*[\"'](\w+)[\"']", re.MULTILINE)
CHANGES = re.compile(
    r"\bop\.(add_column|alter_column|create_index|drop_column|execute|batch_alter_table|create_foreign_key)\b"
)


def run(context: Context) -> Iterator[Item]:
    texts = {file.path: context.text(file) for file in context.files}
    plans = [
        _folded(text) for path, text in texts.items() if re.search(r"(^|/)plans/", path) and "actual time=" in text
    ]
    runs = "\n".join(text for path, text in texts.items() if re.search(r"(^|/)migration-runs/", path))
    for file in context.files:
        text = texts[file.path]
        if file.language != "python":
            continue
        revision = REVISION.search(text)
        if revision is not None:
            if CHANGES.search(text) and not SIZED.search(text) and not re.search(rf"\b{revision[1]}\b", runs):
                line = line_with(text, "revision")
                yield SIZE.at(file.path, line, f"no run of {revision[1]} at size is on record", snippet=revision[0])
            continue
        if NOT_THE_PROGRAM.search(file.path) or not re.search(r"\b(where|join)\b", text, re.IGNORECASE):
            continue
        tree = context.parse_python(file)
        for node in [] if isinstance(tree, Unseen) else walk(tree):
            written = text_of(node)
            if written and QUERY.match(written) and not any(_folded(written) in plan for plan in plans):
                line = getattr(node, "lineno", 1)
                yield PLAN.at(file.path, line, "there is no plan of this query")


def _folded(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().strip(";").lower()


CHECK = Check(
    id="database-records",
    title="Queries have a plan, migrations a run at size",
    tier=2,
    globs=("*.py", "**/plans/*", "plans/*", "**/migration-runs/*", "migration-runs/*"),
    profile="database",
    run=run,
)
