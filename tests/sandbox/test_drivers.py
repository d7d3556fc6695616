from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.sandbox import drivers
from omni.sandbox.job import Probe


class _Driver:
    def __init__(self, name: str, probe: Probe) -> None:
        self.name, self._probe = name, probe

    def probe(self) -> Probe:
        return self._probe


FULL, WORKS = Probe("", "full"), Probe("", "reduced", ("weak",))
ABSENT, LEAKS = Probe("", None, ("it is not installed",)), Probe("", None, ("it leaks",), {"read secrets": False})
Name = Literal["auto", "bubblewrap", "docker", "reduced"]


def _choose(monkeypatch: pytest.MonkeyPatch, setting: Name, *probes: Probe) -> str:
    names = ("bubblewrap", "docker", "reduced")
    made = tuple(_Driver(name, probe) for name, probe in zip(names, probes, strict=True))
    monkeypatch.setattr(drivers, "drivers", lambda _: made)
    return drivers.choose(Settings(home=Path("/nowhere"), database_url="sqlite://", sandbox=setting)).name


@pytest.mark.parametrize(
    ("setting", "probes", "chosen"),
    [
        ("auto", (FULL, FULL, WORKS), "bubblewrap"),
        ("auto", (ABSENT, FULL, WORKS), "docker"),
        ("auto", (ABSENT, ABSENT, WORKS), "reduced"),
        ("docker", (FULL, FULL, WORKS), "docker"),
        ("reduced", (FULL, FULL, WORKS), "reduced"),
    ],
)
def test_the_strongest_that_works(
    monkeypatch: pytest.MonkeyPatch, setting: Name, probes: tuple[Probe, ...], chosen: str
) -> None:
    assert _choose(monkeypatch, setting, *probes) == chosen


def test_a_named_driver_that_can_not_run_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OmniError) as caught:
        _choose(monkeypatch, "bubblewrap", ABSENT, FULL, WORKS)
    assert (caught.value.kind.code, caught.value.why) == ("SB001", "bubblewrap: it is not installed")


def test_a_leak_stops_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OmniError) as caught:
        _choose(monkeypatch, "auto", LEAKS, FULL, WORKS)
    assert (caught.value.kind.code, caught.value.why) == ("SB003", "bubblewrap: it leaks")
