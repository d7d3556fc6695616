"""A forge on this machine: git over HTTP, a webhook, statuses and comments, with nothing replaced."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.server.serving import BAD, finished, served

from omni.kernel.clock import now
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.server import config
from omni.server import forge as forges
from omni.server.jobs import Job, Origin, Source
from omni.server.repositories import allowed_url, fetch

SECRET = "a secret of the forge"


@dataclass
class Forge:
    """What it serves and what it was told."""

    root: Path
    port: int = 0
    told: list[tuple[str, str, Any]] = field(default_factory=list)
    authorizations: set[str] = field(default_factory=set)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def git(self, *argv: str) -> str:
        who = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always")
        work = self.root / "work"
        work.mkdir(exist_ok=True)
        return subprocess.run(["git", *who, *argv], cwd=work, check=True, capture_output=True, text=True).stdout.strip()

    def publish(self) -> str:
        """The work tree as a bare repository below the server's root; returns its commit."""
        (self.root / "served" / "team").mkdir(parents=True)
        self.git("clone", "-q", "--bare", ".", str(self.root / "served" / "team" / "app.git"))
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    made = Forge(tmp_path / "forge")
    made.root.mkdir()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Silent."""

        def answer(self) -> None:
            made.authorizations.add(self.headers.get("Authorization", ""))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            if path.startswith("/api/"):
                made.told.append((self.command, path, json.loads(body) if body else None))
                self.reply(200, b"[]" if self.command == "GET" else b"{}")
                return
            env = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(made.root / "served"),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
            }
            said = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, check=False).stdout
            head, _, content = said.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.reply(int(fields.pop("Status", "200 OK").split()[0]), content, fields)

        def reply(self, status: int, body: bytes, fields: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (fields or {"Content-Type": "application/json"}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 - the names that http.server calls

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_a_pull_request_is_fetched_verified_and_answered(forge: Forge, home: Path) -> None:
    forge.git("init", "-q", "-b", "main")
    (forge.root / "work" / "a.txt").write_text(BAD["a.txt"])
    forge.git("add", "-A")
    forge.git("commit", "-qm", "one")
    commit = forge.publish()
    entry = f'kind = "gitea"\nhost = "{forge.host}"\nsecret = "{SECRET}"\ntoken = "t0"\ninsecure = true\n'
    (home / config.FILE).write_text(f"[[forges]]\n{entry}")
    request = {"number": 7, "head": {"sha": commit}}
    event = {"action": "opened", "pull_request": request, "repository": {"full_name": "team/app"}}
    body = json.dumps(event).encode()
    mark = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Gitea-Signature": mark, "X-Gitea-Event": "pull_request"}
    with served(Settings(home=home, database_url="sqlite://", offline=True)) as client:
        job_id = client.post(f"/v1/webhook/{forge.host}", content=body, headers=headers).json()["job"]
        job = finished(client, job_id)
        for _ in range(100):  # the answer is posted just after the job is done
            if forge.told[-1][0] == "POST" and forge.told[-1][1].endswith("/comments"):
                break
            time.sleep(0.1)
    assert (job["passed"], job["reasons"][0]["where"]) == (False, "a.txt:1")
    statuses = [
        (data["state"], data["context"]) for _, path, data in forge.told if path.endswith(f"/statuses/{commit}")
    ]
    assert statuses == [("pending", "omni/verify"), ("failure", "omni/verify")]
    method, path, data = forge.told[-1]
    assert (method, path) == ("POST", "/api/v1/repos/team/app/issues/7/comments")
    assert "`a.txt:1`" in data["body"]
    assert "token t0" in forge.authorizations


def test_what_a_repository_brings_for_git_has_no_effect(forge: Forge, tmp_path: Path) -> None:
    forge.git("init", "-q", "-b", "main")
    work = forge.root / "work"
    (work / ".gitattributes").write_text("* filter=evil\n*.txt export-ignore\n")
    (work / ".gitmodules").write_text('[submodule "x"]\n\tpath = x\n\turl = https://forge.invalid/x\n')
    (work / "link").symlink_to("/etc/passwd")
    (work / "a.txt").write_text("kept\n")
    forge.git("add", "-A")
    forge.git("commit", "-qm", "one")
    commit = forge.publish()
    into = tmp_path / "into"
    into.mkdir()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    url = allowed_url(f"http://{forge.host}/team/app.git", [forge.host], [forge.host])
    assert fetch(url, "main", scratch, into) == commit
    assert (into / "a.txt").read_text() == "kept\n"
    assert (into / "link").is_symlink()  # as it was; verification follows none
    assert not (into / ".git").exists()


def test_a_revision_that_is_not_there_and_an_option_in_its_place(forge: Forge, tmp_path: Path) -> None:
    forge.git("init", "-q", "-b", "main")
    forge.git("commit", "-qm", "one", "--allow-empty")
    forge.publish()
    url = f"http://{forge.host}/team/app.git"
    for number, revision in enumerate(("nothing", "--upload-pack=id", "a b", "../x")):
        scratch, into = tmp_path / f"s{number}", tmp_path / f"i{number}"
        scratch.mkdir()
        into.mkdir()
        with pytest.raises(OmniError) as caught:
            fetch(url, revision, scratch, into)
        assert caught.value.kind.code == "G006"


@pytest.mark.parametrize(
    ("kind", "answer"), [("gitea", b"<html>welcome</html>"), ("gitea", b"[1]"), ("github", b'{"message": "x"}')]
)
def test_what_is_no_forge_is_told_and_stops_nothing(kind: str, answer: bytes) -> None:
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Silent."""

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET  # noqa: N815 - the name that http.server calls

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        host = f"127.0.0.1:{server.server_address[1]}"
        entry = {"kind": kind, "host": host, "secret": SECRET, "token": "t0", "insecure": True}
        origin = Origin(host=host, repository="team/app", pull_request=7)
        job = Job(id="1", source=Source(kind="archive"), tier=1, gate="default", created=now(), origin=origin)
        told = forges.answer(config.Forge.model_validate(entry), job, "1" * 40, "comment", "")
        server.shutdown()
        thread.join()
    assert told.startswith(f"{host}: ")
    assert paths[0].startswith("/api/v3/repos/team/app/" if kind == "github" else "/api/v1/repos/team/app/")
