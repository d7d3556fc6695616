"""The tamper-evident log: a hash chain over canonical JSON, with signed checkpoints of its size and head.

The chain finds an edit in the middle; a checkpoint finds a cut tail and a chain that was rewritten whole. Whoever owns
the database can cut the log and its checkpoints together: an export, kept in a second place, finds that too.
Format of an entry: `body`, canonical JSON with the hash of the entry before it as `previous` (64 zeros for the first),
and `hash`, the SHA-256 of the body's bytes. A checkpoint: `body`, canonical JSON, and its Ed25519 signature in Base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, func, insert, select, text
from sqlalchemy.exc import DatabaseError

from omni.kernel import canonical, clock, signing
from omni.kernel.canonical import JsonValue
from omni.kernel.database import writing
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import write_atomic
from omni.kernel.signing import Signer
from omni.kernel.tables import audit_checkpoints, audit_entries

UNWRITABLE = declare(
    "K060",
    "The audit log can't be written",
    Exit.NOT_ALLOWED,
    "What must be recorded is not done without it: free disk space or mend the database, then try again.",
)

GENESIS = "0" * 64
CHECKPOINT_EVERY = 100
"""Entries; so at most that many are not yet under a signature."""


@dataclass(frozen=True)
class Entry:
    number: int
    """From 1, without gaps."""
    body: str
    hash: str


@dataclass(frozen=True)
class Checkpoint:
    size: int
    head: str
    body: str
    signature: str


@dataclass(frozen=True)
class AuditVerdict:
    ok: bool
    size: int
    head: str
    checkpoints: int
    problems: tuple[str, ...]


@dataclass
class _Waiting:
    """One thread's entry on its way into the log."""

    facts: dict[str, JsonValue]
    entry: Entry | None = None
    error: DatabaseError | None = None


@dataclass
class AuditLog:
    """The log in a database. Threads may share one; processes may each have their own."""

    engine: Engine
    signer: Signer
    _queue: list[_Waiting] = field(default_factory=list)
    _queue_lock: threading.Lock = field(default_factory=threading.Lock)
    _writer_lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, actor: str, action: str, subject: str, detail: Mapping[str, JsonValue]) -> Entry:
        """Append an entry; when this returns it is committed.

        Raises OmniError when it can't be written: what it is about must then not be done.
        """
        at = clock.now().isoformat()
        mine = _Waiting({"at": at, "actor": actor, "action": action, "subject": subject, "detail": detail})
        canonical.dumps(mine.facts)  # what JSON can't say fails here, not for the whole batch
        with self._queue_lock:
            self._queue.append(mine)
        with self._writer_lock:  # whoever gets it writes for all that wait: one commit for many entries
            if mine.entry is None and mine.error is None:
                self._write_queued()
        if mine.entry is None:
            raise OmniError(UNWRITABLE, str(mine.error and mine.error.orig)) from mine.error
        return mine.entry

    def checkpoint(self) -> Checkpoint:
        """Sign the size and head of the log as it is now."""
        with writing(self.engine) as connection:
            _lock(connection)
            size, head = _head(connection)
            return self._sign(connection, size, head)

    def verify(self, export: Path | None = None) -> AuditVerdict:
        """Read it all again; check every hash, link and signature, and that `export` (a file) is its beginning."""
        problems: list[str] = []
        exported = verify_export(export, self.signer.public_key_pem) if export is not None else None
        if exported is not None:
            problems += [f"export: {problem}" for problem in exported.problems]
        chain, marks = _Chain(problems, {exported.size} if exported is not None else set()), {}
        try:
            with self.engine.connect() as connection:
                # Checkpoints first: an entry that is written meanwhile can't make one look ahead of the log.
                marks = {row.size: row for row in connection.execute(select(audit_checkpoints))}
                chain.wanted |= set(marks)
                query = select(audit_entries).order_by(audit_entries.c.number).execution_options(yield_per=1000)
                for row in connection.execute(query):
                    chain.add(row.number, row.body, row.hash)
        except DatabaseError as error:
            problems.append(f"entry {chain.size + 1}: the database can't read it ({error.orig})")
        for size, row in sorted(marks.items()):
            mark = _read_checkpoint(row.body, row.signature, self.signer.public_key_pem)
            if mark is None or mark.size != size:
                problems.append(f"checkpoint at {size}: its signature does not fit")
            else:
                chain.compare(mark, "checkpoint")
        if exported is not None and exported.ok:
            chain.compare(Checkpoint(exported.size, exported.head, "", ""), "export")
        return AuditVerdict(not problems, chain.size, chain.head, len(marks), tuple(problems))

    def export(self, path: Path) -> Checkpoint:
        """Write the log to a file as JSON lines, an entry a line, a fresh checkpoint last."""
        mark = self.checkpoint()
        with self.engine.connect() as connection:
            query = select(audit_entries).where(audit_entries.c.number <= mark.size).order_by(audit_entries.c.number)
            lines = [canonical.dumps({"body": row.body, "hash": row.hash}) for row in connection.execute(query)]
        lines.append(canonical.dumps({"checkpoint": mark.body, "signature": mark.signature}))
        write_atomic(path, b"\n".join(lines) + b"\n")
        return mark

    def _write_queued(self) -> None:
        with self._queue_lock:
            batch, self._queue = self._queue, []
        try:
            with writing(self.engine) as connection:
                entries = self._append(connection, [waiting.facts for waiting in batch])
        except DatabaseError as error:
            for waiting in batch:
                waiting.error = error
            return
        for waiting, entry in zip(batch, entries, strict=True):
            waiting.entry = entry

    def _append(self, connection: Connection, batch: list[dict[str, JsonValue]]) -> list[Entry]:
        _lock(connection)
        start, head = _head(connection)
        entries = []
        for number, facts in enumerate(batch, start + 1):
            body = canonical.dumps(facts | {"number": number, "previous": head}).decode()
            head = hashlib.sha256(body.encode()).hexdigest()
            entries.append(Entry(number, body, head))
        connection.execute(
            insert(audit_entries), [{"number": e.number, "body": e.body, "hash": e.hash} for e in entries]
        )
        if (start + len(entries)) // CHECKPOINT_EVERY > start // CHECKPOINT_EVERY:
            self._sign(connection, start + len(entries), head)
        return entries

    def _sign(self, connection: Connection, size: int, head: str) -> Checkpoint:
        known = connection.execute(select(audit_checkpoints).where(audit_checkpoints.c.size == size)).one_or_none()
        if known is not None:
            return Checkpoint(size, head, known.body, known.signature)
        body = canonical.dumps({"at": clock.now().isoformat(), "head": head, "size": size, "type": "audit"}).decode()
        signature = base64.b64encode(self.signer.sign(body.encode())).decode()
        connection.execute(insert(audit_checkpoints).values(size=size, body=body, signature=signature))
        return Checkpoint(size, head, body, signature)


def verify_export(path: Path, public_key_pem: str) -> AuditVerdict:
    """Check an exported file by itself: every byte is under a hash or a signature, and its end is there."""
    problems: list[str] = []
    raw = path.read_bytes()
    lines = raw.split(b"\n")
    if lines.pop() != b"":
        problems.append("the file does not end with a whole line")
    mark, chain = None, _Chain(problems, set())
    for number, line in enumerate(lines, 1):
        record = _read_line(line)
        if record is None:
            problems.append(f"line {number}: it is not as it was written")
        elif "checkpoint" in record and number == len(lines):
            mark = _read_checkpoint(record["checkpoint"], record["signature"], public_key_pem)
        elif "body" in record:
            chain.add(number, record["body"], record["hash"])
        else:
            problems.append(f"line {number}: a checkpoint where an entry belongs")
    if mark is None:
        problems.append("there is no checkpoint with a good signature at the end")
    elif (mark.size, mark.head) != (chain.size, chain.head):
        problems.append(f"the signed checkpoint is of {mark.size} entries, the file has others")
    return AuditVerdict(not problems, chain.size, chain.head, 1 if mark else 0, tuple(problems))


@dataclass
class _Chain:
    """Follows the links; remembers the head at the sizes in `wanted`."""

    problems: list[str]
    wanted: set[int]
    size: int = 0
    head: str = GENESIS
    heads: dict[int, str] = field(default_factory=lambda: {0: GENESIS})

    def add(self, number: int, body: str, hashed: str) -> None:
        self.size += 1
        where = f"entry {self.size}"
        if hashlib.sha256(body.encode()).hexdigest() != hashed:
            self.problems.append(f"{where}: its content does not fit its hash")
        try:
            facts = json.loads(body)
        except ValueError:
            facts = None
        if not isinstance(facts, dict) or facts.get("number") != number or number != self.size:
            self.problems.append(f"{where}: its number does not fit its place")
        elif facts.get("previous") != self.head:
            self.problems.append(f"{where}: it does not follow the entry before it")
        self.head = hashed
        if self.size in self.wanted:
            self.heads[self.size] = hashed

    def compare(self, mark: Checkpoint, what: str) -> None:
        if mark.size > self.size:
            self.problems.append(f"{what} at {mark.size}: the log was cut, it has {self.size} entries")
        elif self.heads.get(mark.size) != mark.head:
            self.problems.append(f"{what} at {mark.size}: the log was rewritten before it")


def _lock(connection: Connection) -> None:
    """One writer at a time; SQLite's write lock does that by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE audit_entries IN EXCLUSIVE MODE"))


def _head(connection: Connection) -> tuple[int, str]:
    last = select(func.max(audit_entries.c.number)).scalar_subquery()
    row = connection.execute(select(audit_entries).where(audit_entries.c.number == last)).one_or_none()
    return (row.number, row.hash) if row else (0, GENESIS)


def _read_line(line: bytes) -> dict[str, str] | None:
    """A line of an export; None unless it is byte for byte what Omni writes."""
    try:
        record = json.loads(line)
        if not isinstance(record, dict) or canonical.dumps(record) != line:
            return None
    except ValueError:
        return None
    known = record.keys() in ({"body", "hash"}, {"checkpoint", "signature"})
    return record if known and all(isinstance(value, str) for value in record.values()) else None


def _read_checkpoint(body: str, signature: str, public_key_pem: str) -> Checkpoint | None:
    try:
        raw = base64.b64decode(signature, validate=True)
        facts = json.loads(body)
    except (ValueError, binascii.Error):
        return None
    # Base64 has several spellings of the same bytes; only the one that was written counts.
    if base64.b64encode(raw).decode() != signature or not signing.verify(public_key_pem, body.encode(), raw):
        return None
    if not isinstance(facts, dict) or facts.get("type") != "audit":
        return None
    return Checkpoint(facts["size"], facts["head"], body, signature)
