"""What small changes of the code would break and no other test would notice; found by mutation testing."""

from __future__ import annotations

import ctypes
import json
import logging
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import SimpleNamespace

import pytest

from omni.kernel import canonical, ids, registries
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.audit import AuditLog, verify_export
from omni.kernel.database import open_database
from omni.kernel.files import exchange
from omni.kernel.logs import open_log
from omni.kernel.processes import run
from omni.kernel.settings import Settings
from omni.kernel.signing import Signer


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[logging.Logger]:
    found = open_log(tmp_path)
    yield found
    for handler in [each for each in found.handlers if isinstance(each, RotatingFileHandler)]:
        handler.close()
        found.removeHandler(handler)


def test_a_line_of_the_log(tmp_path: Path, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    record = logging.LogRecord("omni.a", logging.WARNING, "a.py", 1, "Größe %s", ("3",), None)
    monkeypatch.setattr(record, "created", 1_800_000_000.1239)
    monkeypatch.setattr(record, "process", 77)
    logger.handle(record)
    text = (tmp_path / "logs/omni.jsonl").read_text("utf-8")
    assert "Größe" in text
    assert json.loads(text) == {
        "at": "2027-01-15T08:00:00.123+00:00",
        "level": "warning",
        "logger": "omni.a",
        "message": "Größe 3",
        "process": 77,
    }


def test_the_log_is_bounded_quiet_and_opened_once(tmp_path: Path, logger: logging.Logger) -> None:
    assert open_log(tmp_path, logging.DEBUG) is logger
    (handler,) = [each for each in logger.handlers if isinstance(each, RotatingFileHandler)]
    assert (handler.maxBytes, handler.backupCount, handler.encoding) == (10 << 20, 4, "utf-8")
    assert (logger.level, logger.propagate) == (logging.INFO, False)
    assert not (tmp_path / "logs/omni.jsonl").exists()


@pytest.mark.parametrize("renameat2", [None, lambda *_given: -1])
def test_paths_are_swapped_where_the_system_can_not_do_it_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renameat2: object
) -> None:
    library = SimpleNamespace(renameat2=renameat2) if renameat2 else SimpleNamespace()
    monkeypatch.setattr(ctypes, "CDLL", lambda *_given, **_options: library)
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    (one / "a").touch()
    other.write_text("b")
    exchange(one, other)
    assert one.read_text() == "b"
    assert (other / "a").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


def test_paths_are_swapped_at_once(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("1")
    other.write_text("2")
    exchange(one, other)
    assert (one.read_text(), other.read_text()) == ("2", "1")


def test_a_digest_is_of_the_canonical_bytes() -> None:
    assert canonical.digest({"b": 1, "a": 2}) == canonical.digest({"a": 2, "b": 1})
    assert canonical.digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_artifacts_can_be_read_by_all_and_written_by_nobody(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    digest = store.put(b"content")
    (found,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert found.stat().st_mode & 0o777 == 0o444
    assert "".join(found.parts).endswith(digest.removeprefix("sha256:"))


def pip(folder: Path, body: str) -> str:
    """An interpreter whose pip does this."""
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    program = folder / "bin/python3"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def interpreters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Folders of Omni's own interpreter and the base one, neither there yet."""
    own, base = tmp_path / "own", tmp_path / "base"
    monkeypatch.setattr(sys, "executable", str(own / "bin/python3"))
    monkeypatch.setattr(sys, "base_prefix", str(base))
    registries.pip_index.cache_clear()
    return own, base


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    registries.pip_index.cache_clear()


def test_the_index_of_pip(interpreters: tuple[Path, Path], tmp_path: Path) -> None:
    own, base = interpreters
    log = tmp_path / "log"
    pip(own, f'echo "$*" >> {log}; echo "global.index-url=\'https://own.example.org\'"')
    pip(base, "echo \"global.index-url='https://base.example.org'\"")
    assert registries.pip_index() == "https://own.example.org"
    assert registries.pip_index() == "https://own.example.org"
    assert log.read_text() == "-I -m pip config list\n"


@pytest.mark.parametrize("body", ["exit 1", "echo \"global.index-url='https://x.example.org'\"; exit 1"])
def test_the_base_interpreter_is_asked_when_the_own_one_has_no_pip(interpreters: tuple[Path, Path], body: str) -> None:
    own, base = interpreters
    pip(own, body)
    pip(base, "echo \"global.index-url='https://base.example.org'\"")
    assert registries.pip_index() == "https://base.example.org"


def test_no_index_and_no_interpreter(interpreters: tuple[Path, Path]) -> None:
    assert registries.pip_index() == ""
    registries.pip_index.cache_clear()
    pip(interpreters[0], "echo nothing")
    pip(interpreters[1], "echo \"global.index-url='https://base.example.org'\"")
    assert registries.pip_index() == ""


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 300_000])
def test_any_amount_goes_in_and_comes_out(size: int) -> None:
    text = "x" * size
    done = run(["cat"], stdin=text.encode(), timeout=30)
    assert (done.exit_code, done.stdout, done.truncated) == (0, text, False)


@pytest.mark.parametrize(("code", "ended"), [(0, "exited"), (1, "exited"), (255, "exited")])
def test_exit_codes(code: int, ended: str) -> None:
    done = run(["sh", "-c", f"exit {code}"], timeout=30)
    assert (done.exit_code, done.ended, done.ok) == (code, ended, code == 0)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """Set the clock (in milliseconds) and what the next random number is, in parts of all ones."""
    monkeypatch.setattr(ids, "_last_ms", 0)
    monkeypatch.setattr(ids, "_last_random", 0)

    def put(ms: int, random: int) -> None:
        monkeypatch.setattr(time, "time_ns", lambda: ms * 1_000_000 + 999_999)
        monkeypatch.setattr(secrets, "randbits", lambda bits: random & ((1 << bits) - 1))

    return put


def test_the_parts_of_an_id(at: Callable[[int, int], None]) -> None:
    at(0x0123456789AB, (0xABC << 62) | 0x1234567890ABCDEF)
    assert ids.uuid7() == "01234567-89ab-72bc-9234-567890abcdef"
    assert ids.uuid7() == "01234567-89ab-72bc-9234-567921579bdf"


def test_a_first_id_of_a_millisecond_leaves_room_for_more(at: Callable[[int, int], None]) -> None:
    at(1, (1 << 80) - 1)
    assert ids._RANDOM_BITS == 74
    ids.uuid7()
    assert ids._last_random == (1 << 73) - 1


def test_when_the_room_is_used_up_the_next_millisecond_is_taken(
    at: Callable[[int, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(5, 0)
    ids.uuid7()
    monkeypatch.setattr(ids, "_last_random", (1 << 74) - 2)
    assert ids.uuid7() == "00000000-0005-7fff-bfff-ffffffffffff"
    assert ids.uuid7() == "00000000-0006-7000-8000-000000000000"
    at(7, 3)
    assert ids.uuid7() == "00000000-0007-7000-8000-000000000003"


@pytest.fixture
def export(tmp_path: Path) -> Iterator[tuple[AuditLog, Path]]:
    """A log of two entries, and its export."""
    engine = open_database(Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path}/omni.db"))
    log = AuditLog(engine, Signer.generate())
    for number in range(2):
        log.record("ada", "run.approved", f"run-{number}", {})
    mark = log.export(tmp_path / "audit.jsonl")
    assert (mark.size, json.loads(mark.body)["size"], "at" in json.loads(mark.body)) == (2, 2, True)
    yield log, tmp_path / "audit.jsonl"
    engine.dispose()


NO_MARK = "there is no checkpoint with a good signature at the end"


def test_what_is_wrong_with_an_export_is_said(export: tuple[AuditLog, Path]) -> None:
    log, path = export
    key = log.signer.public_key_pem
    first, second, mark, _ = path.read_bytes().split(b"\n")

    def problems(*lines: bytes) -> tuple[str, ...]:
        path.write_bytes(b"\n".join(lines))
        return verify_export(path, key).problems

    good = verify_export(path, key)
    assert (good.ok, good.size, good.checkpoints, good.problems) == (True, 2, 1, ())
    assert problems(first, second, mark)[0] == "the file does not end with a whole line"
    assert problems(first, second, b"") == (NO_MARK,)
    assert problems(first, b"{", second, mark, b"")[0] == "line 2: it is not as it was written"
    assert problems(first, mark, second, mark, b"")[0] == "line 2: a checkpoint where an entry belongs"
    assert "the signed checkpoint is of 2 entries, the file has others" in problems(first, mark, b"")
    verdict = verify_export(path, key)
    assert (verdict.ok, verdict.size, verdict.checkpoints) == (False, 1, 1)
    assert log.verify(export=path).problems[0].startswith("export: ")
    path.write_bytes(b"\n".join((first, second, b"")))
    assert verify_export(path, key).checkpoints == 0


@pytest.mark.parametrize("given", ["1=30,2=300", {"1": 30.0, 2: 300}, {1: 30.0, 2: 300.0, 3: 600.0, 4: 14400.0}])
def test_deadlines_of_tiers(tmp_path: Path, given: object) -> None:
    found = Settings.model_validate(
        {"home": tmp_path, "database_url": "sqlite://", "tier_deadlines": given}
    ).tier_deadlines
    assert found == {1: 30.0, 2: 300.0, 3: 600.0, 4: 14400.0}


@pytest.mark.parametrize("given", ["1=0", "1=-1", "5=3", "x=1", 7, "1=2=3"])
def test_deadlines_that_are_none(tmp_path: Path, given: object) -> None:
    with pytest.raises(ValueError, match="tier_deadlines"):
        Settings.model_validate({"home": tmp_path, "database_url": "sqlite://", "tier_deadlines": given})


def test_a_deadline_below_a_second(tmp_path: Path) -> None:
    assert (
        Settings.model_validate(
            {"home": tmp_path, "database_url": "sqlite://", "tier_deadlines": "1=0.5"}
        ).tier_deadlines[1]
        == 0.5
    )
