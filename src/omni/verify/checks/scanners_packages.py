"""What is known of packages, settings and licences, by tools that only some have: npm audit, Trivy, licensee."""

from __future__ import annotations

import json
from collections.abc import Iterator

from omni.verify.check import Check, Context, Gap, Item, Output
from omni.verify.report import Finding, Severity
from omni.verify.sarif import parse_sarif
from omni.verify.tools import MACHINE

TRIVY = ("fs", "--quiet", "--cache-dir", "{cache}", "--scanners", "vuln,misconfig")
LEVELS = {"critical": Severity.ERROR, "high": Severity.ERROR, "moderate": Severity.WARNING, "low": Severity.NOTE}


def parse_npm_audit(context: Context, output: Output) -> Iterator[Item]:
    """Report version 2: https://docs.npmjs.com/cli/commands/npm-audit. A package has what it has from others too."""
    report = json.loads(output.stdout)
    if "vulnerabilities" not in report:
        yield Gap(f"npm audit failed: {report.get('message') or report.get('error') or 'it said nothing'}")
        return
    for name, each in report["vulnerabilities"].items():
        for advisory in each["via"]:
            if isinstance(advisory, dict):
                yield context.finding(
                    str(advisory.get("url", advisory["source"])).rpartition("/")[2],
                    f"{name} {advisory['range']}: {advisory['title']}",
                    "package-lock.json",
                    severity=LEVELS.get(advisory["severity"], Severity.NOTE),
                    fix="Type: npm audit fix"
                    if each["fixAvailable"]
                    else "There is no better version yet: replace it.",
                )


def parse_trivy(context: Context, output: Output) -> Iterator[Item]:
    """SARIF whose messages are a table, a line `name: value` each."""
    for item in parse_sarif(context, output):
        if isinstance(item, Finding):
            said = dict(line.split(": ", 1) for line in item.message.splitlines() if ": " in line)
            fixed = f"fixed in {said['Fixed Version']}" if said.get("Fixed Version") else "not fixed yet"
            weak = f"{said.get('Package')} {said.get('Installed Version')} has a known vulnerability, {fixed}"
            message = said.get("Message") or (weak if "Package" in said else item.message)
            yield item.model_copy(update={"message": message})
        else:
            yield item


def parse_licensee(context: Context, output: Output) -> Iterator[Item]:
    """`licensee detect --json`: `matched_files`, each with the SPDX id of the licence that it is."""
    report = output.json()
    if not isinstance(report, dict):
        raise TypeError("licensee did not print an object")
    for each in report["matched_files"]:
        if each["matched_license"] in {None, "NOASSERTION", "NONE"}:
            yield context.finding("unknown-licence", "it is no licence that is known", each["filename"], 1)


CHECKS = (
    Check(
        id="trivy",
        title="Trivy knows no vulnerability and no misconfiguration here",
        tier=4,
        globs=("*",),
        tool="trivy",
        toolset=MACHINE,
        argv=(*TRIVY, "--format", "sarif", "--output", "{report}", "."),
        exits=(0,),
        parse=parse_trivy,
        network=True,
        fresh_for=3600,
        timeout=600,
        why="Attackers try published vulnerabilities on everything that can be reached.",
        advice="Update the package, or change the setting, as the message says.",
    ),
    Check(
        id="npm-audit",
        title="No npm package has a known vulnerability",
        tier=4,
        globs=("package-lock.json",),
        tool="npm",
        toolset=MACHINE,
        argv=("audit", "--json", "--package-lock-only"),
        parse=parse_npm_audit,
        network=True,
        fresh_for=3600,
        timeout=180,
        why="Attackers try published vulnerabilities on everything that can be reached.",
        cwe="CWE-1395",
    ),
    Check(
        id="licensee",
        title="The licence is one that is known, says licensee",
        tier=4,
        globs=("LICENSE*", "LICENCE*", "COPYING*"),
        tool="licensee",
        toolset=MACHINE,
        argv=("detect", "--json", "."),
        parse=parse_licensee,
        severity=Severity.WARNING,
        why="Nobody may use what has no licence that they can understand.",
        advice="Choose one of https://choosealicense.com, and take over its text as it is.",
    ),
)
