"""The audit log of this Omni home: every decision about a run is in it before it takes effect."""

from __future__ import annotations

from sqlalchemy import Engine

from omni.kernel.audit import AuditLog
from omni.kernel.database import open_database
from omni.kernel.settings import Settings
from omni.kernel.signing import Signer


def log(settings: Settings, engine: Engine | None = None) -> AuditLog:
    """The log, opened with this home's signing key."""
    return AuditLog(engine or open_database(settings), Signer.load(settings.home))
