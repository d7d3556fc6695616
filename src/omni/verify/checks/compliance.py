"""The rules of GDPR, HIPAA, PCI DSS and SOC 2 that source code can break: one check a profile, run where it is chosen.

Metrics: `<check>.<rule>`, 1 when nothing was found against the rule, else 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from omni.verify.analysis.rule import line_of
from omni.verify.check import Check, Context, Item, Metric, Runner, Unseen
from omni.verify.compliance.facts import facts_of
from omni.verify.compliance.rules import JUDGES
from omni.verify.profile import SEVERITIES, Profile, get


def _runner(profile: Profile) -> Runner:
    def run(context: Context) -> Iterator[Item]:
        yield from (tree for _, tree in context.parsed_python() if isinstance(tree, Unseen))
        facts = facts_of(context)
        for rule in profile.rules:
            if rule.id not in JUDGES:
                continue
            places = list(dict.fromkeys(JUDGES[rule.id](facts)))
            yield Metric(f"{profile.check}.{rule.id}", float(not places))
            for place in places:
                file = context.inventory.by_path[place.path]
                yield context.finding(
                    rule.id,
                    place.message,
                    place.path,
                    place.line,
                    severity=SEVERITIES[rule.level],
                    why=rule.why,
                    fix=rule.mend,
                    snippet=line_of(context.text(file), place.line),
                )

    return run


def _check(profile_id: str, title: str) -> Check:
    profile = get(profile_id)
    return Check(
        id=profile.check,
        title=title,
        tier=2,
        languages=(
            "python", "javascript", "typescript", "sql", "yaml", "toml", "ini", "env", "json", "terraform",
            "dockerfile", "shell",
        ),
        globs=("*.prisma", "*.conf", "Caddyfile", "*.vhost", "**/sites-available/*", "**/sites-enabled/*"),
        config=("omni.toml",),
        profile=profile_id,
        run=_runner(profile),
    )  # fmt: skip


CHECKS = (
    _check("gdpr", "Data about people is kept as the GDPR asks"),
    _check("hipaa", "Health data is kept as HIPAA asks"),
    _check("pci_dss", "Card data is kept as PCI DSS asks"),
    _check("soc2", "Access and changes are controlled as SOC 2 asks"),
)
