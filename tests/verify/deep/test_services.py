from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from pydantic import ValidationError

from omni.sandbox.engine import Engine
from omni.verify.check import Failed
from omni.verify.deep import mailbox, services
from omni.verify.deep.contained import Contained
from omni.verify.deep.declared import Serve, Service
from omni.verify.deep.play import Server
from omni.verify.deep.services import postgresql_programs, served, servers
from omni.verify.report import Status


def put(folder: Path, *programs: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in programs:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its folder of programs, which is empty."""
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    monkeypatch.setattr(services, "POSTGRESQL", tmp_path / "postgresql")
    return tmp_path / "bin"


def test_the_newest_postgresql_is_taken(machine: Path, tmp_path: Path) -> None:
    put(machine, "initdb")
    assert postgresql_programs() == machine
    for version in ("9.6", "15", "7"):
        put(tmp_path / "postgresql" / version / "bin", "initdb")
    (tmp_path / "postgresql" / "17" / "bin").mkdir(parents=True)
    assert postgresql_programs() == tmp_path / "postgresql" / "15" / "bin"


def test_programs_on_path_are_where_their_link_points(machine: Path, tmp_path: Path) -> None:
    put(tmp_path / "opt", "initdb")
    machine.mkdir()
    (machine / "initdb").symlink_to(tmp_path / "opt" / "initdb")
    assert postgresql_programs() == tmp_path / "opt"


def test_postgresql(machine: Path) -> None:
    put(machine, "initdb")
    (server,) = servers([Service(kind="postgresql")])
    data = "/tmp/omni-postgresql"
    settings = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", f"unix_socket_directories={data}")
    listening = ("-D", data, "-h", "127.0.0.1", "-p", "54329")
    made = ("-D", data, "-U", "omni", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8")
    create = f"echo 'CREATE DATABASE omni' | {machine}/postgres --single -D {data} postgres"
    assert server == Server(
        "postgresql",
        (f"{machine}/postgres", *listening, *(part for each in settings for part in ("-c", each))),
        54329,
        prepare=((f"{machine}/initdb", *made), ("sh", "-c", create)),
        ready=(f"{machine}/pg_isready", "-q", "-h", "127.0.0.1", "-p", "54329", "-U", "omni"),
        gives={
            "DATABASE_URL": "postgresql://omni:omni@127.0.0.1:54329/omni",
            "PGHOST": "127.0.0.1", "PGPORT": "54329", "PGUSER": "omni", "PGPASSWORD": "omni", "PGDATABASE": "omni",
        },
    )  # fmt: skip


@pytest.mark.parametrize("program", ["redis-server", "valkey-server"])
def test_redis_or_what_took_its_place(machine: Path, program: str) -> None:
    put(machine, program)
    (server,) = servers([Service(kind="redis")])
    options = ("--bind", "127.0.0.1", "--port", "63799", "--save", "", "--appendonly", "no", "--dir", "/tmp")
    given = {"REDIS_URL": "redis://127.0.0.1:63799/0"}
    assert server == Server("redis", (f"{machine}/{program}", *options), 63799, gives=given)


def test_mail(machine: Path) -> None:
    (server,) = servers([Service(kind="smtp")])
    program = ("python3", "-I", "-c", inspect.getsource(mailbox), "10259", "/tmp/omni-mailbox")
    assert server == Server("smtp", program, 10259, gives={
        "SMTP_URL": "smtp://127.0.0.1:10259", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": "10259",
        "MAILBOX": "/tmp/omni-mailbox",
    })  # fmt: skip


def test_the_url_has_the_name_and_the_scheme_that_the_project_wants(machine: Path) -> None:
    put(machine, "initdb", "redis-server")
    declared = [
        Service(kind="postgresql", variable="DB", scheme="postgresql+psycopg"),
        Service(kind="redis", variable="CACHE", scheme="valkey"),
        Service(kind="smtp", variable="MAIL", scheme="mail"),
    ]
    given = [next(iter(each.gives.items())) for each in servers(declared)]
    assert given == [
        ("DB", "postgresql+psycopg://omni:omni@127.0.0.1:54329/omni"),
        ("CACHE", "valkey://127.0.0.1:63799/0"),
        ("MAIL", "mail://127.0.0.1:10259"),
    ]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("postgresql", "PostgreSQL is not installed here. Type: apt install postgresql"),
        ("redis", "Redis is not installed here. Type: apt install redis-server"),
    ],
)
def test_what_is_not_installed_is_told(machine: Path, kind: str, what: str) -> None:
    with pytest.raises(Failed, match=what):
        list(servers([Service(kind=kind)]))  # type: ignore[arg-type]


HOST = Engine(Path("/bin/docker"))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images that are asked for; one is not there."""
    asked: list[str] = []

    def at_hand(image: str) -> Engine:
        asked.append(image)
        if image == "gone:1":
            raise Failed("the image gone:1 is not here", Status.INCOMPLETE)
        return HOST

    monkeypatch.setattr(services, "at_hand", at_hand)
    return asked


def test_a_service_with_an_image_is_a_container(engine: list[str]) -> None:
    database, cache, mail, queue = servers(
        [
            Service(kind="postgresql", image="postgres:16", scheme="postgres", env={"POSTGRES_DB": "omni", "A": "b"}),
            Service(kind="redis", image="valkey:8", ready=("valkey-cli", "ping")),
            Service(kind="smtp", image="mailpit:1"),
            Service(
                kind="container", image="rabbit:4", port=5672, variable="QUEUE", url="amqp://{port}", command=("run",)
            ),
        ]
    )
    assert engine == ["postgres:16", "valkey:8", "mailpit:1", "rabbit:4"]
    assert database == Contained(
        "postgresql", HOST, "postgres:16", 5432,
        {
            "DATABASE_URL": "postgres://omni:omni@127.0.0.1:{port}/omni",
            "PGHOST": "127.0.0.1", "PGPORT": "{port}", "PGUSER": "omni", "PGPASSWORD": "omni", "PGDATABASE": "omni",
        },
        (), {"POSTGRES_USER": "omni", "POSTGRES_PASSWORD": "omni", "POSTGRES_DB": "omni", "A": "b"},
        ("pg_isready", "-q", "-h", "127.0.0.1", "-U", "omni"),
    )  # fmt: skip
    ready = ("valkey-cli", "ping")
    assert cache == Contained("redis", HOST, "valkey:8", 6379, {"REDIS_URL": "redis://127.0.0.1:{port}/0"}, ready=ready)
    gives = {"SMTP_URL": "smtp://127.0.0.1:{port}", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": "{port}"}
    assert mail == Contained("smtp", HOST, "mailpit:1", 1025, gives)
    assert queue == Contained("container", HOST, "rabbit:4", 5672, {"QUEUE": "amqp://{port}"}, ("run",))


def test_without_its_image_it_is_a_program_or_not_to_be_had(engine: list[str], machine: Path) -> None:
    (mail,) = servers([Service(kind="smtp", image="gone:1")])
    assert isinstance(mail, Server)
    queue = Service(kind="container", image="gone:1", port=1, variable="Q", url="q://{port}")
    with pytest.raises(Failed, match="the image gone:1 is not here"):
        list(servers([queue]))


@pytest.mark.parametrize("image", ["-a", "--volume=/:/host", "a b", "a$B", "a\nb"])
def test_an_image_is_no_option(image: str) -> None:
    with pytest.raises(ValidationError, match="image"):
        Service(kind="redis", image=image)


@pytest.mark.parametrize("missing", ["image", "port", "variable", "url"])
def test_a_container_says_all_that_is_needed(missing: str) -> None:
    whole = {"kind": "container", "image": "a:1", "port": 1, "variable": "A", "url": "a://{port}"}
    Service.model_validate(whole)
    with pytest.raises(ValidationError, match="needs image, port, variable, and url"):
        Service.model_validate({key: value for key, value in whole.items() if key != missing})


def test_the_project_itself_is_served_after_what_it_needs(machine: Path) -> None:
    serve = Serve(command=("run",), port=8123, health="/up", before=(("make", "it"),))
    mail, project = served([Service(kind="smtp")], serve)
    assert mail.name == "smtp"
    assert project == Server("project", ("run",), 8123, prepare=(("make", "it"),), health="/up")
