"""Fixtures for every room: a real PostgreSQL server, an engine on each kind of database, the engine of containers."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine

from omni.kernel.database import open_database
from omni.kernel.ids import uuid7
from omni.kernel.settings import Settings
from omni.sandbox.docker import Docker
from omni.sandbox.engine import Engine as ContainerEngine
from omni.sandbox.engine import find

# No clock: a machine that is busy with other things does not fail a test.
hypothesis_settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("no clock")

_UNPRIVILEGED = 65534  # PostgreSQL refuses to run as root
_START_SECONDS = 30


def _postgres_bin() -> Path | None:
    on_path = shutil.which("postgres")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server of this session's own, without a database name; it listens on a socket only."""
    binaries = _postgres_bin()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: apt-get install -y postgresql")
    drop = ["setpriv"]
    if os.geteuid() == 0:
        drop += [f"--reuid={_UNPRIVILEGED}", f"--regid={_UNPRIVILEGED}", "--clear-groups"]
    folder = Path(tempfile.mkdtemp(prefix="omni-postgresql-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, _UNPRIVILEGED, _UNPRIVILEGED)
    data = folder / "data"
    initdb = [str(binaries / "initdb"), "--no-sync", "-A", "trust", "-U", "omni", "-E", "UTF8", "-D", str(data)]
    server = [str(binaries / "postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-F"]
    try:
        subprocess.run([*drop, *initdb], check=True, capture_output=True, cwd=folder)
        with (folder / "log").open("wb") as log:
            # It goes down with this process, also if that is killed.
            process = subprocess.Popen([*drop, "--pdeathsig=INT", "--", *server], stderr=log, cwd=folder)
        try:
            _wait_for(folder, process)
            yield f"postgresql+psycopg://omni@/{{database}}?host={folder}"
        finally:
            process.send_signal(2)
            process.wait(timeout=_START_SECONDS)
    finally:
        shutil.rmtree(folder)


def _wait_for(folder: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(f"host={folder} user=omni dbname=postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.host)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'omni.db'}"
        return
    server: str = request.getfixturevalue("postgresql")
    name = "t" + uuid7().replace("-", "")
    place = server.partition("host=")[2]
    with psycopg.connect(f"host={place} user=omni dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield server.format(database=name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings with a home of their own and an empty database of each kind."""
    return Settings(home=tmp_path / "home", database_url=database_url)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """A migrated database of each kind."""
    opened = open_database(settings)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def container_engine() -> ContainerEngine:
    """The engine of this machine; without one that can make a container the test is skipped."""
    if problems := Docker().probe().problems:
        pytest.skip(f"no container engine: {problems[0]}")
    return find()
