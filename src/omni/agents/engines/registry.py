"""Which engines there are: the native one, the files `engines/<name>.toml`, and what other packages bring as entry
points `omni.engines` (an `Adapter`).

To add one: write its TOML file, and its lock in `locks/` when it comes from a registry.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from pydantic import ValidationError

from omni.agents.engines.contract import BAD_ENGINE, NO_ENGINE, Adapter
from omni.kernel.errors import OmniError

NATIVE = "native"
AUTO = "auto"
"""The one of those that are here which measured results speak for."""
FOLDER = Path(__file__).parent


@cache
def adapters() -> dict[str, Adapter]:
    """Those from outside, by name. Raises `A063`."""
    found = {path.stem: _declared(path) for path in sorted(FOLDER.glob("*.toml"))}
    for entry in entry_points(group="omni.engines"):
        brought = entry.load()
        if not isinstance(brought, Adapter) or entry.name in found:
            raise OmniError(BAD_ENGINE, "it is no Adapter, or its name is taken", where=entry.value)
        found[entry.name] = brought.model_copy(update={"name": entry.name})
    return found


def adapter(name: str) -> Adapter:
    """Raises `A060`."""
    try:
        return adapters()[name]
    except KeyError:
        raise OmniError(NO_ENGINE, f"“{name}”", fix=f"Known: {', '.join((NATIVE, *adapters()))}.") from None


def _declared(path: Path) -> Adapter:
    try:
        return Adapter.model_validate({"name": path.stem, **tomllib.loads(path.read_text("utf-8"))})
    except (OSError, ValueError, ValidationError) as problem:
        raise OmniError(BAD_ENGINE, str(problem).splitlines()[0], where=str(path)) from problem
