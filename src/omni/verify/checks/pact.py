"""The served project answers its consumers as their Pact files say, verified by Pact's own verifier.

Runs when `omni.toml` declares `[verify.serve]` and there are Pact files. Messages (asynchronous) are not verified.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from omni.verify.analysis.rule import Rule, line_with
from omni.verify.check import Check, Context, Gap, Item, Unseen
from omni.verify.deep import pact_verifier
from omni.verify.deep.compose import with_images
from omni.verify.deep.declared import Serve
from omni.verify.deep.play import Step, last_words, perform, scratch
from omni.verify.deep.services import served
from omni.verify.files import File
from omni.verify.report import Model, Severity, Status

BROKEN = Rule(
    "pact",
    "expectation-broken",
    Severity.ERROR,
    why="A consumer says that it needs this answer, and gets another.",
    fix="Answer as before, or agree with the consumer and take its new Pact file first.",
)
RESULTS = "omni-deep/pact.json"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Mismatch(Model, extra="ignore"):
    mismatch: str = ""
    path: str = ""


class Mismatches(Model, extra="ignore"):
    mismatches: tuple[Mismatch, ...] = ()
    message: str = ""


class Interaction(Model, extra="ignore"):
    description: str = Field(alias="description", default="")
    result: str = ""
    mismatch: Mismatches | str = ""


class Results(Model, extra="ignore"):
    """Of one file."""

    interactions: tuple[Interaction, ...] = Field(alias="interactionResults", default=())
    problem: str = ""


def run(context: Context) -> Iterator[Item]:
    serve = context.project.serve
    if serve is None:
        yield Gap("omni.toml declares no [verify.serve]", Status.SKIPPED)
        return
    pacts = {}
    for file in context.files:
        provider, messages = _about(context.text(file))
        if messages:
            yield Unseen(file.path, "its messages are not verified, only its requests")
        if provider and (not serve.provider or provider == serve.provider):
            pacts[file.path] = file
    if not pacts:
        yield Gap("there is no Pact file about this provider", Status.SKIPPED)
        return
    with scratch() as folder:
        into = Path(folder)
        servers = tuple(served(with_images(context), serve))
        step = Step("pact", _command(context, serve, tuple(pacts)))
        outcome = perform(context, servers, [step], into=into, collect=(RESULTS,), toolset="contract")
        try:
            found = TypeAdapter(dict[str, Results]).validate_json((into / RESULTS).read_bytes())
        except (OSError, ValidationError):
            yield Gap(f"Pact's verifier gave no results: {last_words(outcome.steps[-1].said)}")
            return
    yield from _judged(context, pacts, found)


def _about(text: str) -> tuple[str, bool]:
    """(the provider it is about, whether it has messages); an empty name for what is no Pact file."""
    try:
        content = json.loads(text)
        provider = str(content["provider"]["name"])
        kinds = {str(each.get("type", "")) for each in content.get("interactions", ())}
        return provider, bool(content.get("messages")) or any("Messages" in kind for kind in kinds)
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", False


def _command(context: Context, serve: Serve, files: tuple[str, ...]) -> tuple[str, ...]:
    python = str(context.execution.tools("contract").path("python"))
    url = f"http://127.0.0.1:{serve.port}"
    states = f"{url}{serve.states}" if serve.states else ""
    headers = {name.strip(): value.strip() for name, _, value in (each.partition(":") for each in serve.headers)}
    return (python, "-I", "-c", inspect.getsource(pact_verifier), RESULTS, url, states, json.dumps(headers), *files)


def _judged(context: Context, pacts: Mapping[str, File], found: Mapping[str, Results]) -> Iterator[Item]:
    for path, file in pacts.items():
        results = found.get(path, Results(problem="it was not looked at"))
        if results.problem or not results.interactions:
            yield Unseen(path, results.problem or "it has no interaction")
        text = context.text(file)
        for each in results.interactions:
            if each.result != "OK":
                line = line_with(text, json.dumps(each.description))
                yield BROKEN.at(path, line, f"{each.description}: {_why(each)}")


def _why(interaction: Interaction) -> str:
    if isinstance(interaction.mismatch, str):
        return interaction.mismatch or "it failed"
    said = [f"{each.path} {each.mismatch}".strip() for each in interaction.mismatch.mismatches]
    return COLOURS.sub("", "; ".join(said) or interaction.mismatch.message or "it failed")[:400]


CHECK = Check(
    id="pact",
    title="The served program answers as its consumers' Pact files say",
    tier=3,
    globs=("pacts/**/*.json", "**/pacts/**/*.json"),
    config=("**",),
    run=run,
    weight=2,
    timeout=540,
)
