"""Chooses how foreign code is isolated on this machine."""

from __future__ import annotations

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.sandbox import cgroup
from omni.sandbox.bubblewrap import Bubblewrap
from omni.sandbox.docker import Docker
from omni.sandbox.errors import ESCAPED, UNAVAILABLE
from omni.sandbox.job import Driver
from omni.sandbox.reduced import Reduced
from omni.sandbox.selftest import Guarded


def drivers(settings: Settings) -> tuple[Driver, ...]:
    """All drivers, the strongest first."""
    return (Guarded(Bubblewrap(), settings.home), Guarded(Docker(), settings.home), Reduced())


def choose(settings: Settings) -> Driver:
    """The driver that the settings name, or, for `auto`, the strongest that works here.

    Raises OmniError when the named one can't run, and when one that runs leaks: then the machine has to be mended,
    and a weaker driver is no answer.
    """
    cgroup.sweep()
    problems: list[str] = []
    for driver in drivers(settings):
        if settings.sandbox in ("auto", driver.name):
            probe = driver.probe()
            if probe.isolation:
                return driver
            problems += [f"{driver.name}: {problem}" for problem in probe.problems]
            if probe.checks:
                raise OmniError(ESCAPED, "\n".join(problems))
    raise OmniError(UNAVAILABLE, "\n".join(problems))
