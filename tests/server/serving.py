"""A gate engine that runs, and what is sent to it."""

from __future__ import annotations

import io
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn

from omni.kernel.settings import Settings
from omni.server import config
from omni.server.gate_engine import app

GOOD = {"a.sh": "#!/bin/sh\necho fine\n"}
BAD = {"a.txt": "<<<<<<< ours\nx\n=======\ny\n>>>>>>> theirs\n"}


@contextmanager
def served(settings: Settings, *, working: bool = True) -> Iterator[httpx.Client]:
    """A real server on a free port, with or without its worker."""
    server = uvicorn.Server(
        uvicorn.Config(app(settings), port=0, log_level="error", lifespan="on" if working else "off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    headers = {"Authorization": f"Bearer {config.token(settings.home)}"}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def packed(files: Mapping[str, str]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as out:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"app/{name}")
            entry.size = len(text)
            out.addfile(entry, io.BytesIO(text.encode()))
    return data.getvalue()


def finished(client: httpx.Client, job_id: str) -> dict[str, Any]:
    for _ in range(600):
        job: dict[str, Any] = client.get(f"/v1/jobs/{job_id}").json()
        if job["state"] == "done":
            return job
        time.sleep(0.1)
    raise AssertionError("the job did not end")
