"""Go: gofmt, go vet, staticcheck, gosec, govulncheck.

All but gofmt and govulncheck load packages through the go command, which runs the C compiler for cgo with the
project's flags, so they run in the sandbox, on the modules that go has downloaded before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from omni.verify.analysis.rule import line_with
from omni.verify.check import Check, Context, Failed, Gap, Item, Output, Unseen
from omni.verify.report import Severity, Status
from omni.verify.tools import MACHINE

LACKING = re.compile(
    r"module lookup disabled by GOPROXY|mkdir \S+: (?:read-only file system|permission denied)"
    r"|go\.mod requires go >= (?P<needs>[\d.]+)"
)
"""What go says of a module that was never downloaded, and of one that it is too old for."""
NO_MODULE = Gap("there is no go.mod that says how to compile it")
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


def _in_each_module(context: Context, tool: str, *argv: str) -> Iterator[tuple[str, Output]]:
    """What the tool says of each module, with the module's folder. Raises `Failed` where its packages are not here."""
    for folder in modules(context):
        output = context.execute(tool, *argv, folder=folder)
        if lacking := LACKING.search(f"{output.stdout}\n{output.stderr}"):
            where = "" if folder == "." else f" of {folder}"
            if lacking["needs"]:
                raise Failed(
                    f"the go.mod{where} asks for Go {lacking['needs']}; here is an older one", Status.INCOMPLETE
                )
            raise Failed(
                f"the modules{where} are not here, so it can't be compiled. Type: go mod download", Status.INCOMPLETE
            )
        yield folder, output


def run_vet(context: Context) -> Iterator[Item]:
    if not modules(context):
        yield from (Unseen(file.path, "there is no go.mod that says how to compile it") for file in context.files)
    for folder, output in _in_each_module(context, "go", "vet", "-json", "./..."):
        yield from parse_vet(context, output, folder)


def parse_vet(context: Context, output: Output, folder: str = ".") -> Iterator[Item]:
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
            path = _beneath(folder, each["path"].removeprefix("vet: "))
            yield context.finding("compile", message, path, int(each["line"]))
        if not found:
            raise Failed(f"go could not compile it: {' '.join(said.split())[:400]}", Status.INCOMPLETE)


def _beneath(folder: str, path: str) -> str:
    """A path as the compiler says it, from the folder that it ran in."""
    return path if path.startswith("/") else str(PurePosixPath(folder, path))


def _vetted(context: Context, name: str, diagnostics: object) -> Iterator[Item]:
    if isinstance(diagnostics, Mapping):  # {"error": "…"}: the analyzer itself failed
        raise Failed(f"go vet's {name} failed: {diagnostics.get('error')}", Status.INCOMPLETE)
    for each in diagnostics if isinstance(diagnostics, list) else ():
        place = PLACE.match(each["posn"])
        if place:
            yield context.finding(name, each["message"], place["path"], int(place["line"]), column=int(place["column"]))


def run_staticcheck(context: Context) -> Iterator[Item]:
    if not modules(context):
        yield NO_MODULE
    for _, output in _in_each_module(context, "staticcheck", "-f", "json", "./..."):
        yield from parse_staticcheck(context, output)


def parse_staticcheck(context: Context, output: Output) -> Iterator[Item]:
    """One JSON object a line: https://staticcheck.dev/docs/running-staticcheck/cli/formatters/

    It calls all that it prints an error. SA are bugs, ST and QF opinions. What does not compile `go-vet` tells.
    """
    if output.exit_code not in (0, 1):
        raise Failed(f"staticcheck ended with {output.exit_code}: {' '.join(output.stderr.split())[-300:]}")
    found = [json.loads(line) for line in output.stdout.splitlines()]
    broken = [each for each in found if each["code"] == "compile"]
    for each in found:
        place = each["location"]
        if each not in broken:
            yield context.finding(
                each["code"],
                each["message"],
                place["file"],
                place["line"],
                column=place["column"] or None,
                severity=SURE.get(each["code"][:2], Severity.WARNING),
            )
    if broken:
        first = broken[0]["location"]
        place = f"{context.relative(first['file'])}:{first['line']}: " if first["file"] else ""
        said = " ".join(broken[0]["message"].removeprefix(f"{context.root}/").split())[:200]
        yield Gap(f"what does not compile was not looked at: {place}{said}")
    elif output.exit_code != 0 and not found:
        said = " ".join(output.stderr.split())[-300:]
        raise Failed(f"staticcheck found nothing and failed: {said or 'in silence'}", Status.INCOMPLETE)


SURE = {"SA": Severity.ERROR, "ST": Severity.NOTE, "QF": Severity.NOTE}
GRAVE = {"HIGH": Severity.ERROR, "MEDIUM": Severity.WARNING, "LOW": Severity.NOTE}


def run_gosec(context: Context) -> Iterator[Item]:
    """Its SARIF is silent about what it could not load, and with -quiet it prints nothing where it finds nothing."""
    if not modules(context):
        yield NO_MODULE
    for _, output in _in_each_module(context, "gosec", "-fmt", "json", "./..."):
        if output.exit_code not in (0, 1):
            raise Failed(f"gosec ended with {output.exit_code}: {' '.join(output.stderr.split())[-300:]}")
        yield from parse_gosec(context, output)


def parse_gosec(context: Context, output: Output) -> Iterator[Item]:
    """https://github.com/securego/gosec#output-formats, json; numbers are texts, and a line may be `3-5`."""
    report = output.json()
    if not isinstance(report, dict):
        raise TypeError("gosec did not print an object")
    for path, errors in report["Golang errors"].items():
        lacking = next((each["error"] for each in errors if "could not import" in each["error"]), "")
        why = f"its modules are not here ({lacking}). Type: go mod download" if lacking else errors[0]["error"]
        place, said = context.relative(path), f"it could not be compiled: {why}"[:300]
        yield Unseen(place, said) if place else Gap(said)
    for each in report["Issues"]:
        yield context.finding(
            each["rule_id"],
            each["details"],
            each["file"],
            int(each["line"].partition("-")[0]),
            column=int(each["column"]),
            severity=GRAVE[each["severity"]],
            cwe=f"CWE-{each['cwe']['id']}" if each.get("cwe") else "",
        )


def run_govulncheck(context: Context) -> Iterator[Item]:
    """By module: whether the weak function is called is another question, and needs all of the code compiled."""
    if not modules(context):
        yield NO_MODULE
    for folder, output in _in_each_module(context, "govulncheck", "-scan", "module", "-format", "sarif"):
        if output.exit_code != 0:
            raise Failed(f"govulncheck failed: {' '.join(output.stderr.split())[:300]}", Status.INCOMPLETE)
        yield from parse_govulncheck(context, output, folder)


def parse_govulncheck(context: Context, output: Output, folder: str = ".") -> Iterator[Item]:
    """Its results name the module alone; what is wrong with it stands at the rule."""
    path = str(PurePosixPath(folder, "go.mod"))
    manifest = context.text(context.inventory.by_path[path])
    for run in json.loads(output.stdout)["runs"]:
        known = {rule["id"]: rule["shortDescription"]["text"] for rule in run["tool"]["driver"].get("rules", ())}
        for each in run.get("results") or ():
            rule = each["ruleId"]
            named = re.search(r"vulnerable modules? \((\S+?)[,)]", each["message"]["text"])
            module = named[1] if named else ""
            what = known.get(rule, "").removeprefix(f"[{rule}] ") or each["message"]["text"]
            yield context.finding(rule, f"{module}: {what}" if module else what, path, line_with(manifest, module))


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
            "run": run_staticcheck,
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
            "run": run_gosec,
            "why": "It looks for what an attacker can use.",
            "advice": "See the rule of that name in gosec's README; `// #nosec G401 -- why` says that it is meant so.",
        }
    ),
    Check.model_validate(
        COMMON
        | {
            "id": "govulncheck",
            "title": "No Go module has a known vulnerability",
            "tier": 4,
            "tool": "govulncheck",
            "run": run_govulncheck,
            "sandboxed": False,  # it asks go which modules there are, and compiles nothing
            "network": True,
            "fresh_for": 3600.0,
            "why": "Attackers try published vulnerabilities on everything that can be reached.",
            "advice": "Type: go get -u <module> && go mod tidy",
            "cwe": "CWE-1395",
        }
    ),
)
