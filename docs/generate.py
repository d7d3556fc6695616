"""Writes the pages that are made from the code, so that they can't drift: `docs/reference/`, and the map of the rooms.

.venv/bin/python docs/generate.py            write them
.venv/bin/python docs/generate.py --check    exit 1 when one of them is not what the code says (a test runs this)
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

import click
import grimp

from omni.cli.listings import error_kinds
from omni.cli.main import COMMANDS
from omni.cli.main import omni as command_line
from omni.kernel.errors import Exit
from omni.kernel.settings import explain
from omni.review.scorecard import dimensions
from omni.spec.lexicon import domains
from omni.templates.catalog import templates
from omni.verify.analysis.rule import Rule
from omni.verify.machine import programs
from omni.verify.profile import profiles
from omni.verify.registry import checks
from omni.verify.rules.entry import built_in
from omni.verify.tools import MACHINE
from omni.verify.tools import versions as locked

HERE = Path(__file__).parent
MADE = "<!-- Made by docs/generate.py from the code. Change the code, then run it. -->\n\n"
FLOORS = ("door", "faces", "mirror", "flows", "crafts", "minds", "engines", "tools", "ground")
"""Names of the layers that `pyproject.toml` declares, in its order."""


def pages() -> dict[Path, str]:
    """Every generated page: path → text."""
    reference = HERE / "reference"
    return {
        reference / "cli.md": _cli(),
        reference / "settings.md": _settings(),
        reference / "errors.md": _errors(),
        reference / "checks.md": _checks(),
        reference / "profiles.md": _profiles(),
        reference / "rules.md": _rules(),
        reference / "templates.md": _templates(),
        reference / "tools.md": _tools(),
        reference / "domains.md": _domains(),
        reference / "scorecard.md": _scorecard(),
        HERE / "rooms.md": _rooms(),
    }


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    def cell(text: str) -> str:
        return " ".join(text.split()).replace("|", "\\|")

    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell(text) for text in line) + " |\n" for line in lines)


def _cli() -> str:
    text = MADE + "# Commands\n\n`omni` exits 0 (pass), 1 (failed), 2 (usage), 3 (incomplete), 4 (not allowed).\n"
    for name in COMMANDS:
        command = command_line.get_command(click.Context(command_line), name)
        text += _command(command, f"omni {name}")
    return text


def _command(command: click.Command | None, path: str) -> str:
    if command is None:
        raise LookupError(path)
    context = click.Context(command, info_name=path, max_content_width=100, terminal_width=100)
    text = f"\n## `{path}`\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            text += _command(command.get_command(context, name), f"{path} {name}")
    return text


def _settings() -> str:
    values = explain({}, environ={"HOME": "/home/you", "OMNI_HOME": "/home/you/.local/share/omni"}, cwd=Path("/"))
    rows = [(f"`{value.name}`", f"`{value.value}`", f"`OMNI_{value.name.upper()}`", value.help) for value in values]
    return (
        MADE
        + "# Settings\n\nLater sources win: default, `omni.toml` in the Omni home, `[settings]` of the project's"
        + " `omni.toml`, the environment, flags. `omni config` prints each value with where it came from.\n\n"
        + _table(("setting", "default", "variable", "what it is"), rows)
    )


def _errors() -> str:
    rows = [
        (f"`{kind.code}`", kind.title, f"{int(kind.exit)} {Exit(kind.exit).name.lower()}", kind.fix)
        for kind in error_kinds()
    ]
    return (
        MADE
        + "# Errors\n\nEvery error says what, where, why, and what to do.\n\n"
        + _table(("code", "meaning", "exit", "what to do"), rows)
    )


def _checks() -> str:
    rows = [(f"`{check.id}`", str(check.tier), check.tool or "omni", check.title) for check in checks()]
    return (
        MADE
        + f"# Checks\n\n{len(rows)} checks. A check that could not run is `incomplete`, never green.\n\n"
        + _table(("id", "tier", "tool", "title"), rows)
    )


def _tools() -> str:
    """What holds on every machine; `omni tools list` says what is on this one."""
    using: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for check in checks():
        if check.tool:
            version = locked(check.toolset).get(check.package or check.tool, "")
            using[check.toolset, check.tool, version].append(check.id)
    sets = [
        (name, tool, version, ", ".join(ids)) for (name, tool, version), ids in sorted(using.items()) if name != MACHINE
    ]
    machine = [
        (name, ", ".join(using.get((MACHINE, name, ""), [])), known.what, known.get)
        for name, known in sorted(programs().items())
    ]
    return (
        MADE
        + "# Tools\n\n## In sets that Omni installs\n\nPinned by hashes; `omni tools install NAME`.\n\n"
        + _table(("set", "tool", "version", "checks"), sets)
        + "\n## Of the machine\n\nFound on PATH they are used; a check whose tool is not there is skipped.\n\n"
        + _table(("tool", "checks", "what for", "how to get it"), machine)
    )


def _rules() -> str:
    """Those that are patterns, by language; then those that are programs, by check."""
    patterns = built_in()
    programs = _rules_in_programs()
    text = (
        MADE
        + f"# Rules\n\n{len(patterns)} patterns, each with examples that it must and must not match"
        + f" (`omni rules show ID`), and {len(programs)} rules that are programs."
        + " What is an error stops a gate. [How to add one](../tasks/rules.md).\n"
    )
    for language in sorted({rule.called for rule in patterns}):
        rows = [
            (f"`{rule.id}`", rule.level.value, rule.message, rule.metadata.why, rule.metadata.fix, rule.metadata.cwe)
            for rule in patterns
            if rule.called == language
        ]
        text += f"\n## {language}\n\n" + _table(("id", "severity", "what", "why", "mend", "CWE"), rows)
    rows = [(f"`{rule.check}/{rule.name}`", rule.severity.value, rule.why, rule.fix, rule.cwe) for rule in programs]
    return text + "\n## Programs\n\n" + _table(("check and rule", "severity", "why", "mend", "CWE"), rows)


def _rules_in_programs() -> list[Rule]:
    """Every `Rule` that a module of verify declares by name, alone or in a table."""
    checks()  # loads them
    found: dict[tuple[str, str], Rule] = {}
    for name, module in sorted(sys.modules.items()):
        if name.startswith("omni.verify."):
            for value in vars(module).values():
                several = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
                found |= {(each.check, each.name): each for each in several if isinstance(each, Rule)}
    return [found[key] for key in sorted(found)]


def _profiles() -> str:
    text = MADE + '# Profiles\n\nA project chooses them in `omni.toml`: `[verify]`, `profiles = ["gdpr"]`.\n'
    for profile in profiles().values():
        when = "Its checks run in every project." if profile.always else "Its checks run where it is chosen."
        rows = [(f"`{rule.id}`", rule.level, rule.title, rule.unseen) for rule in profile.rules]
        text += f"\n## {profile.id}\n\n{profile.title}. {profile.about} {when}\n\n"
        text += _table(("rule", "level", "what it asks", "what source code can't tell"), rows)
    return text


def _templates() -> str:
    text = MADE + "# Templates\n"
    for template in templates():
        text += f"\n## {template.name}\n\n{template.title}. {template.description}\n\n"
        rows = [
            (name, ", ".join(sorted(values)) or "none")
            for name, values in sorted(template.capabilities.model_dump().items())
        ]
        text += _table(("can do", ""), rows)
    return text


def _domains() -> str:
    rows = [(f"`{name}`", domain.title, ", ".join(domain.entities)) for name, domain in sorted(domains().items())]
    return (
        MADE
        + f"# Domains\n\n{len(rows)} application domains are known by name; anything else goes by general rules.\n\n"
        + _table(("id", "domain", "entities"), rows)
    )


def _scorecard() -> str:
    rows = [
        (
            dimension.title,
            ", ".join(f"`{check}`" for check in dimension.checks) or "none",
            ", ".join(f"`{m.metric}` ({m.zero:g} is 0, {m.full:g} is 10)" for m in dimension.measures) or "none",
        )
        for dimension in dimensions().values()
    ]
    return (
        MADE
        + "# Scorecard\n\nTen dimensions, each 0 to 10 from evidence alone.\n\n"
        + _table(("dimension", "checks", "measures"), rows)
    )


def _rooms() -> str:
    """The map of the rooms, drawn from the imports."""
    graph = grimp.build_graph("omni", cache_dir=None)
    edges: dict[tuple[str, str], int] = defaultdict(int)
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            source, target = _room(importer), _room(imported)
            if source and target and source != target:
                edges[source, target] += 1
    lines = ["```mermaid", "flowchart TD"]
    for floor, rooms in _floors():
        lines += [f"  subgraph {floor}", *(f"    {room}" for room in rooms), "  end"]
    lines += [f"  {source} -->|{count}| {target}" for (source, target), count in sorted(edges.items())]
    return (
        MADE
        + "# The rooms\n\nDrawn from the imports; a number is how many modules import across. The build fails when an"
        " arrow points up.\n\n" + "\n".join(lines) + "\n```\n"
    )


def _floors() -> list[tuple[str, list[str]]]:
    """Each floor with its rooms, as the build checks them; a room in brackets may be missing yet."""
    declared = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))
    (contract,) = declared["tool"]["importlinter"]["contracts"]
    layers = [[room.strip(" ()") for room in layer.split("|")] for layer in contract["layers"]]
    there = [[room for room in rooms if (HERE.parent / "src/omni" / room).is_dir()] for rooms in layers]
    return [(floor, rooms) for floor, rooms in zip(FLOORS, there, strict=True) if rooms]


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and not parts[1].startswith("__") else ""


def main() -> int:
    stale = []
    for path, text in pages().items():
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != text:
                stale.append(os.path.relpath(path))
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    for path in stale:
        print(f"{path} is not what the code says. Type: .venv/bin/python docs/generate.py")
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
