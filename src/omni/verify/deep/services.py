"""Real servers for a project's tests, from the machine's own programs: empty, without a network, gone afterwards."""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from omni.verify.check import Failed
from omni.verify.deep import mailbox
from omni.verify.deep.declared import Serve, Service
from omni.verify.deep.play import Server
from omni.verify.report import Status

POSTGRESQL = Path("/usr/lib/postgresql")
"""Debian's place; other systems have the programs on PATH."""
NAME = "omni"
"""User and database."""
PORTS = {"postgresql": 54329, "redis": 63799, "smtp": 10259}
"""None is anybody's default, for the case that the sandbox shares the machine's loopback."""


def servers(declared: Iterable[Service]) -> Iterator[Server]:
    """Each declared service, ready to be started. Raises `Failed` with what to install."""
    for service in declared:
        yield {"postgresql": postgresql, "redis": redis, "smtp": smtp}[service.kind](service)


def postgresql(service: Service) -> Server:
    programs = postgresql_programs()
    port, data = PORTS["postgresql"], "/tmp/omni-postgresql"  # noqa: S108 - the sandbox's own
    url = f"{service.scheme or 'postgresql'}://{NAME}:{NAME}@127.0.0.1:{port}/{NAME}"
    settings = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", f"unix_socket_directories={data}")
    initdb = (f"{programs}/initdb", "-D", data, "-U", NAME, "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8")
    # A database of the user's own name is made while no server runs: the port answers only when it is there.
    create = f"echo 'CREATE DATABASE {NAME}' | {programs}/postgres --single -D {data} postgres"
    return Server(
        "postgresql",
        (f"{programs}/postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), *_each("-c", settings)),
        port,
        prepare=(initdb, ("sh", "-c", create)),
        # It takes connections before it takes questions.
        ready=(f"{programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), "-U", NAME),
        gives={
            service.variable or "DATABASE_URL": url,
            "PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": NAME, "PGPASSWORD": NAME, "PGDATABASE": NAME,
        },
    )  # fmt: skip


def postgresql_programs() -> Path:
    """The folder with `postgres`, `initdb`, `pg_dump`, … of the newest version. Raises `Failed`."""
    found = [path.parent for path in POSTGRESQL.glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: [int(part) for part in re.findall(r"\d+", path.parent.name)])
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    raise Failed("PostgreSQL is not installed here. Type: apt install postgresql", Status.INCOMPLETE)


def redis(service: Service) -> Server:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise Failed("Redis is not installed here. Type: apt install redis-server", Status.INCOMPLETE)
    port = PORTS["redis"]
    argv = (program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", "/tmp")  # noqa: S108
    url = f"{service.scheme or 'redis'}://127.0.0.1:{port}/0"
    return Server("redis", argv, port, gives={service.variable or "REDIS_URL": url})


def smtp(service: Service) -> Server:
    """Takes every mail and delivers none: each is a file in the folder `MAILBOX`."""
    port, folder = PORTS["smtp"], "/tmp/omni-mailbox"  # noqa: S108 - the sandbox's own
    argv = ("python3", "-I", "-c", inspect.getsource(mailbox), str(port), folder)
    given = {
        service.variable or "SMTP_URL": f"{service.scheme or 'smtp'}://127.0.0.1:{port}",
        "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "MAILBOX": folder,
    }  # fmt: skip
    return Server("smtp", argv, port, gives=given)


def served(services: Iterable[Service], serve: Serve) -> Iterator[Server]:
    """The project itself as a server, after the services that it needs. Raises `Failed`."""
    yield from servers(services)
    yield Server("project", serve.command, serve.port, prepare=serve.before, health=serve.health)


def _each(option: str, values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from (option, value)
