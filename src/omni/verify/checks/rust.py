"""Rust: clippy, which compiles, and rustfmt; known vulnerabilities by cargo-audit.

Compiling runs the build scripts and macros of the project and of all its packages, so clippy runs in the sandbox, on
the packages that cargo has downloaded before; without them it is incomplete.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from omni.verify.analysis.rule import line_with
from omni.verify.check import Check, Context, Failed, Item, Output, Unseen
from omni.verify.files import File
from omni.verify.report import Severity, Status
from omni.verify.tools import MACHINE

LEVELS = {"error": Severity.ERROR, "error: internal compiler error": Severity.ERROR, "warning": Severity.WARNING}
GRAVE = {"vulnerability": Severity.ERROR, "unsound": Severity.WARNING}
"""By what an advisory says; that a package is no longer maintained, or was withdrawn, is a note."""
CLIPPY = ("--offline", "--all-targets", "--message-format", "json", "--quiet")
UNFORMATTED = re.compile(r"^(?:Diff in )?(?P<path>\S+\.rs)(?::\d+:)?$", re.MULTILINE)
BROKEN = re.compile(r"^error(?:\[E\d+\])?: (?P<message>.+)\n\s+--> (?P<path>.+):(?P<line>\d+):\d+$", re.MULTILINE)


def run_clippy(context: Context) -> Iterator[Item]:
    """Once for each outermost Cargo.toml."""
    manifests = sorted(file.path for file in context.files if PurePosixPath(file.path).name == "Cargo.toml")
    folders = [PurePosixPath(path).parent for path in manifests]
    if not folders:
        yield from (Unseen(file.path, "there is no Cargo.toml that says how to compile it") for file in context.files)
    for folder in folders:
        if not any(other != folder and folder.is_relative_to(other) for other in folders):
            output = context.execute("cargo", "clippy", "--manifest-path", str(folder / "Cargo.toml"), *CLIPPY)
            yield from parse_clippy(context, output, folder)


def parse_clippy(context: Context, output: Output, folder: PurePosixPath) -> Iterator[Item]:
    """One JSON object a line, paths relative to the workspace. Raises `Failed` when cargo did not get to compiling."""
    rows = [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]
    if not any(row["reason"] == "build-finished" for row in rows):
        said = " ".join(output.stderr.split())[:400] or "it said nothing"
        raise Failed(f"cargo could not compile {folder}: {said}", Status.INCOMPLETE)
    for row in rows:
        if row["reason"] != "compiler-message" or row["message"]["level"] not in LEVELS:
            continue
        message = row["message"]
        span = next((each for each in message["spans"] if each["is_primary"]), None)
        if span is not None and not span["file_name"].startswith("/"):
            yield _diagnostic(context, message, span, folder)


def _diagnostic(
    context: Context, message: Mapping[str, object], span: Mapping[str, object], folder: PurePosixPath
) -> Item:
    code = message["code"]
    column = span["column_start"]
    return context.finding(
        str(code["code"]) if isinstance(code, Mapping) else "compile",
        str(message["message"]),
        str(folder / str(span["file_name"])),
        int(str(span["line_start"])),
        column=column if isinstance(column, int) else None,
        severity=LEVELS[str(message["level"])],
    )


def parse_rustfmt(context: Context, output: Output) -> Iterator[Item]:
    """The names of files that rustfmt would change; on stderr what it can't parse."""
    for found in BROKEN.finditer(output.stderr):
        # The file may be written in an older edition, so the compiler has the last word.
        yield context.finding("syntax", found["message"], found["path"], int(found["line"]), severity=Severity.WARNING)
    for path in dict.fromkeys(found["path"] for found in UNFORMATTED.finditer(output.stdout)):
        yield context.finding("unformatted", "rustfmt would lay it out otherwise", path, 1)


def run_audit(context: Context) -> Iterator[Item]:
    """Each lock by itself; the database of advisories is fetched once, and kept."""
    database = str(context.cache / "advisory-db")
    for file in context.files:
        output = context.execute("cargo-audit", "audit", "--json", "--db", database, "--file", file.path)
        if output.exit_code not in (0, 1) or not output.stdout.strip():
            said = " ".join(output.stderr.split())[-300:]
            raise Failed(f"cargo-audit could not look at {file.path}: {said}", Status.INCOMPLETE)
        yield from parse_audit(context, output, file)


def parse_audit(context: Context, output: Output, file: File) -> Iterator[Item]:
    """cargo-audit's JSON: https://docs.rs/rustsec, `report::Report`. Warnings are by kind: unsound, unmaintained, …"""
    report = output.json()
    if not isinstance(report, dict):
        raise TypeError("cargo-audit did not print an object")
    lock = context.text(file)
    said = [("vulnerability", each) for each in report["vulnerabilities"]["list"]]
    said += [(kind, each) for kind, found in report["warnings"].items() for each in found]
    for kind, each in said:
        advisory, package = each["advisory"], each["package"]
        name = f"{package['name']} {package['version']}"
        better = " or ".join(each["versions"]["patched"]) if each.get("versions") else ""
        yield context.finding(
            advisory["id"] if advisory else kind,
            f"{name}: {advisory['title']}" if advisory else f"{name} is {kind}",
            file.path,
            line_with(lock, f'name = "{package["name"]}"'),
            severity=GRAVE.get(kind, Severity.NOTE),
            fix=f"Update to {better}." if better else "There is no better version yet: replace it.",
        )


CHECKS = (
    Check(
        id="rust-clippy",
        title="Rust compiles, and clippy is content",
        tier=3,
        languages=("rust",),
        globs=("Cargo.toml", "Cargo.lock"),
        config=("clippy.toml", ".clippy.toml", "rust-toolchain", "rust-toolchain.toml", ".cargo/config.toml"),
        tool="cargo",
        toolset=MACHINE,
        run=run_clippy,
        sandboxed=True,
        weight=2,
        timeout=300,
        why="What does not compile can't run, and clippy names code that does not do what it says.",
        advice="See the lint of that name in clippy's list.",
    ),
    Check(
        id="rust-format",
        title="Rust is laid out uniformly",
        tier=1,
        languages=("rust",),
        config=("rustfmt.toml", ".rustfmt.toml", "Cargo.toml"),
        tool="rustfmt",
        toolset=MACHINE,
        argv=("--check", "-l", "--edition", "2021", "--config", "skip_children=true", "{files}"),
        parse=parse_rustfmt,
        severity=Severity.NOTE,
        why="Differences in layout hide differences in meaning.",
        advice="Type: cargo fmt",
    ),
    Check(
        id="cargo-audit",
        title="No Rust package has a known vulnerability",
        tier=4,
        globs=("Cargo.lock",),
        tool="cargo-audit",
        toolset=MACHINE,
        run=run_audit,
        network=True,
        fresh_for=3600,
        timeout=180,
        why="Attackers try published vulnerabilities on everything that can be reached.",
        cwe="CWE-1395",
    ),
)
