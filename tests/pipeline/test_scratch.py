from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from omni.pipeline.scratch import scratch


def test_a_run_sweeps_what_its_killed_predecessor_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "omni-run-1" / "omni-verify-x"
    left.mkdir(parents=True)
    with scratch("1") as folder:
        assert not left.exists()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert Path(tempfile.mkdtemp()).parent == folder
    assert list(tmp_path.iterdir()) == []
    assert tempfile.gettempdir() == str(tmp_path)
