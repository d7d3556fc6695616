"""Who may judge what models wrote: another model than its authors, where there is one, or nobody."""

from __future__ import annotations

from collections.abc import Collection

from omni.kernel.settings import Settings
from omni.models.catalog import load_catalog
from omni.review.independence import independent

INDEPENDENCE = "independence"
"""What a person may do without, by this name."""


def enabled(settings: Settings) -> tuple[str, ...]:
    """The models that can be asked, as `provider/model`."""
    offers = load_catalog(settings).offers()
    return tuple(f"{place.name}/{model.id}" for place, model in offers if model.kind == "chat")


def alone(settings: Settings, authors: Collection[str]) -> str:
    """Why nobody can judge what these wrote; empty when somebody can."""
    if any(independent(name, authors) for name in enabled(settings)):
        return ""
    return f"no other model than {', '.join(authors)} is enabled, and a model does not approve its own work"
