from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.analysis.locks import locks, statements


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX i ON x (a)",
        "CREATE UNIQUE INDEX i ON public.x USING btree (a)",
        "CREATE INDEX IF NOT EXISTS i ON x (a)",
        "ALTER TABLE x ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES y (id)",
        "ALTER TABLE x ADD CHECK (a > 0)",
        "ALTER TABLE ONLY x ADD CONSTRAINT c UNIQUE (a)",
        "ALTER TABLE x ALTER COLUMN a TYPE bigint",
        "ALTER TABLE x ALTER a SET DATA TYPE bigint",
        "ALTER TABLE x ALTER COLUMN a SET NOT NULL",
        "ALTER TABLE x ADD COLUMN a uuid DEFAULT gen_random_uuid()",
        "ALTER TABLE x ADD a serial",
        "ALTER TABLE x ADD COLUMN a int GENERATED ALWAYS AS (b * 2) STORED",
        "LOCK TABLE x IN EXCLUSIVE MODE",
        "VACUUM FULL x",
        "VACUUM (ANALYZE, FULL) x",
        "CLUSTER x USING i",
        "REINDEX TABLE x",
        "REFRESH MATERIALIZED VIEW x",
    ],
)
def test_locking(sql: str) -> None:
    """Found after other statements, with its own line; not when the same file makes the table."""
    assert [lock.line for lock in locks(f"-- a; b\nSELECT 'CREATE INDEX';\n\n{sql};\n")] == [4]
    assert [lock.line for lock in locks(sql.lower())] == [1]
    made = "MATERIALIZED VIEW x AS SELECT 1" if "VIEW" in sql else "TABLE x (b int)"
    assert list(locks(f"CREATE {made};\n{sql};")) == []


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX CONCURRENTLY i ON x (a)",
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON x (a)",
        "ALTER TABLE x ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES y (id) NOT VALID",
        "ALTER TABLE x VALIDATE CONSTRAINT c",
        "ALTER TABLE x ADD CONSTRAINT c UNIQUE USING INDEX i",
        "ALTER TABLE x ADD COLUMN a text NOT NULL DEFAULT ''",
        "ALTER TABLE x ADD COLUMN a timestamptz DEFAULT now()",
        "ALTER TABLE x ALTER COLUMN a DROP NOT NULL",
        "REINDEX TABLE CONCURRENTLY x",
        "VACUUM x",
        "INSERT INTO x VALUES ('LOCK TABLE x')",
        "-- CREATE INDEX i ON x (a);",
        "CREATE FUNCTION f() RETURNS void AS $$ LOCK TABLE x; $$ LANGUAGE sql",
    ],
)
def test_harmless(sql: str) -> None:
    assert list(locks(sql)) == []


@given(st.text(alphabet="ab;'$-/*\n \"x", max_size=60))
def test_statements_of_anything(sql: str) -> None:
    for line, text in statements(sql):
        assert 1 <= line <= sql.count("\n") + 1
        assert text
