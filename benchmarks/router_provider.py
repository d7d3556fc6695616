"""A provider as fast as Python can be, for benchmarks: what a path is called says how it behaves.

python benchmarks/router_provider.py PORT      …/good/v1  …/500/v1  …/hang/v1  …/late/v1
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

PIECES = 30
GOOD_BEFORE_LATE = 20
_asked: Counter[str] = Counter()


def event(data: object) -> bytes:
    whole = b"data: " + json.dumps(data).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(whole), whole)


def delta(**what: str) -> dict[str, object]:
    choice = {"index": 0, "delta": what, "finish_reason": None}
    return {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}


USAGE = {"prompt_tokens": 9, "completion_tokens": PIECES, "total_tokens": 9 + PIECES}
END = {**delta(), "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": USAGE}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWER = [HEAD, *(event(delta(content=f"word{number} ")) for number in range(PIECES)), event(END)]
LAST = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
OOPS = b'{"error": {"message": "oops"}}'
FAILED = b"HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(OOPS), OOPS)
HEALTHY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
            )
            await reader.readexactly(length)
            await answer(head.split(b" ", 2)[1].decode(), writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def answer(path: str, writer: asyncio.StreamWriter) -> None:
    _asked[path] += 1
    if "/health" in path:
        writer.write(HEALTHY)
    elif "/500/" in path:
        writer.write(FAILED)
    elif "/hang/" in path or ("/late/" in path and _asked[path] > GOOD_BEFORE_LATE):
        await asyncio.sleep(3600)
    else:
        for piece in ANSWER:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(LAST)
    await writer.drain()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
