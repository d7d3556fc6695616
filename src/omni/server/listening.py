"""Where a service listens."""

from __future__ import annotations

import socket


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Its connections send what they have at once.

    asyncio sees to that only for sockets that name TCP as their protocol (`_set_nodelay`), which `create_server` does
    not: the second part of an answer then waits 40 ms for the peer's delayed acknowledgement. Raises OSError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is accepted inherits it
    return listening
