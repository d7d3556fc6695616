"""The only way from an engine to the models: counts tokens, holds the budget, writes down what is said.

A small HTTP server on the host's loopback, in front of the real endpoint. The engine, in its sandbox, reaches nothing
else. The endpoint's key is added here, so that it never is inside.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from pydantic import JsonValue

from omni.agents.engines.contract import Ended, EngineTask, Turn
from omni.models.chat_format import Assembly, Events, FormatError, Json, explain, parse
from omni.models.wire import Usage

PATIENCE = 5.0
"""Seconds that an engine has for its end once the budget is used up, or that the endpoint may be away."""
LARGEST_REQUEST = 32 << 20
_SHOWN = 2000
_REFUSED, _AWAY = 402, 502
"""402 for a budget, since clients repeat after 429."""
_BROKEN = 500
"""From here on the endpoint itself is at fault. Engines may repeat for minutes, and the router has asked all others."""
_KEPT_HEADERS = ("content-type", "retry-after")


class Meter:
    """What was asked and answered so far. Safe from many threads; `stop` is set when there is no point in going on."""

    def __init__(self, task: EngineTask, stop: threading.Event) -> None:
        self.task, self.stop = task, stop
        self.turns: list[Turn] = []
        self.ended: Ended | None = None
        """`budget` or `endpoint`, once that is why it can't go on."""
        self.why = ""
        self.asking = threading.Lock()
        """One question at a time, so that a budget is exceeded by one reply at most."""
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    @property
    def usage(self) -> Usage:
        with self._lock:
            used = [turn.usage for turn in self.turns]
        return Usage(
            prompt=sum(each.prompt for each in used),
            cached=sum(each.cached for each in used),
            completion=sum(each.completion for each in used),
        )

    def exhausted(self) -> str:
        """Why nothing more may be asked; empty: it may."""
        budget, used = self.task.budget, self.usage.total
        return f"{used} of {budget} tokens are used" if budget is not None and used >= budget else ""

    def add(self, turn: Turn) -> None:
        with self._lock:
            self.turns.append(turn)
            if turn.status == 200:
                self._recover()

    def give_up(self, ended: Ended, why: str) -> None:
        """From now on, if nothing gets better, the engine has `PATIENCE` seconds."""
        with self._lock:
            if self.ended is None:
                self.ended, self.why = ended, why
                self._timer = threading.Timer(PATIENCE, self.stop.set)
                self._timer.daemon = True
                self._timer.start()

    def _recover(self) -> None:
        if self.ended == "endpoint":
            self.ended, self.why = None, ""
            self.close()

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()


@contextmanager
def metered(meter: Meter) -> Iterator[int]:
    """The port of 127.0.0.1 at which the meter answers while the block lasts."""
    with httpx.Client(timeout=httpx.Timeout(600, connect=5), trust_env=False, follow_redirects=False) as http:
        server = _Server(("127.0.0.1", 0), meter, http)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="omni-meter")
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            meter.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512  # with the default of 5, the kernel resets some of many that call at once

    def __init__(self, address: tuple[str, int], meter: Meter, http: httpx.Client) -> None:
        super().__init__(address, _Handler)
        self.meter, self.http = meter, http

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """An engine that hangs up, as a killed one does, is nothing to tell."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.0: an answer ends with its connection, so that a stream needs no framing of its own."""

    server: _Server
    timeout = 600
    _begun = False
    """The head of an answer is out: an error can't be told any more, only the connection be ended."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's signature
        """The turns are the log."""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] == "/v1/models":
            model: JsonValue = {"id": self.server.meter.task.model, "object": "model", "created": 0, "owned_by": "omni"}
            self._say(200, {"object": "list", "data": [model]})
        else:
            self._error(404, f"there is no {self.path}")

    def do_POST(self) -> None:
        size = self.headers.get("Content-Length") or ""
        if self.path.partition("?")[0] != "/v1/chat/completions":
            self._error(404, f"there is no {self.path}; ask /v1/chat/completions")
        elif not size.isdecimal() or int(size) > LARGEST_REQUEST:
            self._error(413, f"a request may have {LARGEST_REQUEST} bytes")
        else:
            try:
                request = parse(self.rfile.read(int(size)))
            except FormatError as problem:
                self._error(400, str(problem))
            else:
                self._ask(request)

    def _ask(self, request: Json) -> None:
        meter = self.server.meter
        with meter.asking if meter.task.budget is not None else nullcontext():
            self._ask_within(meter, request)

    def _ask_within(self, meter: Meter, request: Json) -> None:
        if why := meter.exhausted():
            meter.give_up("budget", why)
            self._error(_REFUSED, f"the budget is used up: {why}")
            return
        request["model"] = meter.task.model
        if request.get("stream") is True:
            request["stream_options"] = {"include_usage": True}
        try:
            self._pass_on(request)
        except httpx.HTTPError as problem:
            why = f"{meter.task.endpoint_url}: {problem or type(problem).__name__}"
            meter.add(Turn(asked=_asked(request), said=why, status=_AWAY, seconds=0.0))
            meter.give_up("endpoint", why)
            if not self._begun:
                self._error(_AWAY, f"the models' endpoint does not answer: {why}")

    def _pass_on(self, request: Json) -> None:
        task, began = self.server.meter.task, time.monotonic()
        headers = {"Authorization": f"Bearer {task.key.get_secret_value()}"} if task.key else {}
        url = f"{task.endpoint_url.rstrip('/')}/chat/completions"
        with self.server.http.stream("POST", url, json=request, headers=headers) as response:
            streamed = "event-stream" in response.headers.get("content-type", "")
            reading = _Reading(streamed)
            try:
                if not streamed:
                    reading.add(response.read())
                self._head(response.status_code, {k: v for k in _KEPT_HEADERS if (v := response.headers.get(k))})
                for piece in [reading.whole] if not streamed else response.iter_bytes():
                    if streamed:
                        reading.add(piece)
                    self.wfile.write(piece)
            except ConnectionError:
                self.close_connection = True  # the engine has hung up; what the model said so far counts
            turn = reading.turn(request, response.status_code, time.monotonic() - began)
        self.server.meter.add(turn)
        if turn.status == _REFUSED or (turn.status == 429 and "budget" in turn.said.lower()):
            self.server.meter.give_up("budget", turn.said)
        elif turn.status >= _BROKEN:
            self.server.meter.give_up("endpoint", turn.said)

    def _error(self, status: int, why: str) -> None:
        self._say(status, {"error": {"message": why, "type": "omni", "code": status}})

    def _say(self, status: int, content: Json) -> None:
        self._head(status, {"content-type": "application/json"})
        self.wfile.write(json.dumps(content).encode())

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self._begun = True
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


class _Reading:
    """An answer on its way through: read leniently, never changed, and never the reason why it is not passed on."""

    def __init__(self, streamed: bool) -> None:
        self.whole = b""
        self._streamed = streamed
        self._events, self._assembly = Events(), Assembly()
        self._unreadable = ""

    def add(self, piece: bytes) -> None:
        if not self._streamed:
            self.whole = piece
        try:
            for event in self._events.feed(piece) if self._streamed else [piece]:
                self._assembly.event(event)
        except FormatError as problem:
            self._unreadable = str(problem)

    def turn(self, request: Json, status: int, seconds: float) -> Turn:
        message = self._assembly.message()
        said = message.content if isinstance(message.content, str) else ""
        if status != 200:
            return Turn(asked=_asked(request), said=said or self._problem(), status=status, seconds=seconds)
        estimate = Usage(prompt=len(json.dumps(request)) // 4, completion=-(-self._assembly.heard // 4))
        return Turn(
            asked=_asked(request),
            said=said or self._unreadable,
            calls=message.tool_calls,
            status=status,
            usage=self._assembly.usage or estimate,
            estimated=self._assembly.usage is None,
            seconds=seconds,
        )

    def _problem(self) -> str:
        try:
            return explain(parse(self.whole))
        except FormatError:
            return self._unreadable or self.whole[:300].decode(errors="replace")


def _asked(request: Json) -> str:
    """The text of the last message."""
    messages = request.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) else ""
    if isinstance(content, list):
        texts = [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
        content = "\n".join(map(str, texts))
    return content[:_SHOWN] if isinstance(content, str) else ""
