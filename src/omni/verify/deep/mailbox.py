"""Runs inside the sandbox: a mail server (RFC 5321) that accepts everything and writes each mail to a file.

Arguments: a port of 127.0.0.1, and a folder. Nothing but the standard library. No TLS, no login: a program that asks
for them is told that there are none.
"""

from __future__ import annotations

import socketserver
import sys
import threading
from pathlib import Path

LARGEST = 32 << 20
"""Bytes of one mail; a larger one is refused once it has ended, so that none of it is taken for a command."""


class Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 mailbox")
        while line := self.rfile.readline(4096):
            command = line[:4].upper()
            if command == b"DATA":
                self._say("354 go on")
                self._take()
            elif command == b"QUIT":
                self._say("221 bye")
                return
            elif command in {b"HELO", b"EHLO", b"MAIL", b"RCPT", b"RSET", b"NOOP"}:
                self._say("250 ok")
            else:
                self._say("502 not here")

    def _take(self) -> None:
        mail, size = bytearray(), 0
        while (line := self.rfile.readline()) not in {b".\r\n", b".\n", b""}:
            text = line[1:] if line.startswith(b"..") else line
            size += len(text)
            if size <= LARGEST:
                mail += text
        if size > LARGEST:
            self._say("552 too large")
            return
        server = self.server
        assert isinstance(server, Mailbox)  # noqa: S101 - it is the only server that makes sessions
        server.keep(bytes(mail))
        self._say("250 kept")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class Mailbox(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, folder: Path) -> None:
        super().__init__(("127.0.0.1", port), Session)
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._count = 0
        self._lock = threading.Lock()

    def keep(self, mail: bytes) -> None:
        with self._lock:
            self._count += 1
            (self.folder / f"{self._count:04}.eml").write_bytes(mail)


if __name__ == "__main__":
    Mailbox(int(sys.argv[1]), Path(sys.argv[2])).serve_forever()
