"""The twelve factors of https://12factor.net, as far as the source tells. For services: programs with a web framework.

Metrics: `twelve_factor.01` to `twelve_factor.12`, 1 when the source shows that the factor is kept, else 0.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from omni.verify.analysis.manifests import is_python_manifest
from omni.verify.analysis.places import BESIDE_THE_PRODUCT
from omni.verify.analysis.python import dotted, imports_of, keyword, text_of
from omni.verify.analysis.rule import Rule, line_of
from omni.verify.check import Check, Context, Gap, Item, Metric
from omni.verify.files import File, matches
from omni.verify.parsing import walk
from omni.verify.report import Model, Severity, Status

FRAMEWORKS = frozenset({"fastapi", "flask", "django", "starlette", "aiohttp", "sanic", "litestar", "tornado", "quart"})


DATA = Path(__file__).parent.parent / "data" / "twelve-factor.toml"


class Factor(Model):
    """Signs that one factor is kept; see the data file."""

    number: int
    name: str
    files: tuple[str, ...] = ()
    says: str = ""
    never: str = ""
    why: str
    fix: str

    @property
    def rule(self) -> Rule:
        return Rule("twelve-factor", f"{self.number:02}-{self.name}", Severity.NOTE, self.why, self.fix)

    def kept(self, paths: Iterable[str], program: str, around: str) -> bool:
        """`around`: the text of manifests, Makefiles, compose files and Dockerfiles."""
        if self.files and any(matches(path, self.files) for path in paths):
            return True
        if self.says and re.search(self.says, program + around):
            return True
        return bool(self.never) and not re.search(self.never, program)


def factors() -> tuple[Factor, ...]:
    return tuple(Factor.model_validate(each) for each in tomllib.loads(DATA.read_text("utf-8"))["factor"])


def _rule(name: str, why: str, fix: str) -> Rule:
    return Rule("twelve-factor", name, Severity.WARNING, why, fix)


HARD_CONFIG = _rule(
    "03-config",
    "Another environment needs another program, and the address stands in the history.",
    "Read it from the environment, with a default for development at most.",
)
STATE = _rule(
    "06-processes",
    "The next process, on another machine or after a restart, does not have the file.",
    "Keep it in the database or in an object store; temporary files belong into tempfile.",
)
LOG_FILE = _rule(
    "11-logs",
    "Nobody collects the file, and it fills the disk of a container.",
    "Log to stdout, one JSON object a line, and let the platform collect it.",
)

ADDRESS = re.compile(
    r"^(postgres(ql)?|mysql|redis|amqp|mongodb)(\+\w+)?://(?![^/]*\{)(?!localhost|127\.0\.0\.1)[\w.@:-]+"
)


def run(context: Context) -> Iterator[Item]:
    program = [each for each in context.files if each.language == "python" and not BESIDE_THE_PRODUCT.search(each.path)]
    imported = (each.module.split(".")[0] for file in program for each in imports_of(context, file) or ())
    if not any(each in FRAMEWORKS for each in imported):
        yield Gap(
            "no Python here imports a web framework, and services in other languages are not looked at", Status.SKIPPED
        )
        return
    trees = [(file, tree) for file in program if isinstance(tree := context.parse_python(file), ast.Module)]
    flagged: set[str] = set()
    for file, tree in trees:
        for rule, line, message in _judge(tree):
            flagged.add(rule.name)
            yield rule.at(file.path, line, message, snippet=line_of(context.text(file), line))
    paths = [file.path for file in context.inventory.files]
    text = "\n".join(context.text(file) for file, _ in trees)
    around = "\n".join(context.text(file) for file in context.files if _around(file))
    for factor in factors():
        kept = factor.kept(paths, text, around)
        yield Metric(f"twelve_factor.{factor.number:02}", float(kept and factor.rule.name not in flagged))
        if not kept:
            yield factor.rule.at("", None, f"nothing shows that factor {factor.number} ({factor.name}) is kept")


def _around(file: File) -> bool:
    return file.language in {"dockerfile", "make", "yaml"} or is_python_manifest(file.path)


def _judge(tree: ast.Module) -> Iterator[tuple[Rule, int, str]]:
    for node in walk(tree):
        written = text_of(node)
        if written and ADDRESS.match(written):
            yield HARD_CONFIG, getattr(node, "lineno", 1), "the address of a service stands in the code"
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        if name.rpartition(".")[2] in {
            "FileHandler",
            "RotatingFileHandler",
            "TimedRotatingFileHandler",
            "WatchedFileHandler",
        } or (name.endswith("basicConfig") and keyword(node, "filename") is not None):
            yield LOG_FILE, node.lineno, "the log goes to a file"
        elif name in {"open", "io.open"} and _writes(node):
            yield STATE, node.lineno, f"a file beside the program is written: {text_of(node.args[0])}"


def _writes(call: ast.Call) -> bool:
    """A path that is written out, opened to write."""
    mode = text_of(call.args[1]) if len(call.args) > 1 else text_of(keyword(call, "mode"))
    path = text_of(call.args[0]) if call.args else None
    return bool(mode and path and re.search(r"[wax+]", mode) and not path.startswith(("/dev/", "/tmp/", "/proc/")))  # noqa: S108 - names, not files


CHECK = Check(
    id="twelve-factor",
    title="The service keeps the twelve factors",
    tier=2,
    globs=("**",),
    run=run,
)
