"""What can go wrong when a model is asked."""

from __future__ import annotations

from omni.kernel.errors import Exit, declare

BAD_MODELS_FILE = declare(
    "M004", "The list of enabled models can't be used", Exit.USAGE, "Correct the file, or remove and add the endpoint."
)
NO_SUCH_MODEL = declare("M005", "There is no such model", Exit.USAGE, "Type: omni models list --enabled")
