"""Runs inside the sandbox, beside the project: watches tests, times a script, and is the door of black-box tests.

It is copied there as one file, so it uses the standard library alone. What it writes is what the project's own process
says about itself: the caller believes it only together with the exit code.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = "/work/"
REPORT = Path("/work/omni-report.json")
TIMINGS = 3
"""Runs of each size; the shortest counts, since other work on the machine only ever adds time."""
HEALTHY_WITHIN = 60.0

# ── a plug-in of pytest ──────────────────────────────────────────────────────────────────────────

_cited = os.environ.get("OMNI_CITED", "")
_lines: set[int] = set()
_results: list[dict[str, object]] = []


def pytest_configure(config: Any) -> None:  # noqa: ARG001 - pytest's signature; its types are not there
    if _cited:
        watch()


def pytest_collectreport(report: Any) -> None:
    if report.failed:
        _results.append(
            {"test": report.nodeid, "when": "collect", "error": "Error", "said": str(report.longrepr)[-600:]}
        )


def pytest_runtest_makereport(item: Any, call: Any) -> None:
    """One result for each phase that raised, and for each test that ran."""
    if call.excinfo is None:
        if call.when == "call":
            _results.append({"test": item.nodeid, "when": "call", "error": "", "said": ""})
        return
    frames = [str(entry.path) for entry in call.excinfo.traceback if str(entry.path).startswith(ROOT)]
    _results.append(
        {
            "test": item.nodeid,
            "when": call.when,
            "error": call.excinfo.typename,
            "said": str(call.excinfo.value)[:1200],
            "raised_in": frames[-1].removeprefix(ROOT) if frames else "",
        }
    )


def pytest_sessionfinish(session: Any, exitstatus: Any) -> None:  # noqa: ARG001 - likewise
    sys.settrace(None)
    REPORT.write_text(json.dumps({"results": _results, "lines": sorted(_lines)}))


def watch() -> None:
    """From now on, remember which lines of the cited file run, in every thread."""

    def line(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            _lines.add(frame.f_lineno)
        return line

    def call(frame: FrameType, _event: str, _arg: object) -> Any:
        if frame.f_code.co_filename != ROOT + _cited:
            return None
        _lines.add(frame.f_lineno)
        return line

    sys.settrace(call)
    threading.settrace(call)


# ── the door of a black-box test ─────────────────────────────────────────────────────────────────


class Reply:
    """What came back over HTTP. Redirects are not followed: they are answers."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.body)


class Ran:
    """What a command answered."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


class App:
    """The program, seen from outside by one person; cookies are kept."""

    def __init__(self, port: int = 0, command: list[str] | None = None, home: str = "") -> None:
        self._port, self._command, self._home = port, command or [], home
        self._cookies: dict[str, str] = {}

    def visitor(self) -> App:
        """Somebody else, whom the program has never seen."""
        return App(self._port, self._command, self._home)

    def run(self, *arguments: str, stdin: str = "") -> Ran:
        done = subprocess.run(
            [*self._command, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={**os.environ, "HOME": self._home} if self._home else None,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def get(self, path: str, headers: dict[str, str] | None = None) -> Reply:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, json: object = None, form: dict[str, str] | None = None, **more: Any) -> Reply:
        return self.request("POST", path, json, form, **more)

    def put(self, path: str, json: object = None, **more: Any) -> Reply:
        return self.request("PUT", path, json, **more)

    def patch(self, path: str, json: object = None, **more: Any) -> Reply:
        return self.request("PATCH", path, json, **more)

    def delete(self, path: str, json: object = None, **more: Any) -> Reply:
        return self.request("DELETE", path, json, **more)

    def request(
        self,
        method: str,
        path: str,
        json_body: object = None,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """A form is filled in as a browser does: with the hidden fields of the page at the same path."""
        sent = dict(headers or {})
        body: str | None = None
        if form is not None:
            body = urllib.parse.urlencode(hidden_fields(self.get(path).text) | form)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        elif json_body is not None:
            body = json.dumps(json_body)
            sent["Content-Type"] = "application/json"
        if self._cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        for value in answer.headers.get_all("set-cookie") or ():
            name, _, rest = value.partition("=")
            self._cookies[name.strip()] = rest.partition(";")[0]
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, data)


class _Hidden(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden" and (name := given.get("name")):
            self.fields[name] = given.get("value") or ""


def hidden_fields(page: str) -> dict[str, str]:
    reader = _Hidden()
    reader.feed(page)
    return reader.fields


@contextlib.contextmanager
def started(door: dict[str, Any]) -> Iterator[App]:
    """The program, started when it is one that listens. Raises RuntimeError when it does not get healthy."""
    if not door["serve"]:
        yield App(command=door["command"], home="/tmp")  # noqa: S108 - the sandbox's own
        return
    with subprocess.Popen(door["serve"], stdout=sys.stderr, stderr=sys.stderr) as process:
        try:
            app, until = App(door["port"]), time.monotonic() + HEALTHY_WITHIN
            while True:
                with contextlib.suppress(OSError, http.client.HTTPException):
                    if app.get(door["health"]).status == 200:
                        break
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("the program did not get healthy")
                time.sleep(0.05)
            yield app
        finally:
            process.terminate()


# ── what the caller runs ─────────────────────────────────────────────────────────────────────────


def describe(door: dict[str, Any]) -> None:
    """What the program says of its own interface: its description over HTTP, or its help."""
    with started(door) as app:
        if door["serve"]:
            said = {path: app.get(path) for path in door["description"]}
            shown = {path: reply.text for path, reply in said.items() if reply.status == 200}
        else:
            shown = {"--help": app.run("--help").out}
    REPORT.write_text(json.dumps(shown))


def knock(door: dict[str, Any]) -> None:
    """Run the black-box tests against the program; ends with pytest's exit code."""
    with started(door):
        argv = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-c",
            "/dev/null",
            "--rootdir",
            "omni_intent",
            "-p",
            "omni_inside",
        ]
        code = subprocess.run([*argv, "-p", "no:cacheprovider", "omni_intent"], check=False).returncode
    sys.exit(code)


def growth(sizes: list[int]) -> None:
    """Time `run(n)` of `omni_growth.py` at each size, in seconds of this process; then see which lines it reaches."""
    spec = importlib.util.spec_from_file_location("omni_growth", "/work/omni_growth.py")
    if spec is None or spec.loader is None:
        raise RuntimeError("there is no script")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    seconds = []
    for size in sizes:
        module.run(size)
        took = []
        for _ in range(TIMINGS):
            began = time.process_time()
            module.run(size)
            took.append(time.process_time() - began)
        seconds.append(min(took))
    watch()
    module.run(max(2, sizes[0] // 10))
    sys.settrace(None)
    REPORT.write_text(json.dumps({"seconds": seconds, "lines": sorted(_lines)}))


if __name__ == "__main__":
    told = json.loads(sys.argv[2])
    match sys.argv[1]:
        case "describe":
            describe(told)
        case "knock":
            knock(told)
        case "growth":
            growth(told)
