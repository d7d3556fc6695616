from __future__ import annotations

import json
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.sandbox.job import Job, JobResult, Probe
from omni.sandbox.selftest import Guarded


class _Driver:
    """A driver whose guest reports what the test wants; it counts what it runs."""

    name = "made-up"

    def __init__(self, reached: dict[str, str]) -> None:
        self.reached, self.ran = reached, 0

    def probe(self) -> Probe:
        return Probe(self.name, "full", ("slow today",))

    def run(self, job: Job, *, trusted: bool = False) -> JobResult:
        self.ran += 1
        return JobResult(0, "exited", json.dumps(self.reached), "", False, 0.1, "full")

    def serve(self, job: Job, port: int, *, trusted: bool = False) -> None:  # type: ignore[override]
        self.ran += 1


HELD, LEAKS = {"read secrets": "", "connect out": ""}, {"read secrets": "/root can be read", "connect out": ""}
JOB = Job(("true",), Path("/nowhere"))


def test_what_held_is_used_and_tried_once_a_boot(tmp_path: Path) -> None:
    driver = _Driver(HELD)
    guarded = Guarded(driver, tmp_path)
    guarded.run(JOB)
    guarded.run(JOB)
    assert driver.ran == 3
    assert guarded.probe() == Probe("made-up", "full", ("slow today",), {"read secrets": True, "connect out": True})
    again = _Driver(LEAKS)
    Guarded(again, tmp_path).run(JOB)  # remembered below the home
    assert again.ran == 1


def test_what_leaks_is_never_used_and_tried_again_next_time(tmp_path: Path) -> None:
    driver = _Driver(LEAKS)
    guarded = Guarded(driver, tmp_path)
    for use in (lambda: guarded.run(JOB), lambda: guarded.serve(JOB, 1)):
        with pytest.raises(OmniError) as caught:
            use()
        assert caught.value.kind.code == "SB003"
        assert caught.value.why == "the self-test got out. read secrets: /root can be read"
    assert driver.ran == 1
    probe = guarded.probe()
    assert (probe.isolation, dict(probe.checks)) == (None, {"read secrets": False, "connect out": True})
    mended = _Driver(HELD)
    Guarded(mended, tmp_path).run(JOB)
    assert mended.ran == 2


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b"\xff", b'{"read secrets": "was reached"}'])
def test_a_damaged_note_is_not_believed(tmp_path: Path, damage: bytes) -> None:
    Guarded(_Driver(HELD), tmp_path).run(JOB)
    (note,) = (tmp_path / "sandbox").iterdir()
    note.write_bytes(damage)
    driver = _Driver(LEAKS)
    with pytest.raises(OmniError):
        Guarded(driver, tmp_path).run(JOB)
