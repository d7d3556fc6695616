from __future__ import annotations

import os
import socket
import time
import urllib.request
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.sandbox.job import Job, Limits, Mount
from omni.sandbox.reduced import Reduced


def test_foreign_code_is_refused_and_told_what_to_do(workspace: Path, tmp_path: Path) -> None:
    result = Reduced().run(Job(("touch", str(tmp_path / "ran")), workspace))
    assert (result.exit_code, result.ended, result.isolation) == (None, "refused", "reduced")
    assert "apt install bubblewrap" in result.stderr
    assert not (tmp_path / "ran").exists()
    with pytest.raises(OmniError) as caught:
        Reduced().serve(Job(("true",), workspace), 8000)
    assert caught.value.kind.code == "SB004"


def test_trusted_code_works_on_a_copy_with_a_clean_environment(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "canary")
    script = "cat a.txt; env | cut -d= -f1 | sort | tr '\\n' ' '; echo new > out; rm a.txt"
    job = Job(("sh", "-c", script), workspace, collect=("out",), into=tmp_path / "into")
    result = Reduced().run(job, trusted=True)
    assert result.stdout == "a\nHOME LANG OMNI_JOB PATH PWD TMPDIR TZ "
    assert (result.exit_code, result.collected, result.isolation) == (0, ("out",), "reduced")
    assert (tmp_path / "into/out").read_text() == "new\n"
    assert (workspace / "a.txt").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops its uid")
def test_root_runs_it_as_nobody(workspace: Path) -> None:
    assert Reduced().run(Job(("id", "-u"), workspace), trusted=True).stdout == "65534\n"


def test_time_out_and_strays(workspace: Path) -> None:
    mark = f"62.{os.getpid()}"
    job = Job(("sh", "-c", f"setsid sleep {mark} & sleep {mark}"), workspace, limits=Limits(wall=0.3))
    assert Reduced().run(job, trusted=True).ended == "timeout"
    alive = [file for file in Path("/proc").glob("[0-9]*/cmdline") if mark.encode() in _read(file)]
    assert alive == []


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def test_a_mount_elsewhere_can_not_be_had(workspace: Path) -> None:
    job = Job(("true",), workspace, mounts=(Mount(Path("/usr"), "/elsewhere"),))
    with pytest.raises(OmniError) as caught:
        Reduced().run(job, trusted=True)
    assert caught.value.why == "without bubblewrap /usr can't be shown at /elsewhere"


def test_a_service_answers_and_stops(workspace: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        with pytest.raises(OmniError) as caught:
            Reduced().serve(Job(("true",), workspace), port, trusted=True)
        assert caught.value.where == f"127.0.0.1:{port}"
    job = Job(("python3", "-m", "http.server", str(port), "--bind", "127.0.0.1"), workspace)
    with Reduced().serve(job, port, trusted=True) as service:
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"{service.url}/a.txt", timeout=5) as answer:  # noqa: S310 - our own
                    assert answer.read() == b"a\n"
                break
            except OSError:
                time.sleep(0.05)
        assert service.stop().ended == "signal"
        assert not service.alive()
        assert '"GET /a.txt HTTP/1.1" 200' in service.logs()
