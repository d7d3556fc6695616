"""Runs inside the sandbox: HTTP servers that answer in place of those outside. Standard library only.

Its one argument is a file of JSON:

    {"port", "calls": path, "certificate": path,
     "apis": [{"host", "port", "answers": [{"method", "path": a pattern, "status", "headers": {}, "body"}, …]}, …]}

`port` is a proxy (RFC 9110, 9.3.6): what names a host of `apis` by http or https is answered in its place, and every
other host is refused. Each API answers at its own `port` as well. Each call is a line of JSON in `calls`:
`{"host", "known", "method", "path", "answer": number of the answer or -1, "type", "body"}`.
"""

from __future__ import annotations

import json
import re
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

LARGEST = 1 << 20
"""Bytes of a request's body that are kept."""


class Answer(TypedDict):
    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: str


class Api(TypedDict):
    host: str
    port: int
    answers: list[Answer]


class Plan(TypedDict):
    port: int
    calls: str
    certificate: str
    apis: list[Api]


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def __init__(self, plan: Plan, port: int, api: Api | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.by_host = {each["host"]: each for each in plan["apis"]}
        self.api = api
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(plan["certificate"])
        self.calls = Path(plan["calls"])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    tunnel = ""
    """The host that a tunnel leads to."""

    def do_CONNECT(self) -> None:
        host = self.path.rpartition(":")[0].lower()
        if host not in self.server.by_host:
            self._refuse(host)
            return
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.tunnel, self.close_connection = host, False

    def answer(self) -> None:
        asked, body = urlsplit(self.path), self._body()
        host = (asked.hostname or self.tunnel or (self.server.api["host"] if self.server.api else "")).lower()
        api = self.server.by_host.get(host)
        if api is None:
            self._refuse(host or "a server without a name")
            return
        fitting = (
            (number, each)
            for number, each in enumerate(api["answers"])
            if each["method"] == self.command and re.fullmatch(each["path"], asked.path or "/")
        )
        number, found = next(fitting, (-1, None))
        self._note(host, number, body, known=True)
        if found is None:
            self._say(404, {}, f"omni: nothing is declared for {self.command} {asked.path} of {host}\n")
        else:
            self._say(found["status"], found["headers"], found["body"])

    def log_message(self, *_: object) -> None:
        """The calls are noted in their own file."""

    def _refuse(self, host: str) -> None:
        self._note(host, -1, b"", known=False)
        self._say(502, {}, f"omni: {host} is not declared, and nothing leaves the sandbox\n")
        self.close_connection = True

    def _say(self, status: int, headers: dict[str, str], text: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue  # trailers
        return body

    def _note(self, host: str, answer: int, body: bytes, *, known: bool) -> None:
        call = {
            "host": host,
            "known": known,
            "method": self.command,
            "path": urlsplit(self.path).path,
            "answer": answer,
            "type": self.headers.get("Content-Type", ""),
            "body": body[:LARGEST].decode("utf-8", "replace"),
        }
        with self.server.calls.open("a", encoding="utf-8") as file:  # one write, so that lines stay whole
            file.write(f"{json.dumps(call)}\n")


for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
    setattr(Handler, f"do_{name}", Handler.answer)


def main(plan: Plan) -> None:
    Path(plan["calls"]).parent.mkdir(parents=True, exist_ok=True)
    for api in plan["apis"]:
        threading.Thread(target=Server(plan, api["port"], api).serve_forever, daemon=True).start()
    Server(plan, plan["port"]).serve_forever()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_bytes()))
