from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, select, text, update

from omni.kernel.audit import CHECKPOINT_EVERY, AuditLog, verify_export
from omni.kernel.errors import OmniError
from omni.kernel.signing import Signer
from omni.kernel.tables import audit_checkpoints, audit_entries


@pytest.fixture
def log(engine: Engine) -> AuditLog:
    return AuditLog(engine, Signer.generate())


def _fill(log: AuditLog, count: int) -> None:
    for number in range(count):
        log.record("ada", "run.approved", f"run-{number}", {"gate": "release", "note": 'π "quoted"\n\0'})


def test_an_untouched_log_verifies(log: AuditLog) -> None:
    assert log.verify().ok
    first = log.record("ada", "run.started", "run-1", {"b": [1, None], "a": True})
    second = log.record("omni", "run.ended", "run-1", {})
    facts = json.loads(first.body)
    facts.pop("at")
    assert facts == {
        "action": "run.started",
        "actor": "ada",
        "detail": {"a": True, "b": [1, None]},
        "number": 1,
        "previous": "0" * 64,
        "subject": "run-1",
    }
    assert json.loads(second.body)["previous"] == first.hash
    log.checkpoint()
    assert log.checkpoint() == log.checkpoint()
    verdict = log.verify()
    assert (verdict.ok, verdict.size, verdict.head, verdict.checkpoints) == (True, 2, second.hash, 1)


def test_every_hundredth_entry_is_signed_by_itself(log: AuditLog) -> None:
    _fill(log, CHECKPOINT_EVERY + 1)
    with log.engine.connect() as connection:
        assert list(connection.scalars(select(audit_checkpoints.c.size))) == [CHECKPOINT_EVERY]
    assert log.verify().ok


def test_threads_share_commits_and_lose_nothing(log: AuditLog) -> None:
    threads = [threading.Thread(target=_fill, args=(log, 20)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = log.verify()
    assert (verdict.ok, verdict.size) == (True, 100)


def test_two_logs_on_one_database_make_one_chain(log: AuditLog) -> None:
    other = AuditLog(log.engine, log.signer)
    threads = [threading.Thread(target=_fill, args=(each, 15)) for each in (log, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (log.verify().ok, log.verify().size) == (True, 30)


def test_any_changed_character_of_the_database_is_found(log: AuditLog) -> None:
    _fill(log, 3)
    log.checkpoint()
    columns = [
        (table, column, key)
        for table, key, names in (
            (audit_entries, audit_entries.c.number, ("body", "hash")),
            (audit_checkpoints, audit_checkpoints.c.size, ("body", "signature")),
        )
        for column in names
    ]
    for table, column, key in columns:
        with log.engine.connect() as connection:
            row_key, value = connection.execute(select(key, table.c[column]).order_by(key.desc()).limit(1)).one()
        for position in range(len(value)):
            changed = value[:position] + ("y" if value[position] == "x" else "x") + value[position + 1 :]
            with log.engine.begin() as connection:
                connection.execute(update(table).where(key == row_key).values({column: changed}))
            assert not log.verify().ok, (table.name, column, position)
        with log.engine.begin() as connection:
            connection.execute(update(table).where(key == row_key).values({column: value}))
    assert log.verify().ok


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_removed_entry_is_found(log: AuditLog, number: int) -> None:
    _fill(log, 3)
    log.checkpoint()
    with log.engine.begin() as connection:
        connection.execute(delete(audit_entries).where(audit_entries.c.number == number))
    assert not log.verify().ok


def test_an_entry_that_was_changed_together_with_its_hash_is_found(log: AuditLog) -> None:
    _fill(log, 3)
    with log.engine.begin() as connection:
        body = connection.scalars(select(audit_entries.c.body).where(audit_entries.c.number == 2)).one()
        body = body.replace('"ada"', '"eve"')  # a hash may hold the letters too
        hashed = hashlib.sha256(body.encode()).hexdigest()
        connection.execute(update(audit_entries).where(audit_entries.c.number == 2).values(body=body, hash=hashed))
    assert log.verify().problems == ("entry 3: it does not follow the entry before it",)


def test_a_moved_number_is_found(log: AuditLog) -> None:
    _fill(log, 2)
    with log.engine.begin() as connection:
        connection.execute(update(audit_entries).where(audit_entries.c.number == 2).values(number=7))
    assert log.verify().problems == ("entry 2: its number does not fit its place",)


def test_a_cut_tail_is_found_by_the_checkpoint(log: AuditLog) -> None:
    _fill(log, 4)
    log.checkpoint()
    with log.engine.begin() as connection:
        connection.execute(delete(audit_entries).where(audit_entries.c.number > 2))
    assert log.verify().problems == ("checkpoint at 4: the log was cut, it has 2 entries",)


def test_a_tail_cut_together_with_its_checkpoint_is_found_by_the_export(log: AuditLog, tmp_path: Path) -> None:
    _fill(log, 4)
    log.export(tmp_path / "audit.jsonl")
    with log.engine.begin() as connection:
        connection.execute(delete(audit_entries).where(audit_entries.c.number > 2))
        connection.execute(delete(audit_checkpoints))
    assert log.verify().ok
    verdict = log.verify(export=tmp_path / "audit.jsonl")
    assert verdict.problems == ("export at 4: the log was cut, it has 2 entries",)


def test_a_rewritten_whole_is_found(log: AuditLog, tmp_path: Path) -> None:
    _fill(log, 3)
    log.export(tmp_path / "audit.jsonl")
    with log.engine.begin() as connection:
        connection.execute(delete(audit_entries))
        kept = connection.execute(select(audit_checkpoints)).one()
        connection.execute(delete(audit_checkpoints))
    forger = AuditLog(log.engine, Signer.generate())
    for number in range(3):
        forger.record("eve", "run.approved", f"run-{number}", {})
    assert log.verify(export=tmp_path / "audit.jsonl").problems == ("export at 3: the log was rewritten before it",)
    with log.engine.begin() as connection:
        connection.execute(insert(audit_checkpoints).values(**kept._mapping))
    assert log.verify().problems == ("checkpoint at 3: the log was rewritten before it",)
    with log.engine.begin() as connection:
        connection.execute(delete(audit_checkpoints))
    forger.checkpoint()
    assert log.verify().problems == ("checkpoint at 3: its signature does not fit",)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str, Path]:
    from omni.kernel.database import open_database
    from omni.kernel.settings import Settings

    folder = tmp_path_factory.mktemp("audit")
    engine = open_database(Settings(home=folder, database_url=f"sqlite:///{folder}/omni.db"))
    log = AuditLog(engine, Signer.generate())
    _fill(log, 1)
    log.export(folder / "audit.jsonl")
    engine.dispose()
    return (folder / "audit.jsonl").read_bytes(), log.signer.public_key_pem, folder / "changed.jsonl"


def test_every_flipped_byte_of_an_export_is_found(exported: tuple[bytes, str, Path]) -> None:
    content, key, path = exported
    path.write_bytes(content)
    assert verify_export(path, key).ok
    for position in range(len(content)):
        # All bits of the signature, since Base64 has several spellings of one; elsewhere one bit a byte.
        for bit in range(8) if position > len(content) - 100 else (position % 8,):
            changed = bytearray(content)
            changed[position] ^= 1 << bit
            path.write_bytes(changed)
            assert not verify_export(path, key).ok, (position, bit, bytes(changed))


@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_cut_inserted_or_moved_piece_of_an_export_is_found(
    exported: tuple[bytes, str, Path], data: st.DataObject
) -> None:
    content, key, path = exported
    start = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(start + 1, len(content)))
    changed = content[:start] + data.draw(st.binary(max_size=8)) + content[end:]
    if changed == content:
        return
    path.write_bytes(changed)
    assert not verify_export(path, key).ok


def test_another_spelling_of_the_same_json_is_found(exported: tuple[bytes, str, Path]) -> None:
    content, key, path = exported
    first, _, rest = content.partition(b"\n")
    entry = json.loads(first)
    spellings = [
        json.dumps(entry).encode(),
        first.replace(b'{"body"', b'{"body":"","body"'),
        first.replace("π".encode(), b"\\u03c0"),
        first.replace(b'{"body"', b'{"extra":"","body"'),
    ]
    for spelling in spellings:
        assert spelling != first
        path.write_bytes(spelling + b"\n" + rest)
        assert not verify_export(path, key).ok, spelling


def test_an_export_signed_by_another_key_is_refused(exported: tuple[bytes, str, Path]) -> None:
    content, _, path = exported
    path.write_bytes(content)
    verdict = verify_export(path, Signer.generate().public_key_pem)
    assert verdict.problems == ("there is no checkpoint with a good signature at the end",)


def test_what_can_not_be_recorded_is_an_error(log: AuditLog) -> None:
    with log.engine.begin() as connection:
        connection.execute(text("DROP TABLE audit_entries"))
    with pytest.raises(OmniError, match="audit log can't be written"):
        log.record("ada", "run.approved", "run-1", {})


def test_a_value_that_json_can_not_say_is_refused_alone(log: AuditLog) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        log.record("ada", "a", "s", {"n": float("nan")})
    log.record("ada", "a", "s", {})
    assert log.verify().size == 1
