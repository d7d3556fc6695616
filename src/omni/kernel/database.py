"""The one database: SQLite in the home by default, PostgreSQL by URL; brought up to date when it is opened."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import open_new
from omni.kernel.settings import Settings, redact_url

UNREACHABLE = declare(
    "K050",
    "The database can't be opened",
    Exit.INCOMPLETE,
    "Check `database_url` (omni config), and that the server runs and the folder may be written.",
)
TOO_NEW = declare(
    "K051", "The database is of a newer Omni", Exit.NOT_ALLOWED, "Use that version of Omni, or another home."
)

_MIGRATIONS = Path(__file__).with_name("migrations")
_MIGRATION_LOCK = 0x6F6D6E69
_BUSY_MS = 30_000
_EMPTY = "0000"
"""The revision of a database without tables."""


def open_database(settings: Settings) -> Engine:
    """An engine on a database that has today's tables.

    The first opener migrates, others wait for it. Raises OmniError when it can't be reached or is of a newer Omni.
    """
    engine = _engine(_url(settings.database_url))
    try:
        _bring_up_to_date(engine)
    except DatabaseError as error:
        engine.dispose()
        raise OmniError(UNREACHABLE, str(error.orig).strip(), where=redact_url(settings.database_url)) from error
    except BaseException:
        engine.dispose()
        raise
    return engine


def _bring_up_to_date(engine: Engine) -> None:
    with engine.connect() as connection:
        current = _revision(connection)
    if current != newest_revision():
        migrate(engine)


def migrate(engine: Engine, revision: str = "") -> None:
    """Bring the tables to `revision` (default: today's), in one transaction that one migrator at a time can have."""
    # Alembic takes longer to import than a whole command may; a database that is up to date never needs it.
    from alembic import command
    from alembic.config import Config

    config, target = Config(), revision or newest_revision()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        current = _revision(connection)
        if current > newest_revision():
            raise OmniError(TOO_NEW, f"its revision is {current}, this Omni knows up to {newest_revision()}")
        config.attributes["connection"] = connection
        step = command.upgrade if current <= target else command.downgrade
        step(config, target if target > _EMPTY else "base")


def newest_revision() -> str:
    """The revision of the newest migration: migrations are numbered by their file names."""
    return max(path.name[:4] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads, then writes what follows from it.

    On SQLite it takes the write lock at once: taken later, it would fail where somebody else has written in between.
    """
    # Options of the connection, not of the engine: an engine with options of its own makes every event dearer.
    with engine.connect() as connection, connection.execution_options(omni_immediate=True).begin():
        yield connection


def _url(given: str) -> URL:
    try:
        url = make_url(given)
    except ArgumentError as error:
        raise OmniError(UNREACHABLE, "its URL can't be read", where="database_url") from error
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise OmniError(UNREACHABLE, f"{url.drivername} is neither sqlite nor postgresql", where="database_url")
    return url


def _engine(url: URL) -> Engine:
    try:
        if url.get_backend_name() == "postgresql":
            return create_engine(url, pool_pre_ping=True)
    except NoSuchModuleError as error:
        raise OmniError(UNREACHABLE, f"there is no driver {url.drivername}", where="database_url") from error
    if url.database:
        _create_private(Path(url.database))
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; `_begin` does
        for pragma in (
            f"busy_timeout={_BUSY_MS}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("omni_immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _create_private(path: Path) -> None:
    """Make the file, for this user alone; SQLite gives its companions the same mode."""
    if path.exists():
        return
    # It is put in place already in WAL mode: to switch a file that others have open fails at once instead of waiting.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
        with open_new(temporary, 0o600):
            connection = sqlite3.connect(temporary)
            connection.execute("PRAGMA journal_mode=WAL").close()
            connection.close()
        with suppress(FileExistsError):  # another process was faster
            path.hardlink_to(temporary)
        temporary.unlink()
    except OSError as error:
        raise OmniError(UNREACHABLE, error.strerror or str(error), where=str(path)) from error


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return _EMPTY
    return connection.scalar(text("SELECT version_num FROM alembic_version")) or _EMPTY
