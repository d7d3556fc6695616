"""Statements that keep a running program out of a PostgreSQL table for as long as the table is large.

By https://www.postgresql.org/docs/current/explicit-locking.html and the notes of ALTER TABLE: what scans or rewrites a
table under a lock that stops reads or writes. What is done to a table that the same file makes is harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

NAME = r'(?P<table>[\w."]+)'
ALTER = rf"^alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?{NAME}\s"
VOLATILE = r"(?:gen_random_uuid|uuid_generate_v\d\w*|random|clock_timestamp|timeofday|nextval)\s*\("
PATTERNS: tuple[tuple[str, str, str], ...] = (
    # statement, what it does, how to do without
    (
        rf"^create\s+(?:unique\s+)?index\s+(?!concurrently\b).*?\bon\s+(?:only\s+)?{NAME}",
        "builds an index while nothing can be written to {table}",
        "CREATE INDEX CONCURRENTLY, outside of a transaction.",
    ),
    (
        rf"{ALTER}.*\badd\s+(?:constraint\s+\S+\s+)?(?:foreign\s+key|check)\b(?!.*\bnot\s+valid\b)",
        "checks every row of {table} while nothing can be written to it",
        "Add the constraint NOT VALID, and VALIDATE CONSTRAINT in a migration of its own.",
    ),
    (
        rf"{ALTER}.*\badd\s+(?:constraint\s+\S+\s+)?(?:unique|primary\s+key)\s*\(",
        "builds an index while {table} can't be read or written",
        "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT … USING INDEX.",
    ),
    (
        rf"{ALTER}.*\balter\s+(?:column\s+)?\S+\s+(?:set\s+data\s+)?type\b",
        "may write {table} anew while it can't be read or written",
        "Add a column of the new type, copy in small steps, and drop the old column in a later migration.",
    ),
    (
        rf"{ALTER}.*\balter\s+(?:column\s+)?\S+\s+set\s+not\s+null\b",
        "looks at every row of {table} while it can't be read or written",
        "Add CHECK (… IS NOT NULL) NOT VALID, validate it in a migration of its own, then SET NOT NULL.",
    ),
    (
        rf"{ALTER}.*\badd\s+(?:column\s+)?.*(?:\bdefault\s+\(?{VOLATILE}|\b(?:big|small)?serial\b|\bstored\b)",
        "writes {table} anew while it can't be read or written",
        "Add the column without it, set it in small steps, then set the default.",
    ),
    (
        rf"^(?:lock\s+table|vacuum\s+full(?:\s+verbose)?|vacuum\s*\(.*\bfull\b.*?\)|cluster)\s+(?:only\s+)?{NAME}",
        "locks {table}",
        "Do without the lock; pg_repack compacts a table while it is used.",
    ),
    (
        rf"^reindex\s+(?:table|index)\s+(?!concurrently\b){NAME}",
        "builds {table} anew while nothing can be written",
        "REINDEX … CONCURRENTLY.",
    ),
    (
        rf"^refresh\s+materialized\s+view\s+(?!concurrently\b){NAME}",
        "keeps everybody from reading {table} until it is done",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY.",
    ),
)
COMPILED = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), does, mend) for pattern, does, mend in PATTERNS)
MADE = re.compile(
    rf"^create\s+(?:unlogged\s+|temp(?:orary)?\s+)?(?:table|materialized\s+view)\s+(?:if\s+not\s+exists\s+)?{NAME}",
    re.IGNORECASE,
)
LONGEST = 20000
"""Characters of a statement that are looked at: longer ones are data."""


@dataclass(frozen=True)
class Lock:
    line: int
    """From 1."""
    message: str
    mend: str


def locks(sql: str) -> Iterator[Lock]:
    """Each statement that locks, of a file for PostgreSQL."""
    found = list(statements(sql))
    made = {bare(match["table"]) for _, text in found if (match := MADE.match(text))}
    for line, text in found:
        for pattern, does, mend in COMPILED:
            match = pattern.match(text)
            if match and bare(match["table"]) not in made:
                yield Lock(line, does.format(table=f"`{match['table']}`"), mend)
                break


def statements(sql: str) -> Iterator[tuple[int, str]]:
    """(its first line, its text without comments and with empty strings), of each statement."""
    start, line, text = 1, 1, ""
    for part in TOKEN.finditer(sql):
        token = part[0]
        if token == ";":  # noqa: S105 - a sign of SQL
            if text.strip():
                yield start, text.strip()[:LONGEST]
            text = ""
        elif not token.startswith(("--", "/*")):
            if not text.strip() and token.strip():
                start = line
            text += "''" if token[0] in "'$" and len(token) > 1 else token
        line += token.count("\n")
    if text.strip():
        yield start, text.strip()[:LONGEST]


TOKEN = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$|;|\s+|[^\s;'$/-]+|.",
    re.DOTALL,
)


def bare(name: str) -> str:
    """Without schema and quotes: `public."Orders"` → `orders`."""
    return name.replace('"', "").rpartition(".")[2].lower()
