"""What a model is fit for, in plain words, from what it did when it was probed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omni.models.probe import Finding

BUILD_CONTEXT = 16_000
"""Tokens that a build should be able to see at once: the rules, some files, the last results."""
SLOW = 10.0
"""Tokens a second below which somebody who waits gives up."""
BUILD_TOKENS = 20_000
"""What models write for a small application, about; for an idea of the time."""

NOTHING = "Fit for testing the way to a model, and for nothing else"


def fit(findings: Sequence[Finding]) -> str:
    """One to four sentences for a person who wonders whether to build with this model."""
    found = {finding.name: finding for finding in findings}
    if not found["answers"].ok:
        return f"It can't be used: {found['answers'].said}."
    if not found["context"].context_kept:
        return f"{NOTHING}: it doesn't find what stands in a short text."
    eyes = "It sees pictures, such as a wireframe." if found["sees"].ok else ""
    return " ".join(filter(None, (_work(found), _memory(found["context"]), _speed(found["streams"]), eyes)))


def _work(found: Mapping[str, Finding]) -> str:
    tools, schema, edits = (bool(found[name].ok) for name in ("tools", "schema", "edits"))
    if tools and schema and edits:
        return "Fit for building: it calls tools, keeps a schema and edits code where it was told to."
    if tools and schema:
        return "Fit for reading and judging; for writing code only with luck, since its edit went wrong."
    if tools:
        return "Fit for talking to tools; documents and edits of its own can't be relied on."
    if edits and schema:
        return "Fit for single edits and documents; not for building, which needs tools that it doesn't call."
    if schema:
        return "Fit for sorting and summarising into forms; not for code."
    return f"{NOTHING}."


def _memory(context: Finding) -> str:
    if context.context_lost and context.context_kept < BUILD_CONTEXT:
        advice = "a build needs about 16,000: give the server a larger window (Ollama: OLLAMA_CONTEXT_LENGTH=32768)"
        return f"It keeps about {context.context_kept:,} tokens in mind; {advice}."
    return ""


def _speed(streams: Finding) -> str:
    speed = streams.tokens_per_second
    if not speed or speed >= SLOW:
        return ""
    return f"It is slow, {speed:g} tokens a second: a small application would take about {_hours(speed)}."


def _hours(speed: float) -> str:
    minutes = BUILD_TOKENS / speed / 60
    return f"{minutes / 60:.0f} hours" if minutes >= 120 else f"{minutes:.0f} minutes"
