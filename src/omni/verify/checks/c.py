"""C and C++: cppcheck, gcc's analyzer, and clang-tidy with the project's choice of rules.

A compiler prints lines of whatever a file includes, so these run in the sandbox, where nothing of the host is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from xml.etree.ElementTree import fromstring

from omni.verify.check import Check, Context, Failed, Gap, Item, Output, Unseen
from omni.verify.report import Severity
from omni.verify.tools import MACHINE

LEVELS = {"error": Severity.ERROR, "fatal error": Severity.ERROR, "warning": Severity.WARNING}
SURE = ("-Wanalyzer-use-after-free", "-Wanalyzer-double-free", "-Wanalyzer-out-of-bounds", "-Wreturn-type")
HEADERS = frozenset({".h", ".hh", ".hpp", ".hxx"})
MISSING = re.compile(r"^(?P<header>.+): No such file or directory$")
CLANG = re.compile(
    r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+):(?P<column>\d+): (?P<level>warning|error): (?P<message>.+) "
    r"\[(?P<rule>[\w.,-]+)\]$",
    re.MULTILINE,
)


def _units(context: Context) -> list[str]:
    """What is compiled: headers are seen through what includes them."""
    return [file.path for file in context.files if PurePosixPath(file.path).suffix not in HEADERS]


def _includes(context: Context) -> list[str]:
    """Where headers are found: the folders named `include` or `inc`, and the top."""
    paths = (PurePosixPath(file.path) for file in context.files)
    named = {str(folder) for path in paths for folder in path.parents if folder.name in {"include", "inc"}}
    return [f"-I{folder}" for folder in (".", *sorted(named))]


NOT_PARSED = frozenset(
    {"unknownMacro", "syntaxError", "preprocessorErrorDirective", "internalAstError", "cppcheckError"}
)
"""Nothing is known of what comes after; a compiler, which knows the macros, may well understand it."""
CPPCHECK_LEVELS = {"error": Severity.ERROR, "warning": Severity.WARNING}


def parse_cppcheck(context: Context, output: Output) -> Iterator[Item]:
    """Its XML, version 2, and not its SARIF, which calls warnings errors. The first location is where it happens."""
    for each in fromstring(output.report).iter("error"):  # noqa: S314 - cppcheck wrote it
        place = each.find("location")
        if place is not None and each.get("id") in NOT_PARSED:
            yield Unseen(context.relative(place.get("file", "")), f"line {place.get('line')}: {each.get('msg')}")
        elif place is not None:
            yield context.finding(
                each.get("id", ""),
                each.get("msg", ""),
                place.get("file", ""),
                int(place.get("line", "1")),
                column=int(place.get("column", "1")),
                severity=CPPCHECK_LEVELS.get(each.get("severity", ""), Severity.NOTE),
                cwe=f"CWE-{each.get('cwe')}" if each.get("cwe") else "",
            )
        elif each.get("severity") == "error":
            yield Gap(f"cppcheck: {each.get('msg')}")


GCC = ("-c", "-fanalyzer", "-Wall", "-Wextra", "-Wno-unused-parameter", "-fdiagnostics-format=json")


def run_gcc(context: Context) -> Iterator[Item]:
    units = _units(context)
    if units:
        yield from parse_gcc(context, context.execute("gcc", *GCC, *_includes(context), *units), units)


def parse_gcc(context: Context, output: Output, units: list[str]) -> Iterator[Item]:
    """One JSON list a file, in order: GCC 12's manual, Diagnostic Message Formatting Options."""
    lists = [json.loads(line) for line in output.stderr.splitlines() if line.startswith("[")]
    if len(lists) != len(units):
        said = " ".join(output.stderr.split())[-300:]
        raise Failed(f"gcc said something of {len(lists)} of {len(units)} files: {said}")
    for unit, each in ((unit, each) for unit, found in zip(units, lists, strict=True) for each in found):
        caret = each["locations"][0]["caret"] if each["locations"] else {}
        if missing := MISSING.match(each["message"]):
            yield Unseen(unit, f"it includes {missing['header']}, which is not here")
        elif each["kind"] in LEVELS and not str(caret.get("file", "")).startswith(("/", "<")):
            rule = each.get("option", "compile")
            cwe = each.get("metadata", {}).get("cwe")
            yield context.finding(
                rule,
                each["message"],
                caret.get("file", unit),
                caret.get("line"),
                column=caret.get("column"),
                severity=Severity.ERROR if rule.startswith(SURE) else LEVELS[each["kind"]],
                cwe=f"CWE-{cwe}" if cwe else "",
            )


def run_clang_tidy(context: Context) -> Iterator[Item]:
    units = _units(context)
    if not units:
        return
    own = any(file.path.endswith(".clang-tidy") for file in context.inventory.files)
    rules = () if own else ("--checks=-*,clang-analyzer-*,bugprone-*,-bugprone-easily-swappable-parameters",)
    compiled = "compile_commands.json" in context.inventory.by_path
    how = () if compiled else ("--", *_includes(context))
    output = context.execute("clang-tidy", "--quiet", *rules, *units, *how)
    found = list(parse_clang_tidy(context, output))
    if output.exit_code != 0 and not found:
        raise Failed(f"clang-tidy failed: {' '.join((output.stderr or output.stdout).split())[-300:]}")
    yield from found


def parse_clang_tidy(context: Context, output: Output) -> Iterator[Item]:
    """`path:line:column: warning: message [check]`; a header that is not found is an error of clang's."""
    for each in CLANG.finditer(output.stdout):
        path = context.relative(each["path"])
        if each["rule"] == "clang-diagnostic-error" and "file not found" in each["message"]:
            yield Unseen(path, f"it includes what is not here: {each['message']}")
        elif path in context.inventory.by_path:
            yield context.finding(
                each["rule"],
                each["message"],
                path,
                int(each["line"]),
                column=int(each["column"]),
                severity=LEVELS[each["level"]],
            )


UNCHECKED_MEMORY = ("nullPointerOutOfMemory", "nullPointerArithmeticOutOfMemory", "nullPointerOutOfResources")
"""That malloc may return nothing: Linux kills long before, and most programs can do nothing about it."""
CPPCHECK = (
    "--enable=warning,portability", "--inline-suppr", "--quiet", "--max-configs=2", "--check-level=reduced",
    "--suppress=missingInclude",
    *(f"--suppress={rule}" for rule in UNCHECKED_MEMORY), "--xml", "--output-file={report}",
)  # fmt: skip

CHECKS = (
    Check(
        id="cppcheck",
        title="C and C++ have no bugs that cppcheck knows",
        tier=2,
        languages=("c", "cpp"),
        tool="cppcheck",
        toolset="cppcheck",
        argv=(*CPPCHECK, "{files}"),
        parse=parse_cppcheck,
        timeout=120,
        why="Memory that is used wrongly crashes later, or lets an attacker in.",
        advice="See the line: the message says what happens before.",
    ),
    Check(
        id="gcc-analyzer",
        title="C holds no path that misuses memory, says gcc",
        tier=3,
        languages=("c",),
        tool="gcc",
        toolset=MACHINE,
        run=run_gcc,
        sandboxed=True,
        timeout=300,
        why="Memory that is used wrongly crashes later, or lets an attacker in.",
        advice="See the option of that name in gcc's manual.",
    ),
    Check(
        id="clang-tidy",
        title="C and C++ have no bugs that clang-tidy knows",
        tier=3,
        languages=("c", "cpp"),
        config=(".clang-tidy", "compile_commands.json"),
        tool="clang-tidy",
        toolset=MACHINE,
        run=run_clang_tidy,
        sandboxed=True,
        timeout=300,
        severities={"clang-analyzer": Severity.WARNING},
        why="It looks for what compiles and is wrong all the same.",
        advice="See the check of that name in clang-tidy's documentation.",
    ),
)
