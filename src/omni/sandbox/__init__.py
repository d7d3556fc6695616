"""Runs untrusted commands: no network, no secrets, bounded time, memory, processes and disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omni.sandbox.mounts import python_mounts

if TYPE_CHECKING:
    from omni.kernel.settings import Settings
    from omni.sandbox.job import Driver

__all__ = ["choose", "python_mounts"]


def choose(settings: Settings) -> Driver:
    """The driver that the settings name, or the strongest that works here; see `drivers.choose`."""
    from omni.sandbox.drivers import choose as chosen  # every driver is loaded: not before one is needed

    return chosen(settings)
