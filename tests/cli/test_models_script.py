"""`omni models script` as a program."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

QUESTION = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(("stop", "asked", "code"), [(signal.SIGTERM, 1, 0), (signal.SIGINT, 2, 1)])
def test_it_answers_until_it_is_stopped(tmp_path: Path, stop: signal.Signals, asked: int, code: int) -> None:
    (tmp_path / "script.toml").write_text('rules = [{reply = "yes"}]')
    argv = [sys.executable, "-m", "omni", "models", "script", "script.toml", "--port", "0", "--log", "log"]
    with subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with httpx.Client(base_url=url, trust_env=False) as client:
            answers = [client.post("/chat/completions", json=QUESTION).status_code for _ in range(asked)]
        process.send_signal(stop)
        try:
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()  # where it did not stop
    assert (answers, process.returncode) == ([200, 400][:asked], code), errors
    assert ("M021" in errors) == bool(code)
    assert "Traceback" not in errors
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["type"] for line in lines] == ["asked", "ended"] * asked


def test_a_wrong_script_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_text("rules: [{}]")
    argv = [sys.executable, "-m", "omni", "models", "script", "script.yaml"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "rule 1, reply: Field required" in done.stderr
