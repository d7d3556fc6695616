"""Profiles: chosen in omni.toml, they bring their checks, make findings graver and name the rule that is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.verify.config import ProjectConfig
from omni.verify.plan import Options, choose
from omni.verify.profile import SEVERITIES, get, judged_by, profiles
from omni.verify.registry import checks
from omni.verify.report import Finding, Severity
from omni.verify.suggestions import suggest

Write = Callable[[Mapping[str, str | bytes]], Path]

FOUND = Finding(check="passwords", rule="written-out", severity=Severity.WARNING, path="a.py", line=1, message="a key")


def test_the_profiles_there_are() -> None:
    assert list(profiles()) == [
        "database", "ddd", "documentation", "gdpr", "hipaa", "i18n", "pci_dss", "soc2", "twelve_factor", "wcag",
    ]  # fmt: skip
    compliance = [rule for name in ("gdpr", "hipaa", "pci_dss", "soc2") for rule in get(name).rules]
    assert len(compliance) == 18


def test_every_rule_is_found_by_a_check_that_exists() -> None:
    known = {check.id for check in checks()}
    for profile in profiles().values():
        assert {name.split("/")[0] for name, _ in profile.breakers()} <= known
        assert (profile.id in {check.profile for check in checks()}) or profile.always


def test_a_chosen_profile_makes_a_finding_graver_and_names_the_rule() -> None:
    judged = judged_by(FOUND, ("soc2",))
    assert (judged.severity, judged.breaks) == (Severity.ERROR, ("SOC2-003",))
    assert judged_by(FOUND, ()) is FOUND
    assert judged_by(FOUND, ("gdpr",)) is FOUND


def test_it_never_makes_a_finding_lighter() -> None:
    label = next(rule for rule in get("wcag").rules if rule.id == "WCAG-2.5.5")
    assert SEVERITIES[label.level] is Severity.WARNING
    grave = Finding(check="wcag", rule="target-size", severity=Severity.ERROR, path="a.css", line=1, message="small")
    assert judged_by(grave, ("wcag",)).severity is Severity.ERROR


def test_checks_of_a_profile_run_where_it_is_chosen_or_asked_for_by_name() -> None:
    def ids(options: Options, *chosen: str) -> set[str]:
        return {check.id for check in choose(checks(), options, ProjectConfig(profiles=chosen))}

    own = {"gdpr", "hipaa", "pci-dss", "soc2", "ddd", "database-records"}
    assert not own & ids(Options(tiers=(1, 2)))
    assert own & ids(Options(tiers=(1, 2)), "gdpr", "pci_dss") == {"gdpr", "pci-dss"}
    assert ids(Options(only=("hipaa",))) == {"hipaa"}


def test_an_unknown_profile_is_an_error() -> None:
    with pytest.raises(OmniError, match="there is no profile “gdbr”"):
        choose(checks(), Options(), ProjectConfig(profiles=("gdbr",)))
    with pytest.raises(OmniError, match="There is no such profile"):
        get("gdbr")


def test_signs_suggest_profiles(write: Write) -> None:
    root = write(
        {
            "app/models.py": (
                "from django.db import models\n\n\nclass Visit(models.Model):\n    diagnosis = models.TextField()\n"
            ),
            "omni.toml": '[verify]\nprofiles = ["documentation"]\n',
            "app/templates/visit.html": "<p>Visit</p>\n",
        }
    )
    assert [(each.profile, each.chosen, each.because, each.where) for each in suggest(root)] == [
        ("database", False, "it keeps visits", "app/models.py:4"),
        ("documentation", True, "every project", ""),
        ("hipaa", False, "it stores visits.diagnosis", "app/models.py:5"),
        ("wcag", False, "it has pages", "app/templates/visit.html"),
    ]
