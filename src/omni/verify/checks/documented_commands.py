"""Commands and variables that documents name and the project does not have: what a reader types and gets an error for.

Links are followed by `markdown`. Here it is make targets, npm scripts, files that are run, modules of the project that
are started with -m, and environment variables of the project's own prefix.
"""

from __future__ import annotations

import ast
import json
import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from omni.verify.analysis.adoption import table
from omni.verify.analysis.markdown import Block, read
from omni.verify.analysis.modules import module_name
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item
from omni.verify.files import File
from omni.verify.parsing import walk
from omni.verify.report import Severity

WHY = "A reader who types it gets an error, and does not know what else is wrong."
COMMAND = Rule(
    "documented-commands", "no-such-command", Severity.ERROR, WHY, "Name what there is, or add what is missing."
)
FILE = Rule("documented-commands", "no-such-file", Severity.WARNING, WHY, "Correct the path, or add the file.")
VARIABLE = Rule(
    "documented-commands",
    "no-such-variable",
    Severity.WARNING,
    "Whoever sets it changes nothing, and does not notice.",
    "Read it in the program, or take it out of the document.",
)
SHELLS = frozenset({"", "sh", "bash", "shell", "console", "zsh", "shell-session", "text"})
ELSEWHERE = re.compile(
    r"\b(cd|pushd|git clone|git init|mkdir|cookiecutter|npm (create|init)|npx create|touch|mv|cp|curl|wget|ssh|tee)\b|>"
)
"""After such a command, the reader is in another folder or has other files."""
MAKE = re.compile(r"^make\s+(?P<arguments>[^|;&#]+)")
NPM = re.compile(r"^(?:npm run|pnpm run|yarn run|bun run)\s+(?P<script>[\w:.-]+)")
RUNS = re.compile(
    r"^(?:python3?|bash|sh|node|uv run python3?|uv run)\s+(?P<path>[\w./-]+\.(py|sh|js|mjs|ts))\b"
    r"|^(?P<direct>\./[\w./-]+)"
)
MODULE = re.compile(r"^(?:uv run )?python3?\s+-m\s+(?P<module>[\w.]+)")
VARIABLES = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
HISTORY = re.compile(
    r"(^|/)(changelog|changes|history|news|upgrad\w*|migrat\w*|releases?|adr|decisions)[^/]*(/|$)", re.IGNORECASE
)
"""Documents that speak of what was, or will be."""


@dataclass
class Known:
    """What there is in the project."""

    targets: frozenset[str] | None = None
    """Of the Makefile; None when there is none, or it can't be read for certain."""
    scripts: frozenset[str] | None = None
    modules: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    """Names of settings, in lower case: a settings class makes variables of them."""
    prefixes: frozenset[str] = field(default=frozenset())


def run(context: Context) -> Iterator[Item]:
    documents = [file for file in context.files if file.language == "markdown" and not HISTORY.search(file.path)]
    if not documents:
        return
    known = _known(context)
    for file in documents:
        text = context.text(file)
        document = read(text)
        for block in document.blocks:
            if block.language.split(" ")[0].lower() in SHELLS:
                for line, rule, message in _commands(context, file, block, known):
                    yield rule.at(file.path, line, message)
        for line, name in _variables(text, known):
            message = f"`{name}` is documented, and nothing in the project reads it"
            yield VARIABLE.at(file.path, line, message)


def _known(context: Context) -> Known:
    files = context.inventory.by_path
    texts = {
        file.path: context.text(file) for file in context.files if file.language != "markdown" and not file.problem
    }
    folders = {parent for path in files for parent in _parents(path)}
    words = frozenset(word for text in texts.values() for word in VARIABLES.findall(text))
    settings = frozenset(
        node.target.id
        for file, tree in context.parsed_python()
        if isinstance(tree, ast.Module) and re.search(r"[Ss]ettings|config", texts.get(file.path, ""))
        for node in walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    )
    counts: dict[str, int] = {}
    for word in words:
        counts[word.partition("_")[0]] = counts.get(word.partition("_")[0], 0) + 1
    return Known(
        _targets(texts.get("Makefile")),
        _scripts(texts.get("package.json")),
        frozenset(module_name(path, context.project.source_roots) for path in files if path.endswith(".py")),
        frozenset(files) | frozenset(folders),
        words,
        settings,
        frozenset(prefix for prefix, count in counts.items() if count >= 3),
    )


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _targets(makefile: str | None) -> frozenset[str] | None:
    if makefile is None or re.search(r"^\s*-?include\b|^\$|^%|\n[^\n\t#]*%[^\n=]*:", makefile, re.MULTILINE):
        return None
    found = re.findall(r"^([\w./ -]+?)\s*::?(?![=:])", makefile, re.MULTILINE)
    return frozenset(name for names in found for name in names.split())


def _scripts(package: str | None) -> frozenset[str] | None:
    try:
        return frozenset(table(json.loads(package), "scripts")) if package is not None else None
    except json.JSONDecodeError:
        return None


def _commands(context: Context, file: File, block: Block, known: Known) -> Iterator[tuple[int, Rule, str]]:
    moved = False
    prompts = any(line.lstrip().startswith("$ ") for line in block.text.splitlines())
    for number, raw in enumerate(block.text.splitlines(), block.line + 1):
        line = raw.strip()
        if prompts and not line.startswith("$ "):
            continue  # what the command printed
        line = line.removeprefix("$ ")
        if not moved:
            yield from ((number, rule, message) for rule, message in _command(context, file, line, known))
        moved = moved or ELSEWHERE.search(line) is not None


def _command(context: Context, file: File, line: str, known: Known) -> Iterator[tuple[Rule, str]]:
    make = MAKE.match(line)
    own = f"{file.path.rpartition('/')[0]}/Makefile" in known.paths  # of the page's folder, which is not read
    if make and known.targets is not None and not own and not re.search(r"\s-[Cf]|<|\[|\$", make["arguments"]):
        for target in _words(make["arguments"]):
            if "=" not in target and not target.startswith("-") and target not in known.targets | known.paths:
                yield COMMAND, f"the Makefile has no target `{target}`"
    npm = NPM.match(line)
    if npm and known.scripts is not None and npm["script"] not in known.scripts and not re.search(r"-w|--prefix", line):
        yield COMMAND, f"package.json has no script `{npm['script']}`"
    runs = RUNS.match(line)
    if runs and _is_missing(context, file, runs["path"] or runs["direct"], known):
        yield FILE, f"there is no file `{runs['path'] or runs['direct']}`"
    started = MODULE.match(line)
    if started:
        name, top = started["module"], started["module"].partition(".")[0]
        own = any(module.partition(".")[0] == top for module in known.modules)
        if own and name != top and not {name, f"{name}.__main__"} & known.modules:
            yield COMMAND, f"there is no module `{name}`"


def _words(arguments: str) -> list[str]:
    """As a shell splits them: `ARGS="list all"` is one word."""
    try:
        return shlex.split(arguments)
    except ValueError:  # a quote that is not closed here
        return []


def _is_missing(context: Context, file: File, path: str, known: Known) -> bool:
    if path.startswith(("/", "..")) or not _is_ours(path, known):
        return False
    beside = posixpath.join(posixpath.dirname(file.path), path)
    candidates = {posixpath.normpath(path), posixpath.normpath(beside)}
    return not candidates & known.paths and not any((context.root / each).exists() for each in candidates)


def _is_ours(path: str, known: Known) -> bool:
    """In a folder that the project has: a path elsewhere belongs to the reader's machine or is an example."""
    folder = posixpath.dirname(posixpath.normpath(path))
    return folder in known.paths if folder else path.startswith("./")


def _variables(text: str, known: Known) -> Iterator[tuple[int, str]]:
    """Names in tables, lists and `export`s, of a prefix that the project uses, that occur nowhere but in documents."""
    for number, line in enumerate(text.splitlines(), 1):
        named = re.match(
            r"\s*(?:\||[-*]|export\b|\$\s*export\b)\s*`?(?P<name>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`?(?=[\s|=:`]|$)", line
        )
        if not named:
            continue
        name = named["name"]
        prefix, _, rest = name.partition("_")
        by_settings = {name.lower(), rest.lower(), *(rest.lower().split("__"))} & known.fields
        if prefix in known.prefixes and name not in known.variables and not by_settings:
            yield number, name


CHECK = Check(
    id="documented-commands",
    title="Documents name commands and variables that there are",
    tier=2,
    globs=("**",),
    run=run,
)
