"""Rules tried on their own examples, all of them in one run of ast-grep."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.processes import run
from omni.verify.rules.entry import PatternRule
from omni.verify.rules.scan import Match, applies, read, scan, write_config

BAD_RULE = declare("V040", "A rule can't be used", Exit.USAGE, "See ast-grep.github.io/reference/yaml.html.")

FILE_NAMES = {
    "c": "example.c",
    "css": "example.css",
    "dockerfile": "Dockerfile",
    "go": "example.go",
    "html": "example.html",
    "java": "Example.java",
    "javascript": "example.tsx",
    "python": "example.py",
    "rust": "example.rs",
    "shell": "example.sh",
    "terraform": "example.tf",
    "yaml": "example.yaml",
}


@dataclass(frozen=True)
class Wrong:
    """An example that a rule judges otherwise than it should."""

    rule: str
    kind: str
    """`valid`: it matched and must not; `invalid`: it did not match and must."""
    example: str

    def __str__(self) -> str:
        what = "matches code that it must leave alone" if self.kind == "valid" else "does not match"
        return f"{self.rule} {what}: {self.example.strip()}"


def wrong(rules: Iterable[PatternRule], ast_grep: Path) -> tuple[Wrong, ...]:
    """The examples that go wrong. Raises `V040` when ast-grep can't read a rule."""
    chosen = tuple(rules)
    hits = {(match.path.split("/")[1], match.rule) for match in matches(chosen, ast_grep) if _own(match)}
    return tuple(
        Wrong(rule.id, kind, example)
        for rule in chosen
        for name, kind, example in _examples(rule)
        if ((name, rule.id) in hits) is (kind == "valid")
    )


def matches(rules: tuple[PatternRule, ...], ast_grep: Path) -> list[Match]:
    """All that the rules find in all of their examples; paths are `code/RULE.valid.0/NAME`. Raises `V040`."""
    with tempfile.TemporaryDirectory(prefix="omni-rules-") as folder:
        config = write_config(Path(folder), rules)
        for rule in rules:
            for name, _, example in _examples(rule):
                path = Path(folder, "code", name, rule.metadata.path or FILE_NAMES[rule.called])
                path.parent.mkdir(parents=True)
                path.write_text(example, "utf-8")
        argv = [str(ast_grep), "scan", "--no-ignore", "hidden", *scan(config, "code")[1:]]
        done = run(argv, cwd=Path(folder), timeout=60, output_limit=64 << 20)
    if done.exit_code not in (0, 1):
        raise OmniError(BAD_RULE, " ".join(done.stderr.split())[-600:] or f"ast-grep {done.ended}")
    return list(read(done.stdout))


def _examples(rule: PatternRule) -> Iterator[tuple[str, str, str]]:
    """(a name of its own, `valid` or `invalid`, the code)"""
    for kind, examples in (("valid", rule.metadata.valid), ("invalid", rule.metadata.invalid)):
        for number, example in enumerate(examples):
            yield f"{rule.id}.{kind}.{number}", kind, example


def _own(match: Match) -> bool:
    """Found by the rule whose example it is, and not left out for where it stands."""
    _, name, path = match.path.split("/", 2)
    return name.partition(".")[0] == match.rule and applies(replace(match, path=path))
