"""Runs untrusted commands: no network, no secrets, bounded time, memory, processes and disk."""

from omni.sandbox.drivers import choose
from omni.sandbox.mounts import python_mounts

__all__ = ["choose", "python_mounts"]
