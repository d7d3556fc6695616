"""The log of Omni itself: JSON lines in the home, for people who look for what went wrong. No secret gets in."""

from __future__ import annotations

import json
import logging
import os
import re
import traceback
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

_FILE_BYTES = 10 << 20
_FILES = 5
_HIDDEN = "[redacted]"
_NAMES = r"(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|authorization)"
_PATTERNS = (
    re.compile(r"()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(\b[a-z][a-z0-9+.-]{0,30}://[^\s:/@]{0,200}:)[^\s@/]{1,500}(?=@)", re.IGNORECASE),
    re.compile(r"(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE),
    re.compile(
        rf"(\b[\w-]{{0,40}}{_NAMES}[\w-]{{0,40}}[\"']?\s{{0,5}}[:=]\s{{0,5}}[\"']?)[^\s\"',;&]{{3,}}",
        re.IGNORECASE,
    ),
    re.compile(r"()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"()\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|sk_live_|rk_live_|pypi-)[A-Za-z0-9_-]{16,}"),
    re.compile(r"()\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
)
_ENV_NAME = re.compile(r"password|passwd|secret|token|api_?key|credential", re.IGNORECASE)
_ENV_MIN = 8


def redact(text: str) -> str:
    """`text` with what looks like a secret, and every secret of this process's environment, blotted out."""
    for name, value in os.environ.items():
        if len(value) >= _ENV_MIN and _ENV_NAME.search(name):
            text = text.replace(value, _HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\1{_HIDDEN}", text)
    return text


def open_log(home: Path, level: int = logging.INFO) -> logging.Logger:
    """The logger `omni`, writing to `home/logs/omni.jsonl` (five files of 10 MiB). Opening it twice changes nothing."""
    logger = logging.getLogger("omni")
    path = (home / "logs" / "omni.jsonl").absolute()
    if any(
        isinstance(handler, RotatingFileHandler) and handler.baseFilename == str(path) for handler in logger.handlers
    ):
        return logger
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=_FILE_BYTES, backupCount=_FILES - 1, encoding="utf-8", delay=True)
    handler.setFormatter(_JsonLine())
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
    return logger


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
            "process": record.process,
        }
        if record.exc_info:
            line["error"] = redact("".join(traceback.format_exception(*record.exc_info)))
        return json.dumps(line, ensure_ascii=False)
