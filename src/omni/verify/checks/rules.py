"""Omni's own rules, and the project's, by ast-grep. What they are: omni.verify.rules."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from omni.verify.analysis.minified import minified
from omni.verify.check import Check, Context, Failed, Gap, Item, Scope, Unseen
from omni.verify.files import File
from omni.verify.report import Status
from omni.verify.rules.entry import PROJECT, SEVERITIES, PatternRule, of_project
from omni.verify.rules.intake import KNOWN, parts, readable
from omni.verify.rules.scan import Match, applies, config_for, once, read, scan, write_config


def own(context: Context) -> Iterator[Item]:
    """Raises `Failed`."""
    yield from minified(context)
    with tempfile.TemporaryDirectory(prefix="omni-rules-") as folder:
        yield from look(context, config_for({file.language for file in context.files}, Path(folder)))


def of_the_project(context: Context) -> Iterator[Item]:
    """Raises `Failed`."""
    rules: list[PatternRule] = []
    for name, said in of_project(context.root):
        if isinstance(said, str):
            yield Gap(f"{name} holds no rules that can be used: {said}")
        else:
            rules += said
    if not rules:
        yield Gap(f"there are no rules in {PROJECT}", Status.SKIPPED)
    elif len({rule.id for rule in rules}) < len(rules):
        raise Failed(f"two rules in {PROJECT} have the same id", Status.INCOMPLETE)
    else:
        with tempfile.TemporaryDirectory(prefix="omni-rules-") as folder:
            yield from look(context, write_config(Path(folder), rules))


def look(context: Context, config: Path) -> Iterator[Item]:
    """What the rules find in the inputs, each fault once. Raises `Failed`."""
    with tempfile.TemporaryDirectory(prefix="omni-files-") as folder:
        named: dict[str, File] = {}
        for each in readable(context, Path(folder)):
            if isinstance(each, Unseen):
                yield each
            else:
                named[each[1]] = each[0]
        found = [match for part in parts(named) for match in _scanned(context, config, part)]
    placed = [replace(match, path=named[match.path].path) for match in found]
    kinds = {file.path: file.language for file in context.files}
    for match in once(match for match in placed if applies(match, kinds[match.path])):
        yield context.finding(
            match.rule,
            match.message,
            match.path,
            match.line,
            column=match.column,
            severity=SEVERITIES[match.level],
            why=match.metadata.why,
            fix=match.metadata.fix,
            cwe=match.metadata.cwe,
            snippet=match.snippet,
        )


def _scanned(context: Context, config: Path, names: tuple[str, ...]) -> list[Match]:
    output = context.execute("ast-grep", *scan(config, *names))
    said = " ".join(output.stderr.split())[-600:]
    if output.exit_code not in (0, 1):
        raise Failed(f"ast-grep failed with exit code {output.exit_code}: {said}")
    if "ERROR: " in said:  # it goes on without the file
        raise Failed(f"ast-grep could not read all files: {said}", Status.INCOMPLETE)
    try:
        return list(read(output.stdout))
    except (ValueError, KeyError, TypeError) as problem:
        raise Failed(f"ast-grep did not print what it should ({problem!r}), so its result is unknown") from problem


LANGUAGES = tuple(KNOWN)

CHECKS = (
    Check(
        id="rules",
        title="Nothing is done as models often get it wrong",
        tier=1,
        scope=Scope.FILE,
        languages=LANGUAGES,
        tool="ast-grep",
        package="ast-grep-cli",
        run=own,
    ),
    Check(
        id="project-rules",
        title="The project's own rules are kept",
        tier=1,
        scope=Scope.FILE,
        languages=LANGUAGES,
        config=(f"{PROJECT}/*",),
        tool="ast-grep",
        package="ast-grep-cli",
        run=of_the_project,
    ),
)
