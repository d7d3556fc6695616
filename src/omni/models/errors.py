"""What can go wrong when a model is asked."""

from __future__ import annotations

from omni.kernel.errors import Exit, declare

NO_ANSWER = declare(
    "M001",
    "No model can answer",
    Exit.INCOMPLETE,
    "Type: omni models list --enabled, and omni models probe NAME; add another with omni models add.",
)
BUDGET_USED_UP = declare(
    "M002", "The budget is used up", Exit.INCOMPLETE, "Raise it in place: omni budget RUN --raise-to TOKENS"
)
UNUSABLE = declare(
    "M003", "The answer of a model can't be used", Exit.INCOMPLETE, "Type: omni models probe NAME to see what it can."
)
BAD_MODELS_FILE = declare(
    "M004", "The list of enabled models can't be used", Exit.USAGE, "Correct the file, or remove and add the endpoint."
)
NO_SUCH_MODEL = declare("M005", "There is no such model", Exit.USAGE, "Type: omni models list --enabled")
BAD_BUDGET = declare(
    "M007", "This can't be the budget of a run", Exit.USAGE, "Give more tokens than are used up and kept for packaging."
)
