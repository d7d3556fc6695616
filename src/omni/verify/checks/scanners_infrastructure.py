"""Scanners of infrastructure that only some have: Checkov, kube-linter, kubeconform, actionlint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from omni.verify.analysis.adoption import table
from omni.verify.check import Check, Context, Failed, Gap, Item, Output, Unseen
from omni.verify.checks.kubernetes import manifests
from omni.verify.report import Severity, Status
from omni.verify.sarif import parse_sarif
from omni.verify.tools import MACHINE

NO_MANIFEST = Gap("there is no Kubernetes manifest", Status.SKIPPED)


def parse_checkov(context: Context, output: Output) -> Iterator[Item]:
    """An object, or a list of one for each kind of file, which counts what it could not parse, and names none.

    https://www.checkov.io/2.Basics/Reviewing%20Scan%20Results.html
    """
    report = output.json()
    for part in report if isinstance(report, list) else [report]:
        results = part.get("results", {}) if isinstance(part, Mapping) else {}
        if unread := table(part, "summary").get("parsing_errors"):
            yield Gap(f"checkov could not parse {unread} of the files of {table(part).get('check_type')}")
        for each in results.get("failed_checks", ()):
            yield context.finding(
                each["check_id"],
                each["check_name"],
                each["file_path"].lstrip("/"),
                each["file_line_range"][0],
                fix=each.get("guideline") or "",
            )


def run_kube_linter(context: Context) -> Iterator[Item]:
    found = manifests(context)
    if not found:
        yield NO_MANIFEST
        return
    output = context.execute("kube-linter", "lint", "--format", "sarif", *(file.path for file in found))
    if output.exit_code not in {0, 1} or not output.stdout.strip():
        raise Failed(f"kube-linter failed: {' '.join(output.stderr.split())[-300:]}")
    yield from parse_sarif(context, output)


def run_kubeconform(context: Context) -> Iterator[Item]:
    found = manifests(context)
    if not found:
        yield NO_MANIFEST
        return
    argv = ("-strict", "-ignore-missing-schemas", "-output", "json", "-cache", "{cache}")
    yield from parse_kubeconform(context, context.execute("kubeconform", *argv, *(file.path for file in found)))


def parse_kubeconform(context: Context, output: Output) -> Iterator[Item]:
    """`resources` with a status each: https://github.com/yannh/kubeconform, Usage examples"""
    report = output.json()
    if not isinstance(report, dict):
        raise TypeError("kubeconform did not print an object")
    for each in report["resources"]:
        if each["status"] == "statusInvalid":
            wrong = [f"{part['path']}: {part['msg']}" for part in each.get("validationErrors", ())]
            for what in wrong or [each["msg"]]:
                yield context.finding("invalid", f"{each['kind']} {each['name']}: {what}"[:300], each["filename"], 1)
        elif each["status"] == "statusError":
            yield Unseen(each["filename"], each["msg"][:200])


def parse_actionlint(context: Context, output: Output) -> Iterator[Item]:
    """https://github.com/rhysd/actionlint/blob/main/docs/usage.md, Formatting syntax"""
    found = output.json()
    if not isinstance(found, list):
        raise TypeError("actionlint did not print a list")
    for each in found:
        yield context.finding(each["kind"], each["message"], each["filepath"], each["line"], column=each["column"])


CHECKS = (
    Check(
        id="checkov",
        title="Infrastructure is configured as Checkov advises",
        tier=3,
        languages=("terraform", "dockerfile"),
        globs=("*.yaml", "*.yml"),
        tool="checkov",
        toolset="checkov",
        optional=True,
        argv=("--directory", ".", "--quiet", "--compact", "--soft-fail", "--output", "json", "--skip-download"),
        parse=parse_checkov,
        severity=Severity.WARNING,
        timeout=300,
        why="Defaults of clouds and clusters are open where they should be closed.",
    ),
    Check(
        id="kube-linter",
        title="Kubernetes manifests are fit for production, says kube-linter",
        tier=2,
        languages=("yaml",),
        config=(".kube-linter.yaml",),
        tool="kube-linter",
        toolset=MACHINE,
        run=run_kube_linter,
        severity=Severity.WARNING,
        why="What has no limits, no probes or all rights fails or is misused when it runs.",
    ),
    Check(
        id="kubeconform",
        title="Kubernetes manifests are valid, says kubeconform",
        tier=4,
        languages=("yaml",),
        tool="kubeconform",
        toolset=MACHINE,
        run=run_kubeconform,
        network=True,
        timeout=120,
        why="The cluster refuses what is not valid, when it is deployed and not before.",
    ),
    Check(
        id="actionlint",
        title="GitHub workflows hold together, says actionlint",
        tier=2,
        globs=(".github/workflows/*.yml", ".github/workflows/*.yaml"),
        config=(".github/actionlint.yaml",),
        tool="actionlint",
        toolset=MACHINE,
        argv=("-no-color", "-shellcheck=", "-pyflakes=", "-format", "{{json .}}", "{files}"),
        parse=parse_actionlint,
        why="A workflow with a wrong expression fails when it runs, which may be at the release.",
        advice="See the check of that name in actionlint's documentation.",
    ),
)
