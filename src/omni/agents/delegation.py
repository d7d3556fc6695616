"""A part of a session's work, handed to another session: fresh memory, the same project, a model as the part needs.

The one that delegates plans and puts together; whoever gets a part writes. So a long task fits into windows that hold
one part each, and a hard part is answered by another model than an easy one.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationError

from omni.agents.conversation import arguments
from omni.models.wire import Capability, Model, ToolCall, ToolSpec

COMPLEXITY: dict[str, Capability] = {"simple": "fast", "standard": "balanced", "hard": "heavy"}
BEGIN = """\
This is one part of a larger task; a colleague who plans the whole gave it to you and sees nothing of your work but its
result and your summary. Do this part and nothing else. In your summary say what was done, what was decided, which files
hold it, and what is missing.

# Your part
"""


class Part(Model):
    """What is handed over."""

    instructions: str = Field(min_length=1)
    complexity: Literal["simple", "standard", "hard"] = "standard"

    @property
    def capability(self) -> Capability:
        return COMPLEXITY[self.complexity]


DELEGATE = ToolSpec(
    name="delegate",
    description=(
        "Hand one self-contained part of a large task to a colleague, who knows nothing of this conversation, works in "
        "this project with your tools, and returns a summary. For tasks of many parts; do small ones yourself."
    ),
    parameters={
        "type": "object",
        "properties": {
            "instructions": {
                "type": "string",
                "description": "All that the colleague has to know, and how to see it done.",
            },
            "complexity": {
                "type": "string",
                "enum": list(COMPLEXITY),
                "description": "How hard it is: decides which model does it.",
            },
        },
        "required": ["instructions"],
    },
)


def read_part(call: ToolCall) -> Part | str:
    """The part, or what is wrong with the call, in words for the model."""
    try:
        return Part.model_validate(arguments(call))
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
        return f"Not delegated: {'.'.join(map(str, first['loc'])) or 'the arguments'}: {first['msg']}."
