"""Every source, configuration and data file parses."""

from __future__ import annotations

import json
import re
import tomllib
import xml.parsers.expat
from collections.abc import Iterator

import yaml

from omni.verify.analysis.rule import Rule, line_of
from omni.verify.check import Check, Context, Item, Scope, Unseen
from omni.verify.files import File
from omni.verify.report import Severity

BROKEN = Rule(
    "syntax",
    "does-not-parse",
    Severity.ERROR,
    why="Nothing that reads this file can use it, and no other check can look into it.",
    fix="Correct the line; the mistake may be just before it.",
)
UNDEFINED_ENTITY = xml.parsers.expat.errors.codes["undefined entity"]
ENTITY = re.compile(r"&(?!(?:lt|gt|amp|quot|apos);)[A-Za-z_][\w.-]*;")
WITH_COMMENTS = re.compile(
    r"(^|/)\.(vscode|devcontainer)/[^/]*\.json$"
    r"|(^|/)([tj]sconfig[^/]*|devcontainer|api-extractor|\.eslintrc|\.oxlintrc|\.swcrc|biome|deno|nx|turbo|wrangler)\.json$"
)
"""JSON that its tools read with comments, and with a comma after the last."""
TEXT_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
TEXT_OR_LAST_COMMA = re.compile(r'"(?:\\.|[^"\\\n])*"|,(?=\s*[}\]])')
NEWEST = "py314"
"""What ruff is told to accept, for syntax newer than this interpreter's."""


def run(context: Context) -> Iterator[Item]:
    doubtful = []
    for file in context.files:
        if file.language == "python":
            if isinstance(context.parse_python(file), Unseen):
                doubtful.append(file)
            continue
        text = context.text(file)
        problem = PARSERS[file.language](_bare(text) if WITH_COMMENTS.search(file.path) else text)
        if problem is not None:
            line, message = problem
            yield BROKEN.at(file.path, line, message, snippet=line_of(text, line))
    if doubtful:
        yield from _python(context, doubtful)


def _python(context: Context, files: list[File]) -> Iterator[Item]:
    """Ruff knows Python newer than the one we run on; what neither can parse is wrong."""
    argv = ("check", "--isolated", "--no-cache", "--select", "PLE0118", "--target-version", NEWEST)
    output = context.execute("ruff", *argv, "--output-format", "json", "--", *(file.path for file in files))
    report = output.json()
    if not isinstance(report, list):
        raise TypeError("ruff did not print a list")
    first: dict[str, tuple[int, str]] = {}
    for each in report:
        if each["code"] in {None, "invalid-syntax", "syntax-error"}:
            first.setdefault(context.relative(each["filename"]), (each["location"]["row"], each["message"]))
    for file in files:
        if file.path in first:
            line, message = first[file.path]
            yield BROKEN.at(file.path, line, message, snippet=line_of(context.text(file), line))


def _bare(text: str) -> str:
    """Without comments and last commas; each line keeps its number."""
    without = TEXT_OR_COMMENT.sub(
        lambda found: found[0] if found[0].startswith('"') else re.sub(r"[^\n]", " ", found[0]), text
    )
    return TEXT_OR_LAST_COMMA.sub(lambda found: found[0] if found[0].startswith('"') else " ", without)


def _json(text: str) -> tuple[int, str] | None:
    try:
        json.loads(text)
    except json.JSONDecodeError as problem:
        return problem.lineno, problem.msg
    except RecursionError:
        return 1, "nested too deeply"
    except ValueError:  # a number of more digits than Python reads
        return None
    return None


def _toml(text: str) -> tuple[int, str] | None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        at = str(problem).partition("(at line ")[2].partition(",")[0]
        return int(at) if at.isdigit() else text.count("\n") + 1, str(problem)
    except RecursionError:
        return 1, "nested too deeply"
    except ValueError:  # a number of more digits than Python reads
        return None
    return None


def _yaml(text: str) -> tuple[int, str] | None:
    """Tags of other programs (`!Ref`, `!vault`) are syntax too, so nothing is constructed."""
    try:
        for _ in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            pass
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        return (mark.line + 1 if mark else 1), problem.problem or "not YAML"
    except (yaml.YAMLError, RecursionError) as problem:
        return 1, str(problem).splitlines()[0]
    return None


def _xml(text: str) -> tuple[int, str] | None:
    """Expat alone: it expands no external entity, and refuses amplification."""
    try:
        xml.parsers.expat.ParserCreate().Parse(text.encode(), True)
    except xml.parsers.expat.ExpatError as problem:
        if problem.code == UNDEFINED_ENTITY:  # of a template: whoever fills it in knows it
            return _xml(ENTITY.sub(" ", text))
        return problem.lineno, xml.parsers.expat.errors.messages[problem.code]
    except (LookupError, ValueError):
        return 1, "it names an encoding that can't be read"
    return None


PARSERS = {"json": _json, "notebook": _json, "toml": _toml, "yaml": _yaml, "xml": _xml, "svg": _xml}

CHECK = Check(
    id="syntax",
    title="Python, JSON, TOML, YAML and XML parse",
    tier=1,
    scope=Scope.FILE,
    languages=("python", *PARSERS),
    tool="ruff",
    run=run,
)
