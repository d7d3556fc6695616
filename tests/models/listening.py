"""A server on loopback that answers by a table of paths, as Ollama and its like do beside OpenAI's wire."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def listen(answers: Mapping[str, object], asked: list[tuple[str, str, Any]] | None = None) -> Iterator[str]:
    """The address of a server that answers `path` with JSON; text as it stands, a number as that status; else 404.

    `asked` takes method, path with the bearer key behind a space, and body of every request.
    """

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

        def do_GET(self) -> None:
            self.answer("")

        def do_POST(self) -> None:
            self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def answer(self, body: Any) -> None:
            if asked is not None:
                key = self.headers.get("Authorization", "").removeprefix("Bearer ")
                asked.append((self.command, f"{self.path} {key}".strip(), body))
            found = answers.get(self.path, 404)
            content = (found if isinstance(found, str) else json.dumps(found)).encode()
            self.send_response(found if isinstance(found, int) else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
