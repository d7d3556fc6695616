"""Who is let in by a service that has one token, and how an error is told to who asks."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import JSONResponse

from omni.kernel.errors import ErrorKind, OmniError


def bearer(token: str, unknown: ErrorKind) -> Callable[..., Awaitable[None]]:
    """A dependency of routes that asks for `Authorization: Bearer <token>`. It raises `unknown`."""

    async def check(authorization: Annotated[str, Header()] = "") -> None:
        given = authorization.removeprefix("Bearer ").strip()
        if not hmac.compare_digest(given.encode(), token.encode()):
            raise OmniError(unknown, "the token is missing or another one")

    return check


async def chunks(request: Request, most: int, too_large: ErrorKind) -> AsyncIterator[bytes]:
    """What is sent, as it comes. Raises `too_large` as soon as there are more than `most` bytes."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise OmniError(too_large, f"more than {most:,} bytes were sent")
        yield chunk


async def whole_body(request: Request, most: int, too_large: ErrorKind) -> bytes:
    """The same in one piece. Raises like `chunks`."""
    return b"".join([chunk async for chunk in chunks(request, most, too_large)])


def telling(
    status: Mapping[ErrorKind, int], wait: Mapping[ErrorKind, int]
) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    """A handler of OmniError: kind → HTTP status (400 for others), and kind → seconds after which to ask again."""

    async def tell(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, OmniError)  # noqa: S101 - the handler is registered for it alone
        about = {"code": error.kind.code, "title": error.kind.title, "why": error.why, "fix": error.fix}
        headers = {"Retry-After": str(wait[error.kind])} if error.kind in wait else {}
        return JSONResponse({"error": about}, status.get(error.kind, 400), headers=headers)

    return tell
