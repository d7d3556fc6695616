"""Go: gofmt, go vet, staticcheck, gosec, govulncheck.

All but gofmt and govulncheck load packages through the go command, which runs the C compiler for cgo with the
project's flags, so they run in the sandbox, on the modules that go has downloaded before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from omni.verify.check import Check, Context, Failed, Item, Output, Unseen
from omni.verify.report import Severity, Status
from omni.verify.tools import MACHINE

PLACE = re.compile(r"^(?P<path>.+?):(?P<line>\d+):(?P<column>\d+)(?:: (?P<message>.+))?$", re.MULTILINE)


def parse_gofmt(context: Context, output: Output) -> Iterator[Item]:
    """Names of files that gofmt would change; on stderr what it can't parse."""
    for found in PLACE.finditer(output.stderr):
        yield context.finding(
            "syntax", found["message"] or "", found["path"], int(found["line"]), severity=Severity.ERROR
        )
    for path in output.stdout.splitlines():
        yield context.finding("unformatted", "gofmt would lay it out otherwise", path, 1)


def modules(context: Context) -> list[str]:
    """Folders with a go.mod."""
    return sorted(
        str(PurePosixPath(file.path).parent) for file in context.files if PurePosixPath(file.path).name == "go.mod"
    )


def run_vet(context: Context) -> Iterator[Item]:
    folders = modules(context)
    if not folders:
        yield from (Unseen(file.path, "there is no go.mod that says how to compile it") for file in context.files)
    for folder in folders:
        place = () if folder == "." else ("-C", folder)  # since Go 1.20
        yield from parse_vet(context, context.execute("go", *place, "vet", "-json", "./..."))


def parse_vet(context: Context, output: Output) -> Iterator[Item]:
    """One JSON object a package: package → analyzer → diagnostics, between lines `# package`. Raises `Failed`."""
    said = "\n".join(line for line in f"{output.stdout}\n{output.stderr}".splitlines() if not line.startswith("#"))
    decoder, at = json.JSONDecoder(), said.find("{")
    while at >= 0:
        packages, end = decoder.raw_decode(said, at)
        for analyzers in packages.values():
            for name, diagnostics in analyzers.items():
                yield from _vetted(context, name, diagnostics)
        at = said.find("{", end)
    if output.exit_code != 0:
        found = list(PLACE.finditer(said))
        for each in found:
            message = each["message"] or "does not compile"
            yield context.finding("compile", message, each["path"].removeprefix("vet: "), int(each["line"]))
        if not found:
            raise Failed(f"go could not compile it: {' '.join(said.split())[:400]}", Status.INCOMPLETE)


def _vetted(context: Context, name: str, diagnostics: object) -> Iterator[Item]:
    if isinstance(diagnostics, Mapping):  # {"error": "…"}: the analyzer itself failed
        raise Failed(f"go vet's {name} failed: {diagnostics.get('error')}", Status.INCOMPLETE)
    for each in diagnostics if isinstance(diagnostics, list) else ():
        place = PLACE.match(each["posn"])
        if place:
            yield context.finding(name, each["message"], place["path"], int(place["line"]), column=int(place["column"]))


def parse_staticcheck(context: Context, output: Output) -> Iterator[Item]:
    """One JSON object a line: https://staticcheck.dev/docs/running-staticcheck/cli/formatters/"""
    for line in output.stdout.splitlines():
        each = json.loads(line)
        place = each["location"]
        surely = each["code"].startswith(("SA", "compile"))
        yield context.finding(
            each["code"],
            each["message"],
            place["file"],
            place["line"],
            column=place["column"] or None,
            severity=Severity.ERROR if surely else Severity.WARNING,
        )


GO = ("go.mod", "go.sum", "go.work")
COMMON = {"languages": ("go",), "globs": GO, "toolset": MACHINE, "sandboxed": True, "timeout": 180.0, "weight": 2}

CHECKS = (
    Check(
        id="go-format",
        title="Go is laid out uniformly",
        tier=1,
        languages=("go",),
        tool="gofmt",
        toolset=MACHINE,
        argv=("-l", "{files}"),
        exits=(0, 2),
        parse=parse_gofmt,
        fix=("-w", "{files}"),
        severity=Severity.NOTE,
        why="All Go in the world is laid out by gofmt; a diff that is not is hard to read.",
        advice="Type: gofmt -w .",
    ),
    Check.model_validate(
        COMMON
        | {
            "id": "go-vet",
            "title": "Go compiles, and go vet is content",
            "tier": 3,
            "tool": "go",
            "run": run_vet,
            "exits": (0, 1, 2),
            "why": "What does not compile can't run, and vet names calls that don't do what they say.",
            "advice": "See `go doc cmd/vet`.",
        }
    ),
    Check.model_validate(
        COMMON
        | {
            "id": "staticcheck",
            "title": "Go has no bugs that staticcheck knows",
            "tier": 3,
            "tool": "staticcheck",
            "argv": ("-f", "json", "./..."),
            "parse": parse_staticcheck,
            "why": "It looks for what compiles and is wrong all the same.",
            "advice": "See the check of that name at staticcheck.dev.",
        }
    ),
    Check.model_validate(
        COMMON
        | {
            "id": "gosec",
            "title": "Go holds no weakness that gosec knows",
            "tier": 3,
            "tool": "gosec",
            "argv": ("-fmt", "sarif", "-quiet", "./..."),
            "why": "It looks for what an attacker can use.",
        }
    ),
    Check.model_validate(
        COMMON
        | {
            "id": "govulncheck",
            "title": "No Go module has a known vulnerability",
            "tier": 4,
            "tool": "govulncheck",
            "argv": ("-scan", "module", "-format", "sarif"),
            "sandboxed": False,  # it reads go.mod alone
            "network": True,
            "fresh_for": 3600.0,
            "why": "Attackers try published vulnerabilities on everything that can be reached.",
            "cwe": "CWE-1395",
        }
    ),
)
