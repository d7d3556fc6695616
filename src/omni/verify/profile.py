"""Profiles: what a law, a standard or a discipline asks of a program, as rules that checks can find broken.

One file `profiles/<id>.toml` a profile. Its rules name the checks whose findings break them. A project chooses profiles
in omni.toml (`[verify]`, `profiles = ["gdpr"]`); then the checks that belong to them run, and a finding that breaks one
of their rules is as grave as the profile says, and names the rule. A profile with `always = true` has checks that run
in every project; choosing it makes its findings graver.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from omni.kernel.errors import Exit, OmniError, declare
from omni.verify.report import Finding, Model, Severity

BAD_PROFILE = declare("V020", "A profile can't be loaded", Exit.USAGE, "Correct its file in verify/profiles.")
UNKNOWN_PROFILE = declare("V021", "There is no such profile", Exit.USAGE, "Type: omni profiles")

FOLDER = Path(__file__).with_name("profiles")

Level = Literal["critical", "high", "medium", "low"]
Sign = Literal["personal-data", "health-data", "card-data", "routes", "tables", "pages", "catalogs", "domain", "always"]

SEVERITIES: Mapping[Level, Severity] = MappingProxyType(
    {"critical": Severity.ERROR, "high": Severity.ERROR, "medium": Severity.WARNING, "low": Severity.NOTE}
)
ORDER = (Severity.NOTE, Severity.WARNING, Severity.ERROR)


class ProfileRule(Model):
    """One thing that a profile asks for."""

    id: str
    """As in reports: `GDPR-001`."""
    title: str
    level: Level
    found_by: tuple[str, ...] = ()
    """`check` or `check/rule` whose findings break it. Empty: the profile's own check, by this id."""
    why: Annotated[str, Field(min_length=8)]
    mend: Annotated[str, Field(min_length=8)]
    unseen: str = ""
    """What source code can't tell about it."""


class Profile(Model):
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
    title: str
    about: str
    source: str
    """Where it is written down."""
    always: bool = False
    applicable_when: tuple[Sign, ...]
    """Any of these signs in a project suggests the profile; see `suggestions.py`."""
    rules: tuple[ProfileRule, ...]

    @property
    def check(self) -> str:
        """The id of its own check: `pci-dss` of `pci_dss`."""
        return self.id.replace("_", "-")

    def breakers(self) -> Iterator[tuple[str, ProfileRule]]:
        """(`check` or `check/rule`, the rule that its findings break)."""
        for rule in self.rules:
            for name in rule.found_by or (f"{self.check}/{rule.id}",):
                yield name, rule


@cache
def profiles() -> Mapping[str, Profile]:
    """All profiles by id. Raises `V020`."""
    return MappingProxyType({path.stem: _load(path) for path in sorted(FOLDER.glob("*.toml"))})


def get(profile_id: str) -> Profile:
    """Raises `V021`."""
    found = profiles().get(profile_id)
    if found is None:
        raise OmniError(UNKNOWN_PROFILE, f"“{profile_id}”", fix=f"Known: {', '.join(profiles())}.")
    return found


def _load(path: Path) -> Profile:
    try:
        return Profile.model_validate({"id": path.stem, **tomllib.loads(path.read_text("utf-8"))})
    except (tomllib.TOMLDecodeError, ValidationError) as problem:
        raise OmniError(BAD_PROFILE, str(problem), where=str(path)) from problem


def judged_by(finding: Finding, chosen: tuple[str, ...]) -> Finding:
    """The finding with the rules of the chosen profiles that it breaks, at least as grave as these say."""
    if not chosen:
        return finding
    breakers = _breakers(chosen)
    broken = (*breakers.get(finding.check, ()), *breakers.get(f"{finding.check}/{finding.rule}", ()))
    if not broken:
        return finding
    worst = max((finding.severity, *(SEVERITIES[rule.level] for rule in broken)), key=ORDER.index)
    names = tuple(dict.fromkeys(rule.id for rule in broken))
    return finding.model_copy(update={"severity": worst, "breaks": names})


@cache
def _breakers(chosen: tuple[str, ...]) -> Mapping[str, tuple[ProfileRule, ...]]:
    found: dict[str, tuple[ProfileRule, ...]] = {}
    for name in chosen:
        for breaker, rule in get(name).breakers():
            found[breaker] = (*found.get(breaker, ()), rule)
    return found
