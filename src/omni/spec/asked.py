"""The request: what a person sent, and the account of each phrase of it, as types."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RequestType(StrEnum):
    NEW_SERVICE = "new-service"
    FEATURE = "feature"
    BUGFIX = "bugfix"
    REFACTOR = "refactor"
    MIGRATION = "migration"


class TokenBudget(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    UNLIMITED = "unlimited"


class Constraints(Model):
    languages: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    must_integrate_with: tuple[str, ...] = ()
    deployment_target: str = ""


class Request(Model):
    """What a person sent: a sentence, a page, or the structured YAML of requirement D1A.1."""

    text: str
    name: str = ""
    type: RequestType = RequestType.NEW_SERVICE
    priority: Literal["low", "medium", "high", "critical"] = "medium"
    requester: str = ""
    constraints: Constraints = Constraints()
    acceptance_criteria: tuple[str, ...] = ()
    deadline: str = ""
    token_budget: TokenBudget = TokenBudget.MEDIUM


class PartStatus(StrEnum):
    MAPPED = "mapped"
    """Understood; `items` says which spec items carry it."""
    QUESTION = "question"
    """Understood in part; an open question with a recorded default decides."""
    NOT_DELIVERED = "not-delivered"
    """Not understood, or known to be beyond every template."""
    NARRATIVE = "narrative"
    """Says nothing to build ("Thanks!"); `note` says why it was taken so."""


class Part(Model):
    """One phrase of the request. The parts of a request tile its text: no word belongs to none."""

    id: str
    sentence: int
    start: int
    end: int
    text: str
    status: PartStatus
    items: tuple[str, ...] = ()
    note: str = ""


class Question(Model):
    id: str
    text: str
    why: str
    options: tuple[str, ...] = ()
    default: str
    weight: int
    """0 to 100: how much of the result hangs on the answer. The most valuable are asked first."""
    part: str = ""


class Assumption(Model):
    id: str
    text: str
    question: str = ""
    part: str = ""
