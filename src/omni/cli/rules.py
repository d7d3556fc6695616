"""`omni rules`: what models get wrong, as rules that can be read, tried and added to."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from omni.cli.common import json_option, line, settings, table
from omni.kernel.errors import Exit

if TYPE_CHECKING:
    from omni.verify.rules.entry import PatternRule

target = click.option(
    "--path", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The project."
)


@click.group()
def rules() -> None:
    """List, show and try the rules; make a rule from code that was rejected."""


@rules.command("list")
@click.option("--language", default="", help="Only of this language.")
@click.option("--topic", default="", help="Only of this topic: what an id begins with.")
@target
@json_option
def listing(language: str, topic: str, path: Path, as_json: bool) -> None:
    """List the rules, the project's own too: id, language, severity, message."""
    found = [rule for rule in _all(path) if language in ("", rule.called) and topic in ("", rule.topic)]
    if as_json:
        for rule in found:
            line("rule", _facts(rule))
        line("result", {"rules": len(found)})
        return
    table(("id", "language", "severity", "what"), [(r.id, r.called, r.level.value, r.message) for r in found])


@rules.command()
@click.argument("rule_id", metavar="ID")
@target
@json_option
def show(rule_id: str, path: Path, as_json: bool) -> None:
    """Show one rule: why it matters, how to mend it, what it matches and what it leaves alone."""
    from omni.verify.rules.made import named

    rule = named(_all(path), rule_id)
    if as_json:
        line("rule", _facts(rule) | {"document": rule.document()})
        return
    click.echo(f"{rule.id}  ({rule.called}, {rule.level.value}{', ' + rule.metadata.cwe if rule.metadata.cwe else ''})")
    click.echo(f"\n{rule.message}\n\nWhy:  {rule.metadata.why}\nMend: {rule.metadata.fix}")
    for title, examples in (("Matches", rule.metadata.invalid), ("Leaves alone", rule.metadata.valid)):
        for example in examples:
            click.echo(f"\n{title}:\n" + "\n".join(f"    {each}" for each in example.strip().splitlines()))


@rules.command()
@target
@json_option
def test(path: Path, as_json: bool) -> int:
    """Try every rule on its own examples, the project's rules too."""
    from omni.verify.rules.trial import wrong

    found = _all(path)
    mistakes = wrong(found, _ast_grep())
    if as_json:
        for mistake in mistakes:
            line("wrong", {"rule": mistake.rule, "kind": mistake.kind, "example": mistake.example})
        line("result", {"rules": len(found), "wrong": len(mistakes)})
    else:
        for mistake in mistakes:
            click.echo(str(mistake))
        examples = sum(len(rule.metadata.valid) + len(rule.metadata.invalid) for rule in found)
        click.echo(f"{len(found)} rules, {examples} examples, {len(mistakes)} wrong")
    return Exit.FAILED if mistakes else Exit.PASS


@rules.command()
@click.argument("rule_id", metavar="ID")
@click.argument("rejected", type=click.File("r", encoding="utf-8"))
@click.option("--language", required=True, help="python, javascript (TypeScript too), go, shell, …")
@click.option("--message", required=True, help="What is wrong, in a few words.")
@click.option("--why", required=True, help="Why it matters.")
@click.option("--mend", required=True, help="What to do instead.")
@click.option("--pattern", default="", help="Code with holes such as $X or $$$ARGS; default: the rejected code itself.")
@click.option("--good", type=click.File("r", encoding="utf-8"), required=True, help="The mended code; must not match.")
@click.option("--severity", type=click.Choice(("error", "warning", "note")), default="warning", show_default=True)
@click.option("--cwe", default="", help="CWE-… where one fits.")
@target
def new(rule_id: str, rejected: IO[str], good: IO[str], path: Path, **given: str) -> None:
    """Make a rule of the project from code that was rejected (a file, or - for standard input).

    It is written to .omni/rules/ID.yml once it matches the rejected code and leaves the mended code alone.

    \b
    omni rules new house-print-only bad.py --good better.py --language python \\
      --pattern 'print($E)' --message "an error is only printed" \\
      --why "Nobody reads it." --mend "Log it, or let it rise."
    """
    from omni.verify.rules.made import Draft, add

    draft = Draft.model_validate(given | {"id": rule_id, "rejected": rejected.read(), "good": good.read()})
    click.echo(str(add(draft, path, _ast_grep())))


def _all(path: Path) -> tuple[PatternRule, ...]:
    from omni.verify.rules.made import all_rules

    return all_rules(path)


def _ast_grep() -> Path:
    from omni.verify.tools import open_tools

    found = settings()
    return open_tools(found.home, found.offline, lambda text: click.echo(text, err=True)).path("ast-grep")


def _facts(rule: PatternRule) -> dict[str, object]:
    said = rule.metadata
    return {
        "id": rule.id,
        "topic": rule.topic,
        "language": rule.called,
        "severity": rule.level.value,
        "message": rule.message,
        "cwe": said.cwe,
        "why": said.why,
        "fix": said.fix,
        "where": said.where,
        "valid": said.valid,
        "invalid": said.invalid,
    }
