"""The gates at which a person may say no: which there are, when they ask, and what was decided."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

GateName = Literal["unlimited_budget", "spec_approval", "design_review", "code_review", "deployment", "budget"]
Decision = Literal["approved", "revised", "rejected"]


class Gate(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["mandatory", "optional", "auto-approve-if-score-above"]
    timeout: float
    """Hours until an unanswered request stops the run."""
    threshold: float = 0.0

    def asks(self, score: float) -> bool:
        """Whether a person must decide, given the score (0 to 10) of what is to be approved."""
        return self.type == "mandatory" or (self.type == "auto-approve-if-score-above" and score <= self.threshold)


class Answer(BaseModel):
    """A person's decision, as it travels to the waiting run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: Decision
    by: str
    reason: str = ""


@cache
def gates(profile: str) -> dict[GateName, Gate]:
    """The gates of a profile (`autonomous`, `supervised`). Raises KeyError for an unknown one."""
    data = tomllib.loads(files("omni.pipeline").joinpath("gates.toml").read_text())
    return TypeAdapter(dict[str, dict[GateName, Gate]]).validate_python(data)[profile]
