"""Engines for tests. They are large, so that all but one are used only where they are installed already."""

from __future__ import annotations

from functools import cache

import pytest

from omni.agents.engines.installed import how_to_get, install, installed
from omni.agents.engines.registry import NATIVE, adapter
from omni.kernel.errors import OmniError
from omni.kernel.settings import load_settings

SMALL = "mini-swe-agent"
"""Is installed when it is not here, so that one program that others have made always runs."""


def require(name: str) -> None:
    """Skip the test where the engine is not here, and say why."""
    if name != NATIVE and (why := _missing(name)):
        pytest.skip(why)


@cache
def _missing(name: str) -> str:
    settings, wanted = load_settings({}), adapter(name)
    if installed(wanted, settings.home):
        return ""
    if name != SMALL:
        return how_to_get(wanted, settings.home)
    try:
        install(wanted, settings.home, settings.offline, lambda _: None)
    except OmniError as problem:
        return f"{name} can't be installed: {problem.why}"
    return ""
