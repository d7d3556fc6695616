"""The scripted model server: OpenAI's wire on loopback, with the answers and the faults that a script tells it.

The fake ships with the product: with it the whole way to a model is tested, without a network and without a model.

    with serve(Script(rules=(Rule(reply="hello"),))) as url:
        httpx.post(f"{url}/chat/completions", json=…)
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pydantic import JsonValue

from omni.kernel.errors import Exit, OmniError, declare
from omni.models.script_answer import completion, embeddings, error, events
from omni.models.script_rules import Call, Match, Question, Reply, Rule, Script, choose, load
from omni.models.wire import Model, Usage

__all__ = ["Asked", "Call", "Match", "Record", "Reply", "Rule", "Script", "Usage", "load", "serve"]

UNEXPECTED = declare(
    "M021", "The script was asked what it does not expect", Exit.FAILED, "Add a rule, or mend who asked."
)

GARBAGE = b"\x00\xff\x16\x03\x01 this is not an answer \xfe\r\n\r\n"


class Asked(Model):
    """A request and what the script says to it; kept before the first byte is sent."""

    number: int = 0
    path: str
    key: str = ""
    """Its last four characters."""
    request: JsonValue = None
    rule: int = 0
    """Which answers, from 1; 0: none had to, or none could."""
    status: int = 200
    answer: JsonValue = None
    unexpected: str = ""
    """Why no rule answers."""


class Record:
    """What was asked and answered, in order; as NDJSON in a file too if one is named. Safe from many threads."""

    def __init__(self, log: Path | None = None) -> None:
        self.asked: list[Asked] = []
        self.ended: dict[int, str] = {}
        """Number → `sent`, `cut`, `garbage`, or `left`: the client went before the end."""
        self.chats = 0
        self._used: Counter[int] = Counter()
        self._log = log
        self._lock = threading.Lock()

    @property
    def unexpected(self) -> list[Asked]:
        return [each for each in self.asked if each.unexpected]

    def choose(self, script: Script, body: dict[str, JsonValue], key: str) -> tuple[Question, int, str]:
        """The question, and the rule that answers it (0: none, and why). The rule is used once more."""
        with self._lock:
            self.chats += 1
            question = Question(number=self.chats, key=key, body=body)
            rule, why = choose(script.rules, question, self._used)
            self._used[rule] += 1
            return question, rule, why

    def add(self, asked: Asked) -> int:
        """Keep it under the next number."""
        with self._lock:
            kept = asked.model_copy(update={"number": len(self.asked) + 1})
            self.asked.append(kept)
            self._write({"type": "asked", **kept.model_dump()})
            return kept.number

    def end(self, number: int, how: str) -> None:
        with self._lock:
            self.ended[number] = how
            self._write({"type": "ended", "number": number, "how": how})

    def _write(self, line: dict[str, JsonValue]) -> None:
        if self._log:
            with self._log.open("a", encoding="utf-8") as out:
                out.write(json.dumps(line, ensure_ascii=False) + "\n")


@contextmanager
def serve(script: Script, record: Record | None = None, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """The script's base URL (`http://127.0.0.1:…/v1`) while it is served, on a free port if none is named.

    Ends every open connection on leaving, hung ones too. Raises `M021` there if something unexpected was asked.
    """
    kept = record or Record()
    server = _Server((host, port), script, kept)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="script")
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.hang_up()
        server.server_close()
    if kept.unexpected:
        first = kept.unexpected[0]
        more = f" ({len(kept.unexpected)} such requests)" if len(kept.unexpected) > 1 else ""
        raise OmniError(UNEXPECTED, f"{first.unexpected}{more}", where=f"request {first.number}")


class _ClientLeftError(Exception):
    pass


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    """Their ends are waited for."""
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], script: Script, record: Record) -> None:
        super().__init__(address, _Handler)
        self.script = script
        self.record = record
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Every connection is at its end; who reads or waits on one is told."""
        for connection in self._open.copy():
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it has just gone by itself


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's signature
        """Nothing on standard error: the record has it."""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/v1/models":
            self._unexpected(404, f"there is no {self.path}")
            return
        names = self.server.script.models
        models: list[JsonValue] = [
            {"id": name, "object": "model", "created": 0, "owned_by": "script"} for name in names
        ]
        self._plain(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        try:
            body = json.loads(self.rfile.read(size))
        except ValueError as problem:
            self._unexpected(400, f"the request is no JSON: {problem}")
            return
        path = self.path.partition("?")[0]
        if not isinstance(body, dict):
            self._unexpected(400, "the request is no JSON object")
        elif self.server.script.keys and self._key not in self.server.script.keys:
            self._plain(401, error(401, "this key is not known"), request=body)
        elif path == "/v1/chat/completions":
            self._chat(body)
        elif path == "/v1/embeddings":
            self._plain(200, embeddings(self.server.script, body), request=body)
        else:
            self._unexpected(404, f"there is no {self.path}", body)

    @property
    def _key(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ").strip()

    def _chat(self, body: dict[str, JsonValue]) -> None:
        question, rule, why = self.server.record.choose(self.server.script, body, self._key)
        if not rule:
            self._unexpected(400, why, body)
            return
        reply = self.server.script.rules[rule - 1].reply
        fine = reply.status == HTTPStatus.OK
        answer = completion(reply, question) if fine else error(reply.status, "".join(reply.words))
        number = self._keep(body, rule, reply.status, reply.body or answer)
        if fine and body.get("stream") is True and not reply.body:
            self._send(number, reply, "text/event-stream", list(events(reply, question)))
        else:
            whole = reply.body.encode() or _json(answer)
            half = (len(whole) + 1) // 2
            self._send(number, reply, "application/json", [whole[:half], whole[half:]])

    def _unexpected(self, status: int, why: str, request: JsonValue = None) -> None:
        self._plain(status, error(status, f"unexpected request: {why}"), request=request, unexpected=why)

    def _plain(self, status: int, answer: JsonValue, *, request: JsonValue = None, unexpected: str = "") -> None:
        number = self._keep(request, 0, status, answer, unexpected)
        self._send(number, Reply(status=status, body="-"), "application/json", [_json(answer)])

    def _keep(self, request: JsonValue, rule: int, status: int, answer: JsonValue, unexpected: str = "") -> int:
        asked = Asked(
            path=self.path,
            key=f"…{self._key[-4:]}" if self._key else "",
            request=request,
            rule=rule,
            status=status,
            answer=answer,
            unexpected=unexpected,
        )
        return self.server.record.add(asked)

    def _send(self, number: int, reply: Reply, kind: str, pieces: Sequence[bytes]) -> None:
        """The reply as it is told: head, pieces, and at its place the fault. Chunks are those of RFC 9112, 7.1."""
        chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece]
        wrong = min(reply.after, len(chunks)) if reply.fault else -1
        how = "left"
        try:
            self._pause(reply.delay)
            for place, chunk in enumerate([*chunks, b"0\r\n\r\n"]):
                if place == wrong and self._goes_wrong(reply):
                    how = reply.fault
                    return
                if place == 0:
                    self._head(reply.status, {"Content-Type": kind, **reply.headers})
                elif place < len(chunks):
                    self._pause(reply.pace)
                self.wfile.write(chunk)
            how = "sent"
        except (_ClientLeftError, ConnectionError):
            self.close_connection = True
        finally:
            self.server.record.end(number, how)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Transfer-Encoding": "chunked"}.items():
            self.send_header(name, value)
        self.end_headers()

    def _goes_wrong(self, reply: Reply) -> bool:
        """Whether the answer ends here."""
        if reply.fault == "hang":
            self._pause(reply.seconds or threading.TIMEOUT_MAX)
            return False
        self.close_connection = True
        if reply.fault == "garbage":
            self.wfile.write(GARBAGE)
        return True

    def _pause(self, seconds: float) -> None:
        """Wait; raises when the client has left in the meantime."""
        reads = select.poll()
        reads.register(self.connection, select.POLLIN)
        until = time.monotonic() + seconds
        while (rest := until - time.monotonic()) > 0:
            if not reads.poll(min(rest, 3600) * 1000):
                continue
            if not self.connection.recv(1, socket.MSG_PEEK):
                raise _ClientLeftError
            time.sleep(0.02)  # it has sent its next request already: that one has to wait


def _json(value: JsonValue) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
