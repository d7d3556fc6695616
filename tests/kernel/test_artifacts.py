from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omni.kernel.artifacts import ArtifactStore
from omni.kernel.errors import OmniError


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(data=st.binary(max_size=100))
def test_what_was_put_comes_back_by_its_hash(tmp_path: Path, data: bytes) -> None:
    store = ArtifactStore(tmp_path)
    digest = store.put(data)
    assert digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert store.put(data) == digest
    assert store.get(digest) == data
    assert store.has(digest)


def test_a_file_is_put_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    store = ArtifactStore(tmp_path / "store")
    assert store.put_file(tmp_path / "f") == store.put(b"x")
    assert [path.relative_to(tmp_path / "store") for path in (tmp_path / "store").rglob("*") if path.is_file()] == [
        Path("2d/711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")
    ]


def test_a_damaged_artifact_is_found_and_mended_by_putting_it_again(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    digest = store.put(b"right")
    store.path(digest).chmod(0o644)
    store.path(digest).write_bytes(b"wrong")
    with pytest.raises(OmniError, match="damaged"):
        store.get(digest)
    store.put(b"right")
    assert store.get(digest) == b"right"


def test_a_missing_artifact_is_an_error(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    digest = "sha256:" + "0" * 64
    assert not store.has(digest)
    with pytest.raises(OmniError, match="missing"):
        store.get(digest)


@pytest.mark.parametrize("digest", ["", "sha256:", "sha256:../../etc/passwd", "md5:" + "0" * 64, "sha256:" + "A" * 64])
def test_only_a_digest_leads_to_a_path(tmp_path: Path, digest: str) -> None:
    with pytest.raises(ValueError, match="not a digest"):
        ArtifactStore(tmp_path).path(digest)
