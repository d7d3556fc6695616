"""Ed25519 signatures with the key of this home (RFC 8032)."""

from __future__ import annotations

import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import open_new, sync_folder

BAD_KEY = declare(
    "K010",
    "The signing key can't be used",
    Exit.NOT_ALLOWED,
    "Restore the file from a backup, or move it away to let Omni make a new key (old signatures keep the old key).",
)


@dataclass(frozen=True)
class Signer:
    """Signs with a private key that never leaves it."""

    _key: Ed25519PrivateKey

    @classmethod
    def load(cls, home: Path) -> Signer:
        """The key at `home/keys/signing.pem`, made on first use with mode 0600.

        Raises OmniError when the file is no Ed25519 key, or others may read it.
        """
        path = home / "keys" / "signing.pem"
        if not path.exists():
            _create(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise OmniError(BAD_KEY, "others may read it", where=str(path), fix=f"Type: chmod 600 {path}")
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except ValueError as error:
            raise OmniError(BAD_KEY, "it is not a PEM private key", where=str(path)) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise OmniError(BAD_KEY, "it is not an Ed25519 key", where=str(path))
        return cls(key)

    @classmethod
    def generate(cls) -> Signer:
        """A fresh key that is kept nowhere."""
        return cls(Ed25519PrivateKey.generate())

    def sign(self, data: bytes) -> bytes:
        """The 64-byte signature of `data`."""
        return self._key.sign(data)

    @property
    def public_key_pem(self) -> str:
        """The public half, to check signatures with."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def verify(public_key_pem: str, data: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `data` by the key. A malformed key or signature is a plain no."""
    try:
        key = load_pem_public_key(public_key_pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return False
    if not isinstance(key, Ed25519PublicKey):
        return False
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    temporary = path.with_name(f".signing.{secrets.token_hex(6)}.tmp")
    with open_new(temporary, 0o600) as file:
        file.write(pem)
    try:
        path.hardlink_to(temporary)  # unlike a rename, never replaces the key of a process that was faster
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    sync_folder(path.parent)
