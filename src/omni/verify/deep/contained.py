"""Services as containers, from images that are on this machine already: beside the sandbox, and without a network.

What runs in the sandbox reaches each at a port of its own loopback, and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from omni.kernel.errors import OmniError
from omni.verify.check import Failed
from omni.verify.report import Status

if TYPE_CHECKING:
    from omni.sandbox.engine import Engine
    from omni.sandbox.image import ImageServer

TICK = 0.1
"""Seconds between two looks whether it can be used."""


@dataclass(frozen=True)
class Contained:
    """A service from an image, ready to be started."""

    name: str
    engine: Engine
    image: str
    port: int
    """That it listens on inside."""
    gives: Mapping[str, str]
    """For all that starts after it; `{port}` stands for the port at which it is reached."""
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    ready: tuple[str, ...] = ()
    """A command that succeeds inside when it can be used; empty: it is enough that it accepts connections."""
    seconds: float = 60.0
    """Within which it must answer."""


@dataclass
class Running:
    gives: dict[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    """Of the host's loopback."""
    servers: dict[str, ImageServer] = field(default_factory=dict)

    def logs(self) -> dict[str, str]:
        return {name: server.logs() for name, server in self.servers.items()}


def at_hand(image: str) -> Engine:
    """The engine that has this image. Raises `Failed` with what to type."""
    from omni.sandbox.engine import find  # the sandbox is loaded only when something runs in it

    try:
        engine = find()
        if engine.has(image):
            return engine
    except OmniError as problem:
        raise Failed(f"{image} can't be had: {problem.why.rstrip('.?')}. {problem.fix}", Status.INCOMPLETE) from problem
    raise Failed(f"the image {image} is not here. Type: {engine.program.name} pull {image}", Status.INCOMPLETE)


@contextmanager
def running(services: Iterable[Contained], wall: float) -> Iterator[Running]:
    """All of them, until the block ends and `wall` seconds at most. Raises `Failed` with the one that can't be had."""
    from omni.sandbox.image import Image, served  # as above
    from omni.sandbox.job import Limits

    found = Running()
    with ExitStack() as stack:
        for each in services:
            image = Image(each.image, each.port, each.command, each.env, Limits(wall=wall))
            try:
                server = stack.enter_context(served(each.engine, image))
            except OmniError as problem:
                raise Failed(f"{each.name} ({each.image}) can't be had: {problem.why}", Status.INCOMPLETE) from problem
            _await(each, server)
            found.servers[each.name] = server
            found.ports += (server.port,)
            found.gives |= {key: value.replace("{port}", str(server.port)) for key, value in each.gives.items()}
        yield found


def _await(service: Contained, server: ImageServer) -> None:
    until = time.monotonic() + service.seconds
    while not (server.succeeds(service.ready) if service.ready else server.accepts()):
        late = time.monotonic() > until
        if late or not server.alive():
            why = f"it did not answer within {service.seconds:g} s" if late else "it ended"
            said = " / ".join(server.logs().strip().splitlines()[-3:])[-500:]
            raise Failed(f"{service.name} ({service.image}) can't be had: {why}: {said}", Status.INCOMPLETE)
        time.sleep(TICK)
