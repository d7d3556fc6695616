"""The door: account, then router, then account. `Gateway.chat` is the `Chat` of the other rooms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy import Engine

from omni.kernel.settings import Settings
from omni.models.wire import Attribution, ChatReply, ChatRequest, Want


class AsyncGateway:
    """For programs with an event loop of their own, as the server: made and used on one loop."""

    async def ask(
        self,
        request: ChatRequest,
        want: Want,
        attribution: Attribution,
        on_text: Callable[[str], None] | None = None,
        on_restart: Callable[[], None] | None = None,
    ) -> ChatReply:
        """Like `Chat`. `on_restart`: a stream broke after text of it was passed on; another answer begins anew."""
        raise NotImplementedError


class Gateway:
    """The same for threads: `chat` is safe from many at once."""

    def chat(
        self,
        request: ChatRequest,
        want: Want,
        attribution: Attribution,
        on_text: Callable[[str], None] | None = None,
    ) -> ChatReply:
        """Fulfils `omni.models.wire.Chat`."""
        raise NotImplementedError


@contextmanager
def open_gateway(settings: Settings, engine: Engine) -> Iterator[Gateway]:
    """A gateway over the enabled models of this Omni home, with a thread of its own until it is closed."""
    raise NotImplementedError
    yield


@asynccontextmanager
async def open_async_gateway(settings: Settings, engine: Engine) -> AsyncIterator[AsyncGateway]:
    """The same on the running loop."""
    raise NotImplementedError
    yield
