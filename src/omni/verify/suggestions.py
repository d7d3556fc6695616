"""Which profiles a project should choose: its signs, each with the place where it was seen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

from omni.verify.analysis.sensitive import Family
from omni.verify.check import Context
from omni.verify.checks.compliance import CHECKS
from omni.verify.compliance.facts import Facts, facts_of
from omni.verify.config import load_config
from omni.verify.execution import Execution, Resources
from omni.verify.files import Inventory, take_inventory
from omni.verify.profile import Sign, profiles
from omni.verify.report import Model

PAGES = re.compile(r"\.(html?|jinja2?|j2|tsx|jsx|vue|svelte)$")
DOMAIN = re.compile(r"(^|/)(domain|bounded_?contexts?|aggregates?)/")
CATALOGS = re.compile(r"(^|/)locales?/")


class Suggestion(Model):
    profile: str
    chosen: bool
    """Already, in omni.toml."""
    because: str
    where: str
    """`path:line`; empty for the project as a whole."""


def suggest(root: Path) -> tuple[Suggestion, ...]:
    """A line for each profile of which the project shows a sign. Raises OmniError for a bad omni.toml."""
    project = load_config(root)
    seen = _signs(root)
    found = []
    for profile in profiles().values():
        sign = next((each for each in profile.applicable_when if each in seen), None)
        if sign is not None:
            because, where = seen[sign]
            found.append(
                Suggestion(profile=profile.id, chosen=profile.id in project.profiles, because=because, where=where)
            )
    return tuple(found)


def _signs(root: Path) -> Mapping[Sign, tuple[str, str]]:
    """Sign → (why, where) of the first place that shows it."""
    project = load_config(root)
    resolved = root.resolve()
    inventory = take_inventory(resolved, {each.path: each.because for each in project.exclude})
    check = CHECKS[0]
    context = Context(
        check=check,
        root=resolved,
        files=tuple(each for each in inventory.matching(check.languages, check.globs) if not each.problem),
        inventory=inventory,
        project=project,
        execution=Execution(Resources(_nothing, _nothing, resolved)),
    )
    found: dict[Sign, tuple[str, str]] = {"always": ("every project", "")}
    for sign, because, where in _seen(facts_of(context), inventory):
        found.setdefault(sign, (because, where))
    return found


def _nothing(*_: object) -> NoReturn:
    raise AssertionError("suggestions run no tools")


def _seen(facts: Facts, inventory: Inventory) -> Iterator[tuple[Sign, str, str]]:
    families: tuple[tuple[Sign, Family], ...] = (
        ("personal-data", "personal"),
        ("health-data", "health"),
        ("card-data", "card_number"),
        ("card-data", "card_code"),
    )
    for sign, family in families:
        for each in facts.sensitive(family):
            yield sign, f"it stores {each.shown}", f"{each.model.path}:{each.field.line}"
    for endpoint in facts.endpoints:
        yield "routes", f"it answers {endpoint.shown}", f"{endpoint.file}:{endpoint.line}"
    for model in facts.models:
        yield "tables", f"it keeps {model.table or model.name}", f"{model.path}:{model.line}"
    for file in inventory.files:  # of now: facts are of the product's code alone, and kept
        if PAGES.search(file.path):
            yield "pages", "it has pages", file.path
        if DOMAIN.search(file.path):
            yield "domain", "it names its domain", file.path
        if CATALOGS.search(file.path):
            yield "catalogs", "it has translations", file.path
