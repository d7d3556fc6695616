"""One rule, and how rules are read from files. A project's own files are hostile: they are data, and bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, JsonValue, ValidationError

from omni.verify.report import Model, Severity

HERE = Path(__file__).parent
PROJECT = ".omni/rules"
"""Where a project keeps rules of its own, one file each."""
LARGEST = 64 * 1024
"""Bytes of a file of rules."""
MOST = 300
"""Files of rules in a project."""
DEEPEST = 40
"""Levels of nesting in one."""

PARSED_AS = {
    "c": "Cpp",
    "css": "Css",
    "dockerfile": "Bash",
    "go": "Go",
    "html": "Html",
    "java": "Java",
    "javascript": "Tsx",
    "python": "Python",
    "rust": "Rust",
    "shell": "Bash",
    "terraform": "Hcl",
    "yaml": "Yaml",
}
"""Our name of a language → ast-grep's grammar."""
SEVERITIES = {"error": Severity.ERROR, "warning": Severity.WARNING, "info": Severity.NOTE}


class Metadata(Model):
    """What ast-grep does not know of a rule."""

    why: Annotated[str, Field(min_length=4)]
    fix: Annotated[str, Field(min_length=4)]
    cwe: Annotated[str, Field(pattern=r"^(CWE-\d+)?$")] = ""
    where: Literal["product", "tests", "anywhere"] = "product"
    """Of which files it speaks: the product (without examples, scripts and docs), its tests alone, or all."""
    only: Literal["", "dockerfile"] = ""
    """Of the files that one grammar reads, those in this language alone."""
    path: Annotated[
        str, Field(pattern=r"^(\.?\w[\w-]*(\.\w[\w-]*)*(/\.?\w[\w-]*(\.\w[\w-]*)*)*)?$", max_length=100)
    ] = ""
    """Name of the file that an example stands in, where `files` or `where` need one. It can't lead elsewhere."""
    valid: Annotated[tuple[str, ...], Field(min_length=1)]
    """Code that it must leave alone."""
    invalid: Annotated[tuple[str, ...], Field(min_length=1)]
    """Code that it must match."""


class PatternRule(Model):
    """An entry. Anything else that ast-grep knows, such as rewriting, is refused."""

    id: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z0-9]+)+$", max_length=60)]
    language: Literal["Bash", "Cpp", "Css", "Go", "Hcl", "Html", "Java", "Python", "Rust", "Tsx", "Yaml"]
    severity: Literal["error", "warning", "info"]
    message: Annotated[str, Field(min_length=8, max_length=200)]
    files: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()
    rule: dict[str, JsonValue]
    constraints: dict[str, JsonValue] = Field(default_factory=dict)
    utils: dict[str, JsonValue] = Field(default_factory=dict)
    metadata: Metadata

    @property
    def topic(self) -> str:
        return self.id.partition("-")[0]

    @property
    def called(self) -> str:
        """Its language, in our words."""
        own = {grammar: name for name, grammar in PARSED_AS.items() if name != "dockerfile"}
        return self.metadata.only or own[self.language]

    @property
    def level(self) -> Severity:
        return SEVERITIES[self.severity]

    def document(self) -> str:
        """As ast-grep reads it."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        return yaml.dump(content, Dumper=_Blocks, sort_keys=False, allow_unicode=True, width=110)


class _Blocks(yaml.SafeDumper):
    """Text of several lines as a block, indented below its key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's
        super().increase_indent(flow, False)


_Blocks.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def parse(text: str) -> tuple[PatternRule, ...]:
    """The rules of a file. Raises ValueError, in words, for anything but such rules."""
    if len(text) > LARGEST:
        raise ValueError(f"longer than {LARGEST >> 10} KiB")
    try:
        _bounded(text)
        documents = list(yaml.load_all(text, Loader=yaml.CSafeLoader))  # the safe one, in C
        return tuple(_validated(each) for each in documents if each is not None)
    except yaml.YAMLError as problem:
        raise ValueError(f"not YAML: {' '.join(str(problem).split())}") from problem


def _validated(document: object) -> PatternRule:
    try:
        return PatternRule.model_validate(document)
    except ValidationError as problem:
        error = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        called = document.get("id", "") if isinstance(document, dict) else ""
        where = ".".join(str(part) for part in (called, *error["loc"]))
        raise ValueError(f"{where}: {error['msg']}") from problem


def _bounded(text: str) -> None:
    """Neither deep nor, through anchors, larger than it looks. Raises ValueError."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("it uses an alias (*), which rules may not")  # noqa: TRY004 - of what was written
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST} levels")


def built_in() -> tuple[PatternRule, ...]:
    """Omni's own, by id. Raises ValueError, with the file, for one that can't be read."""
    found: list[PatternRule] = []
    for path in sorted(HERE.glob("*/*.yml")):
        try:
            found += parse(path.read_text("utf-8"))
        except ValueError as problem:
            raise ValueError(f"{path}: {problem}") from problem
    return tuple(sorted(found, key=lambda rule: rule.id))


def of_project(root: Path) -> Iterator[tuple[str, tuple[PatternRule, ...] | str]]:
    """Each file of the project's own rules: its name, and its rules or why they can't be used. No link is followed."""
    folder = root / PROJECT
    if any(part.is_symlink() for part in (root / ".omni", folder)) or not folder.is_dir():
        return
    paths = sorted(folder.glob("*.y*ml"))
    if len(paths) > MOST:
        yield PROJECT, f"it has more than {MOST} files"
        return
    for path in paths:
        name = f"{PROJECT}/{path.name}"
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
            yield name, f"not a regular file of at most {LARGEST >> 10} KiB"
            continue
        try:
            yield name, parse(path.read_text("utf-8"))
        except (OSError, ValueError) as problem:
            yield name, str(problem)
