"""Real servers for a project's tests, from images or the machine's own programs: empty, without a network, gone
afterwards.
"""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from omni.verify.check import Failed
from omni.verify.deep import mailbox
from omni.verify.deep.contained import Contained, at_hand
from omni.verify.deep.declared import Serve, Service
from omni.verify.deep.play import Server
from omni.verify.report import Status

if TYPE_CHECKING:
    from omni.sandbox.engine import Engine

POSTGRESQL = Path("/usr/lib/postgresql")
"""Debian's place; other systems have the programs on PATH."""
NAME = "omni"
"""User and database."""
PORTS = {"postgresql": 54329, "redis": 63799, "smtp": 10259}
"""None is anybody's default, for the case that the sandbox shares the machine's loopback."""


def servers(declared: Iterable[Service]) -> Iterator[Server | Contained]:
    """Each declared service, ready to be started: as a container where it names an image and an engine has that; else
    as a program of this machine. Raises `Failed` with what to install.
    """
    for service in declared:
        engine = None
        if service.image:
            try:
                engine = at_hand(service.image)
            except Failed:
                if service.kind == "container":
                    raise
        yield contained(service, engine) if engine else PROGRAMS[service.kind](service)


def contained(service: Service, engine: Engine) -> Contained:
    """As the images `postgres`, `redis`, … and those that take their place want it."""
    port = "{port}"
    usual: dict[str, tuple[int, dict[str, str], dict[str, str], tuple[str, ...]]] = {
        "postgresql": (
            5432,
            {"POSTGRES_USER": NAME, "POSTGRES_PASSWORD": NAME, "POSTGRES_DB": NAME},
            _postgresql_gives(service, port),
            # During its own preparations it listens on a Unix socket only.
            ("pg_isready", "-q", "-h", "127.0.0.1", "-U", NAME),
        ),
        "redis": (6379, {}, _redis_gives(service, port), ("redis-cli", "ping")),
        "smtp": (1025, {}, _smtp_gives(service, port), ()),
        "container": (service.port, {}, {service.variable: service.url}, ()),
    }
    number, env, gives, ready = usual[service.kind]
    return Contained(
        service.kind, engine, service.image, service.port or number, gives,
        service.command, {**env, **service.env}, service.ready or ready,
    )  # fmt: skip


def postgresql(service: Service) -> Server:
    programs = postgresql_programs()
    port, data = PORTS["postgresql"], "/tmp/omni-postgresql"  # noqa: S108 - the sandbox's own
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
        gives=_postgresql_gives(service, str(port)),
    )


def _postgresql_gives(service: Service, port: str) -> dict[str, str]:
    url = f"{service.scheme or 'postgresql'}://{NAME}:{NAME}@127.0.0.1:{port}/{NAME}"
    return {
        service.variable or "DATABASE_URL": url,
        "PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": NAME, "PGPASSWORD": NAME, "PGDATABASE": NAME,
    }  # fmt: skip


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
    return Server("redis", argv, port, gives=_redis_gives(service, str(port)))


def _redis_gives(service: Service, port: str) -> dict[str, str]:
    return {service.variable or "REDIS_URL": f"{service.scheme or 'redis'}://127.0.0.1:{port}/0"}


def smtp(service: Service) -> Server:
    """Takes every mail and delivers none: each is a file in the folder `MAILBOX`."""
    port, folder = PORTS["smtp"], "/tmp/omni-mailbox"  # noqa: S108 - the sandbox's own
    argv = ("python3", "-I", "-c", inspect.getsource(mailbox), str(port), folder)
    return Server("smtp", argv, port, gives={**_smtp_gives(service, str(port)), "MAILBOX": folder})


def _smtp_gives(service: Service, port: str) -> dict[str, str]:
    url = f"{service.scheme or 'smtp'}://127.0.0.1:{port}"
    return {service.variable or "SMTP_URL": url, "SMTP_HOST": "127.0.0.1", "SMTP_PORT": port}


PROGRAMS = {"postgresql": postgresql, "redis": redis, "smtp": smtp}


def served(services: Iterable[Service], serve: Serve) -> Iterator[Server | Contained]:
    """The project itself as a server, after the services that it needs. Raises `Failed`."""
    yield from servers(services)
    yield Server("project", serve.command, serve.port, prepare=serve.before, health=serve.health)


def _each(option: str, values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from (option, value)
