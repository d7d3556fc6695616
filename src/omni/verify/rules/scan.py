"""What ast-grep finds with rules, in Omni's terms."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from omni.verify.analysis.places import BESIDE_THE_PRODUCT
from omni.verify.languages import language
from omni.verify.rules.entry import HERE, SEVERITIES, Metadata, PatternRule

CONFIG = HERE / "sgconfig.yml"
"""With all of Omni's own rules."""
ARGV = ("--json=stream", "--include-metadata")
TESTS = re.compile(
    r"(^|/)(tests?|__tests__)/|(^|/)(test_[^/]+|[^/]+_test|conftest)\.py$|\.(test|spec)\.[cm]?[jt]sx?$|_test\.go$"
)
GENERATED = re.compile(r"\.min\.([cm]?js|css)$|\.bundle\.js$|\.d\.[cm]?ts$|_pb2(_grpc)?\.pyi?$|\.pb\.go$")
"""Made by a program: nobody reads or mends it."""


@dataclass(frozen=True)
class Match:
    rule: str
    level: str
    """ast-grep's word."""
    message: str
    path: str
    line: int
    """From 1, as `column`."""
    column: int
    snippet: str
    metadata: Metadata


def scan(config: Path, *paths: str) -> tuple[str, ...]:
    """Arguments for ast-grep."""
    return ("scan", "--config", str(config), *ARGV, "--", *paths)


def config_for(languages: Set[str], folder: Path) -> Path:
    """A configuration with Omni's rules for files in these languages; `folder` is for one that has to be made.

    To read the rules takes longer than to match them against a few files: those of Python alone, a third of it.
    """
    if languages != {"python"}:
        return CONFIG
    return _config(folder, str(HERE / "python"))


def write_config(folder: Path, rules: Iterable[PatternRule]) -> Path:
    """A configuration of these rules alone, with the file names of our own. The folder must be empty."""
    (folder / "rules").mkdir()
    text = "---\n".join(rule.document() for rule in rules)
    (folder / "rules" / "rules.yml").write_text(text, "utf-8")
    return _config(folder, "rules")


def _config(folder: Path, rules: str) -> Path:
    """Our own configuration with another folder of rules."""
    config = folder / "sgconfig.yml"
    named = f"ruleDirs: [{json.dumps(rules)}]"
    own = CONFIG.read_text("utf-8")
    config.write_text(re.sub(r"^ruleDirs:.*$", lambda _: named, own, flags=re.MULTILINE), "utf-8")
    return config


def read(output: str) -> Iterator[Match]:
    """`--json=stream`: one object a line, lines counted from 0. Raises ValueError, KeyError or TypeError."""
    for line in output.splitlines():
        found = json.loads(line)
        start = found["range"]["start"]
        yield Match(
            found["ruleId"],
            found["severity"],
            found["message"],
            found["file"],
            start["line"] + 1,
            start["column"] + 1,
            found["lines"].strip().split("\n", 1)[0][:200],
            Metadata.model_validate(found["metadata"]),
        )


def applies(match: Match, kind: str = "") -> bool:
    """Whether the rule speaks of that file, which is of this kind (a language; by its name where not given)."""
    if GENERATED.search(match.path):
        return False
    only = match.metadata.only
    if only and only != (kind or language(match.path)):
        return False
    match match.metadata.where:
        case "tests":
            return bool(TESTS.search(match.path))
        case "product":
            return not BESIDE_THE_PRODUCT.search(match.path) and not TESTS.search(match.path)
        case _:
            return True


def once(matches: Iterable[Match]) -> list[Match]:
    """One of those that speak of the same weakness, or by the same rule, on the same line: the gravest."""
    best: dict[tuple[str, int, str], Match] = {}
    grave = list(SEVERITIES)
    for match in sorted(matches, key=lambda each: (grave.index(each.level), each.column, each.rule)):
        best.setdefault((match.path, match.line, match.metadata.cwe or match.rule), match)
    return list(best.values())
