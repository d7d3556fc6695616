"""What a project declares of itself so that it can be looked at in depth: the keys of `[verify]` for tier 3.

Nothing here runs outside of the sandbox, and nothing runs that is not declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, model_validator

from omni.verify.report import Model

Command = Annotated[tuple[str, ...], Field(min_length=1)]


def _inside(path: str) -> str:
    if path.startswith("/") or ".." in PurePosixPath(path).parts:
        raise ValueError("it must be a path within the project")
    return path


Inside = Annotated[str, AfterValidator(_inside)]


IMAGE = r"^([a-zA-Z0-9][\w.:/@-]*)?$"
"""A name of an image is no option of an engine."""


class Service(Model):
    """A server that is started, empty, for the project."""

    kind: Literal["postgresql", "redis", "smtp", "container"]
    variable: str = ""
    """The variable that gets its URL; default `DATABASE_URL`, `REDIS_URL`, `SMTP_URL`."""
    scheme: str = ""
    """Of that URL, where the driver wants its own: `postgresql+psycopg`."""
    image: Annotated[str, Field(pattern=IMAGE)] = ""
    """It runs as a container of this image, where an engine has it; else as a program of this machine."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """That the image listens on; default that of its kind."""
    url: str = ""
    """Of a `container`: what `variable` gets, `{port}` in it."""
    env: Mapping[str, str] = Field(default_factory=dict)
    """For the container."""
    command: tuple[str, ...] = ()
    """Instead of the image's own."""
    ready: tuple[str, ...] = ()
    """A command that succeeds inside when it can be used; default: it accepts connections."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "container" and not (self.image and self.port and self.variable and "{port}" in self.url):
            raise ValueError('a service of the kind "container" needs image, port, variable, and url with {port} in it')
        return self


class Answer(Model):
    """What an API outside says to one kind of call."""

    method: str = "GET"
    path: Annotated[str, Field(pattern="^/")]
    """`{…}` in it stands for any one part."""
    status: Annotated[int, Field(ge=200, le=599)] = 200
    headers: Mapping[str, str] = Field(default_factory=dict)
    text: str = ""
    json_: JsonValue = Field(default=None, alias="json")
    """Instead of text."""


class Api(Model):
    """An HTTP API outside, which is answered in the sandbox."""

    host: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
    """As the program calls it, by http or https."""
    variable: str = ""
    """A variable that gets an address at which it answers, too: `http://127.0.0.1:…`."""
    openapi: Inside = ""
    """Its contract, a file of the project: answers follow its examples and schemas."""
    answers: tuple[Answer, ...] = ()
    """Before those of the contract."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.openapi or self.answers):
            raise ValueError(f"what {self.host} answers is to be declared: openapi, or answers")
        return self


class Integration(Model):
    """Tests against the declared services."""

    before: tuple[Command, ...] = ()
    """Run first, in order: migrations, fixtures."""
    command: tuple[str, ...] = ()
    """Default: pytest on all tests."""
    report: Inside = "reports/omni-integration.xml"
    """The JUnit report that the command writes."""
    apis: tuple[Api, ...] = ()
    """What of the world outside is answered; all else is refused."""


class Serve(Model):
    """How the project is started as a server."""

    command: Command
    port: Annotated[int, Field(ge=1024, le=65535)]
    """Of 127.0.0.1."""
    health: str = "/"
    """A path that answers with less than 500 as soon as it can serve."""
    before: tuple[Command, ...] = ()
    """Run first, with the services there."""
    openapi: str = ""
    """Where its OpenAPI document is: a path that it serves (`/openapi.json`), or a file of the project."""
    seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """Budget of the test by its OpenAPI document."""
    headers: tuple[str, ...] = ()
    """Sent with each request of a contract test: `Name: value`."""
    provider: str = ""
    """Its name in Pact files; empty: all of them are about it."""
    pages: tuple[str, ...] = ("/",)
    """Paths that the look at accessibility starts at; it follows their links."""
    states: str = ""
    """A path that sets up the states that Pact files name (POST of `{"state": …, "params": …}`)."""


class Build(Model):
    """How what is delivered is built."""

    command: Command
    outputs: tuple[Inside, ...]
    """Globs of what it makes."""
    lock: Inside = ""
    """Requirements with hashes; they are downloaded first, then the build has no network."""
    reproducible: bool = True
    """Built twice, under different circumstances, byte for byte the same."""


class Benchmark(Model):
    """A command that measures, run on the base commit and on the work tree in turn."""

    command: Command
    report: Inside = ""
    """What it writes: JSON of pytest-benchmark or hyperfine, or `{"name": [seconds, …]}`; empty: what it prints."""
    measure: Literal["time", "instructions"] = "time"
    """`instructions` counts those of the whole command with valgrind: nothing to repeat, and no noise."""
    critical: tuple[str, ...] = ("*",)
    """Globs of the names on a critical path: a slower one blocks; others are only reported."""
    slower: Annotated[float, Field(gt=0, le=10)] = 0.05
    """The share that is too much slower."""
    seconds: Annotated[float, Field(gt=0, le=3600)] = 240.0
    """Longest that it is repeated."""


class Migrations(Model):
    """How the schema is brought up and taken back, on the declared database."""

    up: Command = ("alembic", "upgrade", "head")
    down: Command = ("alembic", "downgrade", "base")
