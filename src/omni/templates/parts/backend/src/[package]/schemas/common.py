"""What the schemas share."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError


def _aware(value: object) -> object:
    """A moment without a zone is taken as UTC."""
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            return value
    return value.replace(tzinfo=dt.UTC) if isinstance(value, dt.datetime) and value.tzinfo is None else value


Moment = Annotated[dt.datetime, BeforeValidator(_aware)]


class Incoming(BaseModel):
    """Data from outside: trimmed, and nothing that was not asked for."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Change(Incoming):
    """A change: what is left out stays as it is."""

    def changes(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.model_fields_set}


class Outgoing(BaseModel):
    """Data to the outside, read from a row."""

    model_config = ConfigDict(from_attributes=True)


def required(value: object) -> object:
    """Refuse None where a value must stay."""
    if value is None:
        raise PydanticCustomError("missing", "Field required")
    return value
