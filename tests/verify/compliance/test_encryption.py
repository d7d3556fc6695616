"""HIPAA-001 and GDPR-001: a stored field counts as encrypted when code really encrypts it, not when a name says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

Broken = Callable[[str, Mapping[str, str]], list[str]]

MODELS = """
from cryptography.fernet import Fernet
from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, validates
from sqlalchemy.types import TypeDecorator
from sqlalchemy_utils import StringEncryptedType
from sqlalchemy_utils.types.encrypted.encrypted_type import AesEngine, AesGcmEngine, FernetEngine
from app.crypto import Box, Empty, Short, encrypt, seal_short, encrypt_badly
Kept = StringEncryptedType(String, key, AesGcmEngine)
class Base(DeclarativeBase):
    pass
class Record(Base):
    __tablename__ = "records"
    id: Mapped[int] = mapped_column(primary_key=True)
    DECLARED
"""
CRYPTO = """
import os
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.types import TypeDecorator
_aes = AESGCM(key)
def encrypt(text):
    return _aes.encrypt(os.urandom(12), text, None)
def encrypt_badly(text):
    return text
class Box(TypeDecorator):
    def process_bind_param(self, value, dialect):
        return encrypt(value)
class Empty(TypeDecorator):
    def process_bind_param(self, value, dialect):
        return value
class Short(TypeDecorator):
    def process_bind_param(self, value, dialect):
        return AESGCM(AESGCM.generate_key(bit_length=128)).encrypt(b"", value, None)
class EncryptedString(TypeDecorator):
    pass
"""
PLAIN = "is stored as plain text"
FERNET = "is encrypted with Fernet, which is AES-128"
SHORT = "is encrypted with a key of fewer than 256 bits"
UNSHOWN = "is encrypted in a way that does not show AES-256"
PGCRYPTO = "is encrypted by pgcrypto with its default, AES-128: say cipher-algo=aes256"


def said(why: str) -> list[str]:
    return [f"app/models.py:15 `records.diagnosis` (diagnosis) {why}"] if why else []


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ("diagnosis: Mapped[str]", PLAIN),
        ('diagnosis: Mapped[str] = mapped_column(String, comment="encrypted")', PLAIN),
        ("diagnosis: Mapped[str] = mapped_column(StringEncryptedType(String, key, AesGcmEngine))", ""),
        ("diagnosis: Mapped[str] = mapped_column(StringEncryptedType(String, key, AesEngine))", ""),
        ("diagnosis: Mapped[str] = mapped_column(StringEncryptedType(String, key))", ""),
        ("diagnosis: Mapped[str] = mapped_column(StringEncryptedType(String, key, FernetEngine))", FERNET),
        ("diagnosis: Mapped[str] = mapped_column(Kept)", ""),
        ("diagnosis: Mapped[str] = mapped_column(Box)", ""),
        ("diagnosis: Mapped[str] = mapped_column(Empty)", PLAIN),
        ("diagnosis: Mapped[str] = mapped_column(Short)", SHORT),
        ("diagnosis: Mapped[str] = mapped_column(VaultedText)", UNSHOWN),
        ("diagnosis: Mapped[str] = mapped_column(PGPString)", UNSHOWN),
    ],
)
def test_types_of_columns(broken: Broken, declared: str, why: str) -> None:
    files = {"app/models.py": MODELS.replace("DECLARED", declared), "app/crypto.py": CRYPTO}
    assert broken("HIPAA-001", files) == said(why)


FIELD = "diagnosis: Mapped[bytes] = mapped_column(LargeBinary)"


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ("def add(text):\n    return Record(diagnosis=encrypt(text))", ""),
        ("def add(text):\n    return Record(diagnosis=text)", PLAIN),
        ("def add(text):\n    return Record(diagnosis=encrypt_badly(text))", PLAIN),
        ("def add(text):\n    return Record(diagnosis=library.encrypt(text))", UNSHOWN),
        ("def add(text):\n    return Record(diagnosis=Fernet(key).encrypt(text))", FERNET),
        ("def add(text):\n    hidden = encrypt(text)\n    return Record(diagnosis=hidden)", ""),
        ("def add(text):\n    one = encrypt(text)\n    two = one\n    return Record(diagnosis=two)", ""),
        ("def add(text):\n    record = Record()\n    record.diagnosis = encrypt(text)", ""),
        ("def add(text):\n    record = Record()\n    record.diagnosis = text", PLAIN),
        ("def add(text):\n    other = Other()\n    other.diagnosis = encrypt(text)", PLAIN),
        ("def add(text):\n    Record(diagnosis=encrypt(text))\n    Record(diagnosis=text)", PLAIN),
        ("def add(**given):\n    Record(**given)", PLAIN),
        ("    @validates('diagnosis')\n    def keep(self, key, value):\n        return encrypt(value)", ""),
        ("    @validates('diagnosis')\n    def keep(self, key, value):\n        return value", PLAIN),
        ("    @validates('other')\n    def keep(self, _, value):\n        return encrypt(value)", PLAIN),
        ("    def save(self):\n        self.diagnosis = encrypt(given)\ndef add(t):\n    Record(diagnosis=t)", ""),
        ("    def load(self):\n        self.diagnosis = encrypt(given)\ndef add(t):\n    Record(diagnosis=t)", PLAIN),
    ],
)  # fmt: skip
def test_writes(broken: Broken, rest: str, why: str) -> None:
    files = {"app/models.py": MODELS.replace("DECLARED", FIELD) + rest + "\n", "app/crypto.py": CRYPTO}
    assert broken("HIPAA-001", files) == said(why)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ("KEY = os.urandom(16)\n_aes = AESGCM(KEY)", SHORT),
        ("KEY = os.urandom(32)\nSALT = os.urandom(16)\n_aes = AESGCM(KEY)", ""),
        ("_ring = [AESGCM(each) for each in KEYS]\n_aes = wrap(_ring)", ""),
        ("_other = AESGCM(key)\n_aes = wrap(KEYS)", UNSHOWN),
    ],
)
def test_what_encrypts_is_made_of_other_constants(broken: Broken, made: str, why: str) -> None:
    rest = "def add(text):\n    return Record(diagnosis=encrypt(text))\n"
    crypto = CRYPTO.replace("_aes = AESGCM(key)", made)
    files = {"app/models.py": MODELS.replace("DECLARED", FIELD) + rest, "app/crypto.py": crypto}
    assert broken("HIPAA-001", files) == said(why)


SCHEMA = "CREATE TABLE visits (\n  id uuid PRIMARY KEY,\n  diagnosis bytea NOT NULL\n);\n"


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("INSERT INTO visits (diagnosis) VALUES (pgp_sym_encrypt('a', 'k'))", PGCRYPTO),
        ("INSERT INTO visits (diagnosis) VALUES (pgp_pub_encrypt('a', 'k', 'cipher-algo=aes256'))", ""),
        ("INSERT INTO visits (diagnosis) VALUES ('a')", PLAIN),
        ("INSERT INTO others (diagnosis) VALUES (pgp_sym_encrypt('a', 'k'))", PLAIN),
        ("", PLAIN),
    ],
)
def test_statements(broken: Broken, sql: str, why: str) -> None:
    expected = [f"schema.sql:3 `visits.diagnosis` (diagnosis) {why}"] if why else []
    assert broken("HIPAA-001", {"schema.sql": SCHEMA, "seed.sql": sql + ";\n"}) == expected
    if sql:
        code = f'def add(db):\n    db.execute("{sql}")\n'
        assert broken("HIPAA-001", {"schema.sql": SCHEMA, "seed.sql": "", "app.py": code}) == expected


CIPHERS = """
function encryptLong(text) { return createCipheriv("aes-256-gcm", key, iv).update(text); }
function encryptShort(text) { return createCipheriv("aes-128-gcm", key, iv).update(text); }
"""
PRISMA = "model Visit {\n  id Int @id\n  diagnosis String MARK\n}\n"


@pytest.mark.parametrize(
    ("mark", "script", "why"),
    [
        ("", "", PLAIN),
        ("/// @encrypted", "", ""),
        ("", "prisma.visit.create({ data: { diagnosis: encrypt(text) } });", UNSHOWN),
        ("", "prisma.visit.create({ data: { diagnosis: encryptLong(text) } });", ""),
        ("", "prisma.visit.update({ where: { id }, data: { diagnosis: encryptShort(text) } });", SHORT),
        ("", "prisma.visit.create({ data: { diagnosis } });", PLAIN),
        ("", "prisma.visit.create({ data: { diagnosis: text } });", PLAIN),
        ("", "prisma.other.create({ data: { diagnosis: encrypt(text) } });", PLAIN),
        ("", "visitRepo.save({ diagnosis: encrypt(a) });\nprisma.visit.update({ data: { diagnosis: b } });", PLAIN),
        ("", "prisma.visit.findMany({ data: { diagnosis: encrypt(text) } });", PLAIN),
    ],
)  # fmt: skip
def test_scripts(broken: Broken, mark: str, script: str, why: str) -> None:
    found = broken("HIPAA-001", {"schema.prisma": PRISMA.replace("MARK", mark), "src/app.ts": f"{CIPHERS}{script}\n"})
    assert [each.partition(") ")[2] for each in found] == ([why] if why else [])


def test_what_is_no_health_data_needs_no_aes_256(broken: Broken) -> None:
    declared = "email: Mapped[str] = mapped_column(StringEncryptedType(String, key, FernetEngine))"
    assert broken("GDPR-001", {"app/models.py": MODELS.replace("DECLARED", declared)}) == []
    assert broken("GDPR-001", {"app/models.py": MODELS.replace("DECLARED", "email: Mapped[str]")}) == [
        f"app/models.py:15 `records.email` (email) {PLAIN}"
    ]
