from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text

from omni.kernel import database
from omni.kernel.database import migrate, newest_revision, open_database, writing
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.kernel.tables import metadata


def test_migrations_lead_to_the_declared_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_migrations_go_down_and_up_again(engine: Engine) -> None:
    migrate(engine, "0000")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrate(engine)
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_opening_again_keeps_what_is_there(settings: Settings) -> None:
    for expected in (0, 1):
        engine = open_database(settings)
        with engine.begin() as connection:
            assert connection.scalar(text("SELECT count(*) FROM check_cache")) == expected
            connection.execute(
                text("INSERT INTO check_cache VALUES (:key, 'c', '{}', '2026-01-01')"), {"key": str(expected)}
            )
        engine.dispose()


def test_processes_that_open_an_empty_database_together_all_succeed(settings: Settings) -> None:
    script = (
        "import sys, alembic.command; from omni.kernel.database import open_database;"
        "from omni.kernel.settings import Settings; settings = Settings.model_validate_json(sys.argv[1]);"
        "print('ready', flush=True); sys.stdin.readline(); open_database(settings).dispose()"
    )
    argv = [sys.executable, "-c", script, settings.model_dump_json()]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(4)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    assert [(worker.communicate(timeout=60)[1], worker.returncode) for worker in workers] == [("", 0)] * 4


def test_a_migrator_waits_for_another(settings: Settings) -> None:
    other = database._engine(database._url(settings.database_url))
    with ThreadPoolExecutor(1) as pool:
        with writing(other) as connection:
            if other.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({database._MIGRATION_LOCK})"))
            opening = pool.submit(open_database, settings)
            with pytest.raises(TimeoutError):
                opening.result(timeout=1)
        opening.result(timeout=30).dispose()
    other.dispose()


def test_a_database_of_a_newer_omni_is_refused(settings: Settings) -> None:
    engine = open_database(settings)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(OmniError, match=f"revision is 9999, this Omni knows up to {newest_revision()}"):
        open_database(settings)


def _insert_and_fail(connection: Connection) -> None:
    connection.execute(text("INSERT INTO check_cache VALUES ('k', 'c', '{}', '2026-01-01')"))
    raise RuntimeError


def test_a_failed_transaction_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(RuntimeError), writing(engine) as connection:
        _insert_and_fail(connection)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM check_cache")) == 0


def test_sqlite_runs_as_promised(tmp_path: Path) -> None:
    engine = open_database(Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path}/omni.db"))
    with engine.connect() as connection:
        pragmas = {
            name: connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30_000}
    assert stat.S_IMODE((tmp_path / "omni.db").stat().st_mode) == 0o600


def test_writing_takes_the_write_lock_at_once(tmp_path: Path) -> None:
    engine = open_database(Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path}/omni.db"))
    with writing(engine), engine.connect() as other:
        other.execute(text("PRAGMA busy_timeout=1"))
        with pytest.raises(Exception, match="database is locked"):
            other.execute(text("DELETE FROM check_cache"))
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "its URL can't be read"),
        ("mysql://u:hunter2@h/d", "mysql is neither sqlite nor postgresql"),
        ("postgresql://u:hunter2@127.0.0.1:1/d", "refused"),
        ("sqlite:////proc/nowhere/omni.db", "No such file or directory"),
    ],
)
def test_a_database_out_of_reach_is_one_clear_error_without_its_password(tmp_path: Path, url: str, why: str) -> None:
    with pytest.raises(OmniError, match=why) as caught:
        open_database(Settings(home=tmp_path, database_url=url))
    assert "hunter2" not in f"{caught.value} {caught.value.where} {caught.value.fix}"
