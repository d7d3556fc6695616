"""Java: the compiler's own lint, and checkstyle where the project configures it.

`-proc:none`: no annotation processor of the project runs. What needs packages that are not here can't be judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni.verify.analysis.junit import read_xml
from omni.verify.check import Check, Context, Failed, Gap, Item, Output
from omni.verify.report import Severity, Status
from omni.verify.tools import MACHINE

DIAGNOSTIC = re.compile(
    r"^(?P<path>.+\.java):(?P<line>\d+): (?P<kind>error|warning): (?:\[(?P<rule>[\w-]+)\] )?(?P<message>.+)$",
    re.MULTILINE,
)
ABSENT = re.compile(
    r"^(package .+ does not exist|cannot access .+|module not found: .+|too many module declarations found)$"
)
"""What only the project's own build knows: its dependencies, and which files make a module."""
SYNTAX = re.compile(r" expected$|^illegal start|^class, interface|^reached end of file|^unclosed|^not a statement")


def parse_javac(context: Context, output: Output) -> Iterator[Item]:
    """`path:line: error: message`; warnings name their lint in brackets. After a missing package only syntax counts."""
    found = list(DIAGNOSTIC.finditer(output.stdout + output.stderr))
    absent = {each["message"] for each in found if ABSENT.match(each["message"])}
    if absent:
        yield Gap(f"its packages are not here, so their use was not checked: {min(absent)}")
    for each in found:
        sure = bool(SYNTAX.search(each["message"]))
        if each["kind"] == "error" and absent and not sure:
            continue
        yield context.finding(
            each["rule"] or ("syntax" if sure else "compile"),
            each["message"],
            each["path"],
            int(each["line"]),
            severity=Severity.ERROR if each["kind"] == "error" else Severity.WARNING,
        )


STYLE = "checkstyle.xml"
END = "</checkstyle>"
STYLES = {"error": Severity.ERROR, "warning": Severity.WARNING, "info": Severity.NOTE}
UNPARSED = re.compile(r"Exception was thrown while processing (?P<path>\S+)")


def run_checkstyle(context: Context) -> Iterator[Item]:
    """Its exit code is the number of errors; without a report it failed. Its XML all versions write, SARIF new ones."""
    if STYLE not in context.inventory.by_path:
        yield Gap(f"the project has no {STYLE}", Status.SKIPPED)
        return
    output = context.execute("checkstyle", "-f", "xml", "-c", STYLE, *(file.path for file in context.files))
    if unparsed := UNPARSED.search(output.stderr):
        raise Failed(
            f"checkstyle stops at {context.relative(unparsed['path'])}, which it can't parse", Status.INCOMPLETE
        )
    if END not in output.stdout:
        raise Failed(f"checkstyle failed: {' '.join((output.stderr or output.stdout).split())[-300:]}")
    yield from parse_checkstyle(context, output)


def parse_checkstyle(context: Context, output: Output) -> Iterator[Item]:
    """`file` elements with `error`s in them: https://checkstyle.org/apidocs, `XMLLogger`. Raises BadReportError."""
    start, end = output.stdout.find("<?xml"), output.stdout.find(END) + len(END)  # words may stand around it
    root = read_xml(output.stdout[start:end].encode())
    for file in root.iter("file"):
        for each in file.iter("error"):
            yield context.finding(
                each.get("source", "").rpartition(".")[2].removesuffix("Check"),
                each.get("message", ""),
                file.get("name", ""),
                int(each.get("line", "0")),
                column=int(each.get("column", "0")) or None,
                severity=STYLES.get(each.get("severity", ""), Severity.NOTE),
            )


JAVAC = (
    "-proc:none", "-implicit:none", "-Xlint:all,-processing,-path", "-Xdiags:compact",
    "-Xmaxerrs", "10000", "-Xmaxwarns", "10000", "-d", ".omni-classes",
)  # fmt: skip

CHECKS = (
    Check(
        id="javac",
        title="Java compiles without warnings",
        tier=2,
        languages=("java",),
        tool="javac",
        toolset=MACHINE,
        argv=(*JAVAC, "{files}"),
        parse=parse_javac,
        sandboxed=True,
        weight=2,
        timeout=120,
        why="What does not compile can't run; the compiler's warnings name casts and cases that fail later.",
        advice="See `javac --help-lint` for the lint of that name.",
    ),
    Check(
        id="checkstyle",
        title="Java keeps the project's style",
        tier=2,
        languages=("java",),
        config=(STYLE,),
        tool="checkstyle",
        toolset=MACHINE,
        run=run_checkstyle,
        timeout=120,
        why="The project has chosen these rules.",
    ),
)
