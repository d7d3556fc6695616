from __future__ import annotations

import json
import logging
import time
from pathlib import Path

import pytest

from omni.kernel.logs import open_log, redact

_CANARY = "c4n4ry-c4n4ry-c4n4ry-c4n4ry"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://omni:{_CANARY}@db/omni",
        f"Authorization: Bearer {_CANARY}",
        f"DATABASE_PASSWORD={_CANARY}",
        f'{{"api_key": "{_CANARY}"}}',
        f"?token={_CANARY}&x=1",
        f"ghp_{_CANARY.replace('-', '')}",
        f"-----BEGIN PRIVATE KEY-----\n{_CANARY}\n-----END PRIVATE KEY-----",
        f"-----BEGIN RSA PRIVATE KEY-----\n{_CANARY}",
    ],
)
def test_secrets_are_blotted_out(text: str) -> None:
    assert _CANARY not in redact(text)
    assert _CANARY.replace("-", "") not in redact(text)
    assert "[redacted]" in redact(text)


@pytest.mark.parametrize("text", ["todo: buy milk", "https://example.org/a?b=c", "3 tokens spent", "page 1 of 2", ""])
def test_plain_text_stays(text: str) -> None:
    assert redact(text) == text


def test_secrets_of_the_environment_are_blotted_out_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", _CANARY)
    assert redact(f"it said {_CANARY}!") == "it said [redacted]!"


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "password" * 12_000, "token=" * 16_000, "a://" * 25_000, "-" * 100_000]
)
def test_redaction_takes_bounded_time(text: str) -> None:
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < 2


def test_the_log_is_json_lines_without_secrets(tmp_path: Path) -> None:
    logger = open_log(tmp_path)
    assert open_log(tmp_path) is logger
    try:
        logger.warning("run %s\nfailed, password=%s", "r1", _CANARY)
        try:
            int(f"token={_CANARY}")
        except ValueError:
            logging.getLogger("omni.sandbox").exception("it broke")
    finally:
        for handler in list(logger.handlers):
            handler.close()
            logger.removeHandler(handler)
    content = (tmp_path / "logs/omni.jsonl").read_text()
    first, second = map(json.loads, content.splitlines())
    assert (first["level"], first["message"]) == ("warning", "run r1\nfailed, password=[redacted]")
    assert second["logger"] == "omni.sandbox"
    assert "ValueError" in second["error"]
    assert _CANARY not in content
