from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.kernel.signing import Signer, verify

_ON_A_SMALL_CURVE = """\
-----BEGIN PUBLIC KEY-----
MDIwEAYHKoZIzj0CAQYFK4EEAAYDHgAEp33hIWTUPtjIWM9wCytrFCLxhKaVZ4T5
kNLwdw==
-----END PUBLIC KEY-----
"""
"""A good key of a kind (secp112r1) that is not supported."""


def test_a_signature_holds_for_its_bytes_and_key_alone(tmp_path: Path) -> None:
    signer = Signer.load(tmp_path)
    signature = signer.sign(b"data")
    assert verify(signer.public_key_pem, b"data", signature)
    assert not verify(signer.public_key_pem, b"Data", signature)
    assert not verify(signer.public_key_pem, b"data", signature[:-1] + bytes([signature[-1] ^ 1]))
    assert not verify(signer.public_key_pem, b"data", b"")
    assert not verify(Signer.generate().public_key_pem, b"data", signature)
    assert not verify("not a key", b"data", signature)
    assert not verify(_ON_A_SMALL_CURVE, b"data", signature)


def test_the_key_is_kept_and_private(tmp_path: Path) -> None:
    first = Signer.load(tmp_path)
    assert Signer.load(tmp_path).public_key_pem == first.public_key_pem
    key = tmp_path / "keys/signing.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert [path.name for path in key.parent.iterdir()] == ["signing.pem"]
    assert "PRIVATE" not in repr(first)


def test_processes_that_make_the_key_together_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: Signer.load(tmp_path).public_key_pem, range(8)))
    assert len(set(keys)) == 1


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        ("", 0o600, "not a PEM private key"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o600, "not a PEM private key"),
        ("x", 0o640, "others may read it"),
    ],
)
def test_a_key_that_can_not_be_trusted_is_refused(tmp_path: Path, content: str, mode: int, why: str) -> None:
    key = tmp_path / "keys/signing.pem"
    key.parent.mkdir()
    key.write_text(content)
    key.chmod(mode)
    with pytest.raises(OmniError, match=why):
        Signer.load(tmp_path)
