"""Terraform: layout and validity, by terraform itself.

`validate` asks providers for their schemas; these are programs that `terraform init` downloads, so where a module uses
one, what is said of its resources is incomplete.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

from omni.verify.check import Check, Context, Gap, Item, Output
from omni.verify.report import Severity
from omni.verify.tools import MACHINE

NOT_INITIALISED = ("Missing required provider", "Module not installed", "Inconsistent dependency lock file")


def parse_format(context: Context, output: Output) -> Iterator[Item]:
    """Names of files that it would change. What it can't parse `terraform-validate` says."""
    for path in output.stdout.splitlines():
        yield context.finding("unformatted", "terraform fmt would lay it out otherwise", path, 1)


def run_validate(context: Context) -> Iterator[Item]:
    """Once a folder: each is a module."""
    for folder in sorted({str(PurePosixPath(file.path).parent) for file in context.files}):
        output = context.execute("terraform", f"-chdir={folder}", "validate", "-json")
        yield from parse_validate(context, output, folder)


def parse_validate(context: Context, output: Output, folder: str) -> Iterator[Item]:
    """https://developer.hashicorp.com/terraform/internals/machine-readable-ui, format 1.0"""
    report = json.loads(output.stdout)
    for each in report["diagnostics"]:
        if each["summary"] in NOT_INITIALISED:
            yield Gap(f"{folder}: {each['summary']}: type terraform init, and verify in a folder that has it")
            continue
        place = each.get("range") or {}
        yield context.finding(
            "-".join(each["summary"].lower().split())[:60],
            f"{each['summary']}: {each.get('detail', '')}".strip(": "),
            str(PurePosixPath(folder) / place["filename"]) if place else folder,
            place.get("start", {}).get("line"),
            severity=Severity.ERROR if each["severity"] == "error" else Severity.WARNING,
        )


CHECKS = (
    Check(
        id="terraform-format",
        title="Terraform is laid out uniformly",
        tier=1,
        languages=("terraform",),
        tool="terraform",
        toolset=MACHINE,
        argv=("fmt", "-check", "-list=true", "-recursive", "-no-color", "."),
        exits=(0, 2, 3),
        parse=parse_format,
        severity=Severity.NOTE,
        why="Differences in layout hide differences in meaning.",
        advice="Type: terraform fmt -recursive",
    ),
    Check(
        id="terraform-validate",
        title="Terraform modules are valid",
        tier=2,
        languages=("terraform",),
        config=(".terraform.lock.hcl",),
        tool="terraform",
        toolset=MACHINE,
        run=run_validate,
        sandboxed=True,
        timeout=60,
        why="A module that is not valid can't be planned or applied.",
        advice="Correct the block that the line names.",
    ),
)
