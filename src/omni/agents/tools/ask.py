"""`ask`: a question for the person, with what is assumed when nobody answers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from omni.agents.tools.tool import ToolResult, tool
from omni.models.wire import Model
from omni.spec.asked import Question

if TYPE_CHECKING:
    from omni.agents.tools.toolbox import Toolbox


class Arguments(Model):
    question: Annotated[str, Field(min_length=3, max_length=1000)]
    default: Annotated[str, Field(min_length=1, max_length=1000, description="Taken when nobody answers.")]
    why: Annotated[str, Field(max_length=1000, description="What hangs on the answer.")] = ""
    options: tuple[str, ...] = ()


def run(arguments: Arguments, toolbox: Toolbox) -> ToolResult:
    name = hashlib.sha256(arguments.question.encode("utf-8", "replace")).hexdigest()[:8]
    question = Question(
        id=f"ask-{name}",
        text=arguments.question,
        why=arguments.why,
        options=arguments.options,
        default=arguments.default,
        weight=50,
    )
    answer = toolbox.person(question).strip() if toolbox.person else ""
    toolbox.say(
        "agent.asked",
        {
            "id": question.id,
            "question": question.text,
            "why": question.why,
            "options": list(question.options),
            "answer": answer or question.default,
            "assumed": not answer,
        },
    )
    if answer:
        return ToolResult(text=f"The answer: {answer}")
    return ToolResult(text=f"Nobody is there to answer. Assumed and written down: {question.default}")


TOOL = tool(
    "ask",
    "Ask the person something that decides what to build and that nothing here says. Ask rarely: when nobody answers, "
    "the default is taken.",
    Arguments,
    run,
    writes=True,
)
