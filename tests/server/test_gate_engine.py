"""The gate engine as its callers see it, with the real worker and real verification."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from tests.server.serving import BAD, GOOD, finished, packed, served

from omni.kernel.clock import now
from omni.kernel.settings import Settings
from omni.server import config
from omni.server.jobs import Job, Jobs, Source
from omni.server.worker import UPLOAD, Worker

SECRET = "a secret of the forge"


@pytest.fixture
def configured(home: Path, tmp_path: Path) -> Settings:
    forge = f'[[forges]]\nkind = "gitea"\nhost = "forge.test"\nsecret = "{SECRET}"\n'
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (home / config.FILE).write_text(f'paths = ["{allowed}"]\nqueue = 2\nupload = 100000\n{forge}')
    return Settings(home=home, database_url="sqlite://", offline=True)


@pytest.fixture
def client(configured: Settings) -> Iterator[httpx.Client]:
    with served(configured) as client:
        yield client


@pytest.fixture
def idle(configured: Settings) -> Iterator[httpx.Client]:
    """An engine whose worker does nothing."""
    with served(configured, working=False) as client:
        yield client


@pytest.mark.slow
def test_an_archive_gets_a_binary_verdict_with_place_reason_and_what_to_do(client: httpx.Client) -> None:
    answer = client.post("/v1/verify?tier=1", content=packed(BAD))
    assert answer.status_code == 202
    job_id = answer.json()["id"]
    job = finished(client, job_id)
    assert (job["passed"], job["verdict"]) == (False, "fail")
    (reason,) = job["reasons"]
    assert reason["where"] == "a.txt:1"
    assert reason["what"].startswith("conflict-markers/")
    assert reason["fix"]
    assert client.get(f"/v1/jobs/{job_id}/report").json()["results"]
    assert client.get(f"/v1/jobs/{job_id}/report?format=sarif").json()["version"] == "2.1.0"
    page = client.get(f"/v1/jobs/{job_id}/report?format=html")
    assert "sandbox" in page.headers["content-security-policy"]
    assert client.get(f"/v1/jobs/{job_id}/report?format=comment").text.startswith("<!-- omni verify -->")
    with client.stream("GET", f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": "1"}) as stream:
        rows = [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
    assert rows[-1]["kind"] == "ended"
    assert rows[0]["kind"] != "started"
    assert 'omni_gate_verdicts{verdict="fail"} 1' in client.get("/metrics").text


@pytest.mark.slow
def test_a_folder_that_is_allowed_is_verified_at_its_commit(client: httpx.Client, tmp_path: Path) -> None:
    root = tmp_path / "allowed" / "app"
    root.mkdir()
    for path, text in GOOD.items():
        (root / path).write_text(text)
    who = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    for argv in (("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "one")):
        subprocess.run(["git", *argv], cwd=root, check=True)
    (root / "b.txt").write_text(BAD["a.txt"])
    now = client.post("/v1/verify?tier=1", json={"path": str(root)}).json()["id"]
    then = client.post("/v1/verify?tier=1", json={"path": str(root), "commit": "HEAD"}).json()["id"]
    assert (finished(client, now)["passed"], finished(client, then)["passed"]) == (False, True)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"path": "/etc"}, 403, "G005"),
        ({"path": "allowed/../../../etc"}, 403, "G005"),
        ({"repository": "https://elsewhere.test/a/b"}, 403, "G005"),
        ({"repository": "http://forge.test/a/b"}, 403, "G005"),
        ({"repository": "https://user@forge.test/a/b"}, 403, "G005"),
        ({"repository": "ext::sh -c id"}, 403, "G005"),
        ({"repository": "--upload-pack=id"}, 403, "G005"),
        ({"repository": "https://forge.test/a", "commit": "--x"}, 400, "G010"),
        ({}, 400, "G010"),
        ({"path": "/etc", "repository": "https://forge.test/a"}, 400, "G010"),
        ({"unknown": 1}, 400, "G010"),
    ],
)
def test_what_is_not_allowed_never_becomes_a_job(
    idle: httpx.Client, body: Mapping[str, object], status: int, code: str
) -> None:
    answer = idle.post("/v1/verify", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_nothing_is_answered_without_the_token(idle: httpx.Client) -> None:
    job_id = idle.post("/v1/verify", content=packed(GOOD)).json()["id"]
    for header in ("", "Bearer", "Bearer wrong", "Basic x"):
        headers = {"Authorization": header}
        assert idle.post("/v1/verify", content=b"", headers=headers).status_code == 401
        for path in ("", "/report", "/events"):
            assert idle.get(f"/v1/jobs/{job_id}{path}", headers=headers).status_code == 401
    assert idle.get("/health", headers={"Authorization": ""}).json()["status"] == "ok"
    assert idle.get("/v1/jobs/nothing").status_code == 404
    assert idle.get(f"/v1/jobs/{job_id}/report").status_code == 409


def test_the_queue_and_the_uploads_are_bounded(idle: httpx.Client, home: Path) -> None:
    assert idle.post("/v1/verify", content=b"x" * 200_000).status_code == 400
    assert list((home / "gate-engine" / "jobs").iterdir()) == []  # nothing of it stays on the disk
    for _ in range(2):
        assert idle.post("/v1/verify", content=packed(GOOD)).status_code == 202
    full = idle.post("/v1/verify", content=packed(GOOD))
    assert (full.status_code, full.headers["retry-after"]) == (429, "30")


@pytest.mark.slow
def test_a_restart_loses_nothing(configured: Settings, idle: httpx.Client) -> None:
    waiting = idle.post("/v1/verify?tier=1", content=packed(BAD)).json()["id"]
    other = idle.post("/v1/verify?tier=1", content=packed(GOOD)).json()["id"]
    jobs = Jobs(configured.home / "gate-engine" / "jobs", 2)
    taken = jobs.take()  # and then the process was killed
    assert taken
    assert taken.id == waiting
    with served(configured) as again:
        assert (finished(again, waiting)["passed"], finished(again, other)["passed"]) == (False, True)


def test_a_worker_that_can_write_nothing_says_so_and_goes_on(
    configured: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    jobs = Jobs(configured.home / "gate-engine" / "jobs", 2)
    job_id, folder = jobs.reserve()
    (folder / UPLOAD).write_bytes(b"no archive")
    jobs.add(Job(id=job_id, source=Source(kind="archive"), tier=1, gate="default", created=now()))
    worker = Worker(jobs, config.load(configured.home), configured)
    thread = threading.Thread(target=worker.run)
    with monkeypatch.context() as patched:
        patched.setattr("omni.server.jobs.write_atomic", full)
        thread.start()
        while not worker.problem:
            assert thread.is_alive()
    while jobs.get(job_id).state != "done":
        assert thread.is_alive()
    worker.stop()
    thread.join()
    assert worker.problem == ""
    assert jobs.get(job_id).reasons[0].what.startswith("The archive can't be used")


PUSH = {"after": "1" * 40, "repository": {"full_name": "team/app"}}


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    mark = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Gitea-Signature": mark, "X-Gitea-Event": "push", "Authorization": ""}


@pytest.fixture
def send(idle: httpx.Client) -> Callable[..., tuple[int, dict[str, object]]]:
    def post(body: bytes, host: str = "forge.test", **headers: str) -> tuple[int, dict[str, object]]:
        answer = idle.post(f"/v1/webhook/{host}", content=body, headers=signed(body) | headers)
        return answer.status_code, answer.json()

    return post


def test_a_signed_push_is_a_job_and_the_same_one_again_is_the_same_job(
    send: Callable[..., tuple[int, dict[str, object]]], idle: httpx.Client
) -> None:
    body = json.dumps(PUSH).encode()
    status, answer = send(body)
    assert status == 202
    assert send(body, **{"X-Gitea-Delivery": "another"}) == (202, answer)
    job = idle.get(f"/v1/jobs/{answer['job']}").json()
    assert job["source"] == {"kind": "repository", "place": "https://forge.test/team/app.git", "commit": "1" * 40}
    assert job["origin"] == {"host": "forge.test", "repository": "team/app", "pull_request": None}


@pytest.mark.parametrize(
    ("headers", "host", "status"),
    [
        ({"X-Gitea-Signature": "0" * 64}, "forge.test", 403),
        ({"X-Gitea-Signature": ""}, "forge.test", 403),
        ({"X-Gitea-Signature": "sha256="}, "forge.test", 403),
        (signed(json.dumps(PUSH).encode(), "another secret"), "forge.test", 403),
        ({}, "unknown.test", 403),
    ],
)
def test_a_webhook_that_is_not_the_forges_is_refused(
    send: Callable[..., tuple[int, dict[str, object]]], headers: dict[str, str], host: str, status: int
) -> None:
    assert send(json.dumps(PUSH).encode(), host, **headers)[0] == status


@pytest.mark.parametrize(
    ("body", "event", "status"),
    [
        (PUSH | {"after": "0" * 40}, "push", 200),
        (PUSH, "star", 200),
        (PUSH | {"after": "HEAD; rm"}, "push", 400),
        (PUSH | {"repository": {"full_name": "../../x"}}, "push", 400),
        ({}, "push", 400),
        ([], "push", 400),
    ],
)
def test_events_are_understood_or_refused(
    send: Callable[..., tuple[int, dict[str, object]]], body: object, event: str, status: int
) -> None:
    assert send(json.dumps(body).encode(), **{"X-Gitea-Event": event})[0] == status
