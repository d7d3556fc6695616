"""Tokens of the model endpoint: one for people, and signed ones that name the run and the role that pay for a call.

An outside agent gets a signed token, and with it nothing but calls of models, on its run's budget, until it expires.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from omni.kernel import clock
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import secret_file
from omni.kernel.settings import Settings
from omni.models.wire import Attribution, Model, Want

NO_TOKEN = declare(
    "M022", "Who asks is not known", Exit.NOT_ALLOWED, "Send Authorization: Bearer with a token of Omni's."
)

TOKEN = "models-token"  # noqa: S105 - the name of the file
SIGNING_KEY = "models-signing-key"
PREFIX = "omni-"
FOREVER = datetime.max.replace(tzinfo=UTC)


class Grant(Model):
    """What a token allows."""

    attribution: Attribution
    """Its run is the one whose budget pays; `omni.models.budget.Budget.open` makes that."""
    want: Want
    """Who answers: a model named here answers, whatever model is asked for."""
    until: datetime


def mint(settings: Settings, attribution: Attribution, want: Want | None = None, hours: float = 24.0) -> str:
    """A token for calls on the account of `attribution`; it can't be changed, and is good for `hours`."""
    until = clock.now() + timedelta(hours=hours)
    grant = Grant(attribution=attribution, want=want or Want(), until=until).model_dump_json().encode()
    return f"{PREFIX}{_text(grant)}.{_text(_signature(settings, grant))}"


def read(settings: Settings, token: str) -> Grant:
    """What a signed token allows. Raises `M022` for one that is not ours, or has expired."""
    grant, _, signature = token.removeprefix(PREFIX).partition(".")
    try:
        data = base64.urlsafe_b64decode(grant + "=" * (-len(grant) % 4))
        if not hmac.compare_digest(_text(_signature(settings, data)).encode(), signature.encode()):
            raise OmniError(NO_TOKEN, "the token is none of this Omni's")
        found = Grant.model_validate_json(data)
    except (ValueError, ValidationError) as problem:
        raise OmniError(NO_TOKEN, "the token is none of this Omni's") from problem
    if found.until < clock.now():
        raise OmniError(NO_TOKEN, "the token has expired")
    return found


def token(settings: Settings) -> str:
    """What people show, and programs that they trust; made on first use, readable by its owner alone."""
    return secret_file(settings.home / "secrets" / TOKEN)


def _signature(settings: Settings, data: bytes) -> bytes:
    return hmac.digest(secret_file(settings.home / "secrets" / SIGNING_KEY).encode(), data, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
