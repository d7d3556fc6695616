"""Runs inside the sandbox: starts services, waits until they answer, runs steps in order, and stops all of it.

It is handed to the sandbox's own Python as text, so it uses nothing but the standard library. Its one argument is JSON:

    {"outcome": path,
     "services": [{"name", "prepare": [argv, …], "start": argv, "port", "health": path or "",
                   "ready": argv or [], "seconds", "env": {}, "cwd": path}, …],
     "steps": [{"name", "argv", "cwd", "env": {}, "out": path or ""}, …]}

The outcome is JSON: `{"service": name of one that did not start, "said": its last words, "steps": [{"name", "exit",
"said", "seconds"}, …]}`. The first step that fails is the last one that runs.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from io import BufferedWriter
from pathlib import Path
from typing import TypedDict

KEPT = 20000
"""Bytes of what a service or a step said."""
PATIENCE = 5.0
"""Seconds within which a service ends by itself."""
LOGS = Path("/tmp")  # noqa: S108 - the sandbox's own


class Service(TypedDict):
    name: str
    prepare: list[list[str]]
    start: list[str]
    port: int
    health: str
    ready: list[str]
    seconds: float
    env: dict[str, str]
    cwd: str


class Step(TypedDict):
    name: str
    argv: list[str]
    cwd: str
    env: dict[str, str]
    out: str


class Plan(TypedDict):
    outcome: str
    services: list[Service]
    steps: list[Step]


class NotStartedError(Exception):
    """A service can't be had: its name, and what it said."""


def main(plan: Plan) -> None:
    running: list[subprocess.Popen[bytes]] = []
    outcome: dict[str, object] = {"service": "", "said": "", "steps": []}
    try:
        for service in plan["services"]:
            _start(service, running)
        outcome["steps"] = _steps(plan["steps"])
        outcome["logs"] = {service["name"]: _tail(_log(service)) for service in plan["services"]}
    except NotStartedError as problem:
        outcome["service"], outcome["said"] = problem.args
    finally:
        for process in reversed(running):
            _stop(process)
    path = Path(plan["outcome"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(outcome), "utf-8")


def _start(service: Service, running: list[subprocess.Popen[bytes]]) -> None:
    name, log = service["name"], _log(service)
    env = os.environ | service["env"]
    with log.open("wb") as out:
        for argv in service["prepare"]:
            if _call(argv, service["cwd"], env, out, out):
                raise NotStartedError(name, f"`{' '.join(argv)[:200]}` failed: {_tail(log)}")
        try:
            process = subprocess.Popen(
                service["start"], cwd=service["cwd"], env=env, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        except OSError as problem:
            raise NotStartedError(name, str(problem)) from problem
    running.append(process)
    until = time.monotonic() + service["seconds"]
    while not answers(service):
        if process.poll() is not None:
            raise NotStartedError(name, f"it ended with exit code {process.returncode}: {_tail(log)}")
        if time.monotonic() > until:
            raise NotStartedError(name, f"it did not answer within {service['seconds']:g} s: {_tail(log)}")
        time.sleep(0.05)


def answers(service: Service) -> bool:
    """Its own command says so, or its health path answers below 500; else it is enough that it takes connections."""
    try:
        if service["ready"]:
            quiet = subprocess.DEVNULL
            return not subprocess.run(service["ready"], stdout=quiet, stderr=quiet, timeout=10, check=False).returncode
        if not service["health"]:
            socket.create_connection(("127.0.0.1", service["port"]), timeout=2).close()
            return True
        with closing(http.client.HTTPConnection("127.0.0.1", service["port"], timeout=5)) as connection:
            connection.request("GET", service["health"])
            return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException, subprocess.TimeoutExpired):
        return False


def _steps(steps: list[Step]) -> list[dict[str, object]]:
    done: list[dict[str, object]] = []
    for number, step in enumerate(steps):
        said = LOGS / f"omni-step-{number}"
        written = Path(step["out"] or said)
        written.parent.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        with said.open("wb") as err, written.open("ab") as out:
            exit_code = _call(step["argv"], step["cwd"], os.environ | step["env"], out, err)
        seconds = time.monotonic() - started
        done.append({"name": step["name"], "exit": exit_code, "said": _tail(said), "seconds": seconds})
        if exit_code:
            break
    return done


def _call(argv: list[str], cwd: str, env: Mapping[str, str], out: BufferedWriter, err: BufferedWriter) -> int:
    """The exit code; 127 with the reason in the log for what can't be started."""
    try:
        done = subprocess.run(argv, cwd=cwd, env=env, stdout=out, stderr=err, stdin=subprocess.DEVNULL, check=False)
    except OSError as problem:
        err.write(f"{argv[0]}: {problem.strerror}\n".encode())
        err.flush()
        return 127
    return done.returncode


def _stop(process: subprocess.Popen[bytes]) -> None:
    """SIGINT is PostgreSQL's fast shutdown, and what servers written in Python expect."""
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(PATIENCE)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
        return


def _log(service: Service) -> Path:
    return LOGS / f"omni-service-{service['name']}.log"


def _tail(path: Path) -> str:
    return path.read_bytes()[-KEPT:].decode("utf-8", "replace").strip()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
