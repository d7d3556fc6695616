"""Command lines in documents: found in their blocks, split as a shell would, and held against what exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from omni.cli.main import omni
from omni.verify.analysis.markdown import read

ROOT = Path(__file__).parents[2]
OF_THE_SYSTEM = frozenset({"cat", "cd", "curl", "git", "open", "sudo"})
_TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


def documents() -> list[Path]:
    """Every Markdown file for readers of the repository."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def command_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that a reader would type: line number and text. In a `console` block those behind a prompt."""
    for block in read(path.read_text()).blocks:
        for number, line in enumerate(block.text.splitlines(), block.line + 1):
            if block.language == "console" and line.startswith("$ "):
                yield number, line[2:]
            elif block.language in {"sh", "bash", "shell"} and line.strip() and not line.startswith("#"):
                yield number, line


def problem(line: str) -> str:
    """What a shell or `omni` would say against this line at once; empty when nothing."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    command: list[str] = []
    for word in [*lexer, "&&"]:
        if word not in {"&&", "|", ";"}:
            command.append(word)
            continue
        if command and (said := _problem(command)):
            return said
        command = []
    return ""


def _problem(words: list[str]) -> str:
    while re.match(r"^[A-Z_]+=", words[0]):
        words = words[1:]
    program = words[0]
    if program in {"omni", "./omni", ".venv/bin/omni"}:
        return _omni(words[1:])
    if program == "make":
        unknown = sorted({word for word in words[1:] if not word.startswith("-")} - _targets())
        return f"no such target of make: {unknown[0]}" if unknown else ""
    if program.startswith(".venv/bin/"):
        program, words = program.removeprefix(".venv/bin/"), words[1:]
        scripts = [word for word in words if word.endswith(".py") or word.startswith("tests/")]
        gone = [word for word in scripts if not (ROOT / word.partition("::")[0]).exists()]
        if gone:
            return f"no such file: {gone[0]}"
        return "" if program in {"python", "pytest", "ruff", "mypy", "lint-imports"} else f"no such program: {program}"
    if "/" in program:
        return "" if (ROOT / program).exists() else f"no such file: {program}"
    return "" if program in OF_THE_SYSTEM else f"no such program: {program}"


def _targets() -> set[str]:
    """Of our Makefile, and of the one that every generated project has."""
    made = ROOT / "src/omni/templates/parts/project/Makefile.jinja"
    return {name for path in (ROOT / "Makefile", made) for name in _TARGET.findall(path.read_text())}


def _omni(words: list[str]) -> str:
    command: click.Command = omni
    context = click.Context(command, info_name="omni")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        if found is None:
            return f"no such command: {words[0]}"
        command, context, words = found, click.Context(found, parent=context, info_name=words[0]), words[1:]
    if "--help" in words:
        return ""
    try:
        values, _, _ = command.make_parser(context).parse_args(list(words))
        for parameter in command.params:
            given = values.get(parameter.name or "")
            if isinstance(parameter.type, click.Choice) and isinstance(given, str):
                parameter.type.convert(given, parameter, context)
    except click.UsageError as error:
        return error.format_message()
    return ""
