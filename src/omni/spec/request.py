"""What a person sent, read into a `Request`: plain English, or the YAML of a structured project request."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from omni.kernel.errors import Exit, OmniError, declare
from omni.spec.asked import Constraints, Request, RequestType, TokenBudget

MAX_CHARACTERS = 20_000
"""About seven pages. Longer texts are several requests."""

UNREADABLE = declare(
    "SPEC-REQUEST",
    "The request can't be read",
    Exit.USAGE,
    "Say in a sentence or a page of English what is to be built.",
)
KEYS = ("project", "description", "constraints", "acceptance_criteria", "deadline", "token_budget")
STRUCTURED = re.compile(
    rf"\A(?:\s*(?:#.*|---.*)?\n)*\s*(?:\{{|(?:{'|'.join(KEYS)})\s*:\s*(?:$|[|>\"'{{\[]))", re.MULTILINE
)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text.strip()


Text = Annotated[str, AfterValidator(_said)]
Loose = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]
"""YAML reads `2026-02-15` as a date."""


class _Project(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=80)]
    type: RequestType = RequestType.NEW_SERVICE
    priority: Literal["low", "medium", "high", "critical"] = "medium"
    requester: Loose = ""


class _Structured(BaseModel):
    model_config = ConfigDict(extra="forbid")

    project: _Project
    description: Text
    constraints: Constraints = Constraints()
    acceptance_criteria: Annotated[tuple[Text, ...], Field(min_length=1)]
    deadline: Loose = ""
    token_budget: TokenBudget = TokenBudget.MEDIUM


def parse_request(text: str) -> Request:
    """The request in a text. Raises OmniError (SPEC-REQUEST), once, with everything that is wrong."""
    text = CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not re.search(r"[^\W_]", text):
        raise OmniError(UNREADABLE, "it has no words")
    if len(text) > MAX_CHARACTERS:
        raise OmniError(
            UNREADABLE,
            f"it has {len(text):,} characters; {MAX_CHARACTERS:,} are the most that are read",
            fix="Send the part that matters first, or several requests.",
        )
    return _structured(text) if STRUCTURED.match(text) else Request(text=text)


def _structured(text: str) -> Request:
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        where = getattr(error, "problem_mark", None)
        line = f"line {where.line + 1}" if where else ""
        raise OmniError(
            UNREADABLE, f"it is not valid YAML: {getattr(error, 'problem', '') or 'too deep'}", where=line
        ) from None
    try:
        read = _Structured.model_validate(data)
    except ValidationError as error:
        wrong = "; ".join(_fault(tuple(map(str, e["loc"])), e["type"], e["msg"]) for e in error.errors()[:10])
        raise OmniError(UNREADABLE, wrong, fix=f"The keys are: {', '.join(KEYS)}.") from None
    project = read.project
    return Request(
        text=_prose(read),
        name=project.name,
        type=project.type,
        priority=project.priority,
        requester=project.requester,
        constraints=read.constraints,
        acceptance_criteria=read.acceptance_criteria,
        deadline=read.deadline,
        token_budget=read.token_budget,
    )


def _fault(place: tuple[str, ...], kind: str, message: str) -> str:
    key = ".".join(place) or "the request"
    if kind == "extra_forbidden":
        return f"unknown key `{key}`"
    if kind == "missing" or (kind == "too_short" and place == ("acceptance_criteria",)):
        return f"`{key}` is missing"
    return f"`{key}`: {message.removeprefix('Value error, ')}"


def _prose(read: _Structured) -> str:
    """Description, criteria and constraints as one text, so that the account covers each of them."""
    held = read.constraints
    rows = [
        ("Languages", held.languages),
        ("Frameworks", held.frameworks),
        ("Databases", held.databases),
        ("Deployment target", (held.deployment_target,) if held.deployment_target else ()),
    ]
    lines = [read.description, "", "Acceptance criteria:", *(f"- {text}" for text in read.acceptance_criteria)]
    constraints = [f"- {title}: {', '.join(values)}" for title, values in rows if values]
    constraints += [f"- Integrates with {name}" for name in held.must_integrate_with]
    return "\n".join([*lines, "", "Constraints:", *constraints] if constraints else lines)
