"""Types of Python, by mypy.

Mypy and not ty (measured with ty 0.0.105 and mypy 2.4 on click, httpx and rich, each as installed, with their
dependencies at hand): ty named 26, 38 and 43 problems in 0.2 to 0.4 s, mypy with its defaults none but missing stubs in
1.4 to 3 s, and 0.2 s once its cache is warm. Speed can be cached, false alarms can't.

Mypy executes what its configuration names (`plugins`, `python_executable`), and asks the environment's interpreter
where packages are. Neither is the project's to decide here: only its options about strictness are taken over, and the
question is answered without running that interpreter.
"""

from __future__ import annotations

import configparser
import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from omni.kernel.files import write_atomic
from omni.verify.analysis.absent import absent, brought_by, how_to_set_up
from omni.verify.analysis.adoption import pyproject, table
from omni.verify.analysis.impact import Graph
from omni.verify.analysis.manifests import MANIFESTS
from omni.verify.analysis.places import EXAMPLES, TESTS
from omni.verify.analysis.rule import line_of
from omni.verify.check import Check, Context, Failed, Gap, Item, Output, Unseen
from omni.verify.outputs.summary import number
from omni.verify.report import Severity

TAKEN_OVER = frozenset(
    {
        "allow_redefinition", "allow_untyped_globals", "check_untyped_defs", "disable_error_code",
        "disallow_any_decorated", "disallow_any_explicit", "disallow_any_expr", "disallow_any_generics",
        "disallow_any_unimported", "disallow_incomplete_defs", "disallow_subclassing_any",
        "disallow_untyped_calls", "disallow_untyped_decorators", "disallow_untyped_defs", "enable_error_code",
        "exclude", "explicit_package_bases", "extra_checks", "follow_imports", "ignore_errors",
        "ignore_missing_imports", "implicit_optional", "implicit_reexport", "local_partial_types", "namespace_packages",
        "no_implicit_optional", "no_implicit_reexport", "platform", "strict", "strict_bytes", "strict_equality",
        "strict_optional", "warn_no_return", "warn_redundant_casts", "warn_return_any", "warn_unreachable",
        "warn_unused_ignores",
    }
)  # fmt: skip
NOT_HERE = ("import-untyped", "import-not-found", "import")
"""What is missing in this environment says nothing about the project; `imports` judges its dependencies. What mypy says
of a file that uses it may be wrong, so it does not block."""


OF_OBJECT = 'for "__init_subclass__" of "object"'
"""Mypy asks `object` about the keywords of a class whose base, in whichever file, comes from a package."""

OF_A_VERSION = ("redundant-cast", "unused-ignore")
"""What is superfluous for one version of mypy or of a package is needed for another; nothing is wrong either way."""

ABOUT_PACKAGES = frozenset(
    {
        "disallow_any_expr", "disallow_any_unimported", "disallow_subclassing_any", "disallow_untyped_decorators",
        "warn_return_any", "warn_unused_ignores",
    }
)  # fmt: skip
"""Options that speak of what packages bring: without an environment everything from them is `Any`."""

OF_ANY = re.compile(
    r"(no-any-return|no-any-unimported|untyped-decorator|valid-type Variable|misc (Class cannot subclass|Invalid base "
    r"class|Untyped decorator))\b|call-arg .* for \"(__init_subclass__|[A-Z]\w*)\""
)
"""What mypy says (code and message) where something is `Any`, as all is that comes from a package without types. A
class with an unknown decorator or base has arguments that mypy can't know."""


def run(context: Context) -> Iterator[Item]:
    sources = _sources(context)
    if not sources:
        return
    config = context.cache / "mypy.ini"
    config.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(config, configuration(_options(context), context).encode())
    # One file a module: what was learnt before a deadline is kept, so that the next run goes on from there.
    cache = ["--cache-dir", str(context.cache / "mypy"), "--no-sqlite-cache"]
    argv = ["--config-file", str(config), *cache, "-O", "json", *_search(context)]
    output = context.execute("mypy", *argv, "--", *_checked(context, sources))
    yield from parse(context, output)


def _sources(context: Context) -> list[str]:
    paths = {file.path for file in context.files}
    # A stub speaks for the module beside it; both would be the same module twice. A package's speaks for all in it.
    stubbed = {path.removesuffix("__init__.pyi") for path in paths if path.endswith("__init__.pyi")}
    modules = {path for path in paths if path.endswith(".py")}
    described = {path for path in modules if f"{path}i" in paths or path[: path.rfind("/") + 1] in stubbed}
    return sorted(path for path in paths - described if not path.endswith("setup.py"))


def parse(context: Context, output: Output) -> Iterator[Item]:
    """One JSON object a line. Raises `Failed` when mypy gave up, ValueError when a line is not JSON."""
    counts = Severity.ERROR if _options(context) else Severity.WARNING
    found = [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]
    if output.exit_code not in {0, 1}:
        broken = [each for each in found if each["code"] == "syntax"]
        if not broken:
            raise Failed(f"mypy gave up: {(output.stdout + output.stderr).strip()[:400]}")
        yield from (Unseen(each["file"], f"line {each['line']}: {each['message']}") for each in broken)
        yield Gap("mypy looks at nothing while a file does not parse")
        return
    lost = _lost(context, found)
    names = sorted({name for owners in lost.values() for name in owners})
    sources = set(_sources(context))  # mypy also speaks of what they import
    doubt = _doubt(context, [each["file"] for each in found if _module(each) in lost])
    held_back = 0
    for each in found:
        if each["severity"] != "error" or each["code"] in NOT_HERE or each["file"] not in sources:
            continue
        beside = TESTS.search(each["file"]) or EXAMPLES.search(each["file"])  # a project rarely checks all of these
        of_package = doubt(each["file"], f"{each['code']} {each['message']}")
        held_back += of_package
        unsure = of_package or beside or each["code"] in OF_A_VERSION
        file = context.inventory.by_path.get(each["file"])
        snippet = line_of(context.text(file), each["line"]) if file and not file.problem else ""
        yield context.finding(
            each["code"] or "syntax",
            f"{each['message']} (perhaps only for want of {', '.join(names)})"
            if of_package and names
            else each["message"],
            each["file"],
            each["line"],
            column=each["column"] + 1,
            severity=Severity.WARNING if unsure else counts,
            fix=each["hint"] or "",
            snippet=snippet,
        )
    if lost and counts is Severity.ERROR:
        yield Gap(_why(context, lost, names, held_back))


def _module(said: Mapping[str, object]) -> str:
    """The module that mypy did not find, or not its types; empty where it speaks of something else."""
    if said["code"] not in NOT_HERE:
        return ""
    found = re.search(r'"([\w.]+)"', str(said["message"]))
    return found[1] if found else str(said["message"])


def _lost(context: Context, found: Iterable[Mapping[str, object]]) -> dict[str, list[str]]:
    """Modules that are unknown only because something is not installed → the distributions that the project declares.

    Without an environment these are all, and nobody is asked who would bring them.
    """
    modules = sorted({module for each in found if (module := _module(each))})
    if context.environment is None:
        return {module: [] for module in modules}
    declared = absent(context) if modules else frozenset()
    return {module: names for module in modules if (names := brought_by(module, declared))}


def _doubt(context: Context, importers: Sequence[str]) -> Callable[[str, str], bool]:
    """Whether what mypy says (a file, code and message) may come only from what these files miss."""
    if context.environment is None:
        return lambda file, said: file in importers or (bool(importers) and OF_OBJECT in said)
    users = Graph(context, frozenset()).users(importers) | set(importers) if importers else frozenset()
    return lambda file, said: file in users and OF_ANY.match(said) is not None


def _why(context: Context, lost: Mapping[str, object], names: Sequence[str], held_back: int) -> str:
    set_up = how_to_set_up(context, *names)
    if context.environment is None:
        return f"{len(lost)} imports lead to packages that are not here, so their use was not checked. {set_up}"
    modules, missing = (", ".join(each) for each in (lost, names))
    but = f", and {number(held_back, 'warning')} may come of that alone" if held_back else ""
    return f"{missing}: declared and not installed, so what is used of {modules} was not checked{but}. {set_up}"


def _options(context: Context) -> Mapping[str, Mapping[str, object]]:
    """Sections of the project's mypy configuration by pattern of modules (empty: for all); nothing when it has none."""
    for name in ("mypy.ini", ".mypy.ini", "setup.cfg"):
        file = context.inventory.by_path.get(name)
        if file is not None and not file.problem:
            parser = configparser.ConfigParser(interpolation=None, strict=False)
            try:
                parser.read_string(context.text(file))
            except configparser.Error:
                continue
            names = [section for section in parser.sections() if section.startswith("mypy")]
            found = {name.removeprefix("mypy").strip("-"): dict(parser[name]) for name in names}
            if found:
                return found
    tool = table(pyproject(context), "tool", "mypy")
    sections: dict[str, Mapping[str, object]] = {"": tool} if tool else {}
    overrides = tool.get("overrides")
    for override in overrides if isinstance(overrides, list) else ():
        modules = override.get("module", ())
        for module in [modules] if isinstance(modules, str) else modules:
            sections[module] = {**sections.get(module, {}), **override}
    return sections


def configuration(sections: Mapping[str, Mapping[str, object]], context: Context) -> str:
    """A mypy.ini with what is taken over. Values are written so that they can't start another line."""
    lines = ["[mypy]", "no_error_summary = True", "show_column_numbers = True"]
    without_packages = context.environment is None
    for pattern in sorted(sections):
        if pattern:
            lines.append(f"[mypy-{pattern}]")
        for name, value in sorted(sections[pattern].items()):
            if without_packages and name in ABOUT_PACKAGES:
                continue
            if name in TAKEN_OVER and not (name == "exclude" and pattern):
                given = ", ".join(map(str, value)) if isinstance(value, list) and name != "exclude" else value
                text = "|".join(map(str, given)) if isinstance(given, list) else str(given)
                lines.append(f"{name} = {' '.join(text.split())}")
        if without_packages:
            lines += [f"{name} = False" for name in sorted(ABOUT_PACKAGES)]
    return "\n".join(lines) + "\n"


def _search(context: Context) -> list[str]:
    """Where imports are found: the environment's packages, and no interpreter of the project's is started for it."""
    if context.environment is None:
        return ["--no-site-packages"]
    packages = sorted(context.environment.glob("lib/python3*/site-packages"))
    if not packages:
        return ["--no-site-packages"]
    version = packages[-1].parent.name.removeprefix("python").split(".")
    answer = context.cache / "python"
    script = (
        "#!/bin/sh\n"
        f"case $1 in -c) echo '({version[0]}, {version[1]})' ;;\n"
        f"*) printf '%s\\n' {shlex.quote(repr(([], [str(packages[-1])])))} ;; esac\n"
    )
    write_atomic(answer, script.encode(), 0o755)
    return ["--python-executable", str(answer)]


def _checked(context: Context, sources: list[str]) -> list[str]:
    """The sources; tests and tools only where the project's configuration does not name packages of its own."""
    if not _options(context):
        return sources
    named = table(pyproject(context), "tool", "mypy")
    files = (str(each).removeprefix("./") for each in _as_list(named.get("files")))
    packages = (str(each).replace(".", "/") for each in _as_list(named.get("packages")))
    folders = tuple(f"{prefix}{root.strip('/')}" for root in (*files, *packages) for prefix in ("", "src/"))
    chosen = [path for path in sources if any(path == each or path.startswith(f"{each}/") for each in folders)]
    return chosen or sources


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value] if value else []


CHECK = Check(
    id="types",
    title="Python's types agree",
    tier=1,
    languages=("python",),
    config=("mypy.ini", ".mypy.ini", *MANIFESTS),
    tool="mypy",
    run=run,
    timeout=300,  # the tier's deadline comes first; where nothing is known yet, the longest time-out starts first
    weight=1,
    why="A value of another type than declared fails far from where it came from, or does not fail and is wrong.",
    advice="Correct the value or the annotation; where mypy can't know, say so with `# type: ignore[code]` and why.",
)
