"""Chooses how foreign code is isolated on this machine."""

from __future__ import annotations

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.sandbox.bubblewrap import Bubblewrap
from omni.sandbox.errors import UNAVAILABLE
from omni.sandbox.job import Driver
from omni.sandbox.reduced import Reduced


def drivers(settings: Settings) -> tuple[Driver, ...]:  # noqa: ARG001
    """All drivers, the strongest first."""
    return (Bubblewrap(), Reduced())


def choose(settings: Settings) -> Driver:
    """The driver that the settings name, or, for `auto`, the strongest that works here.

    Raises OmniError when the named one can't run.
    """
    problems: list[str] = []
    for driver in drivers(settings):
        if settings.sandbox in ("auto", driver.name):
            probe = driver.probe()
            if probe.isolation:
                return driver
            problems += [f"{driver.name}: {problem}" for problem in probe.problems]
    raise OmniError(UNAVAILABLE, "\n".join(problems))
