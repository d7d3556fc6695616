"""Modules, names and parameters of other people's code: whether they exist where the project runs, and still will.

Asked of what is installed in the project's environment, in the sandbox, and of the standard library; no list of known
mistakes could keep up with what can be invented. What an object gets while the program runs is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from omni.verify.analysis.absent import how_to_set_up
from omni.verify.analysis.imported import STANDARD, python_imports
from omni.verify.analysis.installed_api import (
    Event,
    Fact,
    Version,
    history,
    is_elsewhere,
    mentioned,
    of_environment,
    of_standard_library,
    oldest_python,
    python_of,
)
from omni.verify.analysis.rule import Rule, line_of
from omni.verify.analysis.usage import Use, uses
from omni.verify.check import Check, Context, Gap, Item, Unseen
from omni.verify.files import File
from omni.verify.report import Finding, Severity

WHY = "The program stops with an exception where this line runs, and imports of the module may fail altogether."
MODULE = Rule("api-use", "invented-module", Severity.ERROR, WHY, "Import what the package really has.", "CWE-1357")
NAME = Rule("api-use", "invented-name", Severity.ERROR, WHY, "Use what the package really has: read its reference.")
PARAMETER = Rule(
    "api-use",
    "invented-parameter",
    Severity.ERROR,
    WHY,
    "Leave the argument out, or use the parameter that the function has for it.",
    "CWE-628",
)
TOO_MANY = Rule(
    "api-use", "too-many-arguments", Severity.ERROR, WHY, "Give it what it takes; name arguments by keyword.", "CWE-685"
)
REMOVED = Rule("api-use", "removed", Severity.ERROR, WHY, "Use what came in its place.", "CWE-477")
TO_BE_REMOVED = Rule(
    "api-use",
    "removed-later",
    Severity.WARNING,
    "The project allows newer versions of Python, and there it fails.",
    "Use what came in its place, or limit requires-python.",
    "CWE-477",
)
TOO_NEW = Rule(
    "api-use",
    "newer-than-python",
    Severity.WARNING,
    "It fails on the oldest Python that the project promises to run on.",
    "Do it in a way that the oldest has, ask for the version first, or raise requires-python.",
)
DEPRECATED = Rule(
    "api-use",
    "deprecated",
    Severity.WARNING,
    "A later version will not have it, and then an update breaks the program.",
    "Use what its documentation names in its place.",
    "CWE-477",
)


@dataclass(frozen=True)
class Place:
    file: File
    use: Use
    snippet: str

    def at(self, rule: Rule, message: str, fix: str = "") -> Finding:
        return rule.at(self.file.path, self.use.line, message, snippet=self.snippet, fix=fix)


def run(context: Context) -> Iterator[Item]:
    standard: list[Place] = []
    foreign: list[Place] = []
    tops: dict[str, set[str]] = {}
    for each in python_imports(context):
        tops.setdefault(each.file.path, set()).add(each.module.partition(".")[0])
    own = {file.path.rpartition("/")[2].removesuffix(".py") for file in context.files}
    for file, tree in context.parsed_python():
        if isinstance(tree, Unseen):
            yield tree
            continue
        if file.path.endswith(".pyi"):
            continue  # what is for type checkers only need not be there
        text = context.text(file)
        for use in uses(tree, text):
            place = Place(file, use, line_of(text, use.line))
            if use.top in STANDARD and use.top not in own:
                standard.append(place)
            elif use.top in tops.get(file.path, ()):
                foreign.append(place)
    yield from _standard(context, standard)
    yield from _foreign(context, foreign)


def _questions(places: Iterable[Place]) -> list[str]:
    return sorted({place.use.question for place in places})


def _standard(context: Context, places: list[Place]) -> Iterator[Item]:
    oldest = max(filter(None, (oldest_python(context), python_of(context.environment))), default=None)
    facts = of_standard_library(_questions(places))
    for place in places:
        fact = facts.get(place.use.question, Fact())
        dated = list(_dated(place, oldest))
        if dated:
            yield from dated
        elif not _elsewhere(place.use.question, fact):
            yield from _judge(place, fact)


def _foreign(context: Context, places: list[Place]) -> Iterator[Item]:
    if not places:
        return
    if context.environment is None:
        names = sorted({place.use.top for place in places})
        yield Gap(f"what is used of {len(names)} packages ({', '.join(names[:3])}, …) was not checked: "
                  f"there is no environment that has them. {how_to_set_up(context)}")  # fmt: skip
        return
    facts = of_environment(context, _questions(places))
    absent = {fact.name for fact in facts.values() if fact.missing == "module" and not fact.of}
    for place in places:
        fact = facts.get(place.use.question, Fact())
        if place.use.top not in absent:
            yield from _judge(place, fact)
    for path in sorted({place.file.path for place in places if place.use.top in absent}):
        names = sorted({place.use.top for place in places if place.use.top in absent and place.file.path == path})
        yield Unseen(path, f"its use of {', '.join(names)} was not checked: not installed", harmless=True)


def _judge(place: Place, fact: Fact) -> Iterator[Finding]:
    use = place.use
    meant = f"Did you mean {' or '.join(f'`{each}`' for each in fact.near)}?" if fact.near else ""
    if _said_at_its_import(use) and (fact.missing or not fact.takes):
        return
    if fact.missing:
        rule, what = (MODULE, "module") if fact.missing == "module" else (NAME, "name")
        of = f" in `{fact.of}`" if fact.of else ""
        yield place.at(rule, f"there is no {what} `{fact.name}`{of}", meant)
        return
    if use.kind == "call":
        yield from _arguments(place, fact)
    if fact.deprecated and not _said_at_its_import(use):
        yield place.at(DEPRECATED, f"`{use.written}` is deprecated: {fact.deprecated}")


def _said_at_its_import(use: Use) -> bool:
    """`from m import f` and then `f()`."""
    return use.kind == "call" and "." not in use.written


def _arguments(place: Place, fact: Fact) -> Iterator[Finding]:
    use = place.use
    if fact.takes is None:
        return
    by_kind = {kind: [name for name, each in fact.takes if each == kind] for kind in "OPVKW"}
    known = {*by_kind["P"], *by_kind["K"]}
    if not by_kind["W"]:
        for keyword in use.keywords:
            if keyword not in known and not _dated_parameter(place, fact, keyword):
                near = _nearest(keyword, known)
                meant = f"Did you mean `{near}`?" if near else f"It takes {', '.join(sorted(known)[:12]) or 'none'}."
                yield place.at(PARAMETER, f"`{use.written}` takes no parameter `{keyword}`", meant)
    most = len(by_kind["O"]) + len(by_kind["P"])
    if not by_kind["V"] and use.positional > most:
        message = f"`{use.written}` takes {most} arguments by position, and {use.positional} are given"
        yield place.at(TOO_MANY, message)


def _nearest(word: str, known: Iterable[str]) -> str:
    import difflib

    parts = set(word.split("_"))
    close = difflib.get_close_matches(word, sorted(known), 1, 0.75)
    return close[0] if close else next((each for each in sorted(known) if each in parts), "")


def _path(question: str) -> str:
    """As the history names things: without calls and marks; `datetime:datetime.now`."""
    return re.sub(r"\.(enter)?\(\)", "", question).rstrip("!")


def _dated(place: Place, oldest: Version | None) -> Iterator[Finding]:
    """What the standard library's history says of a name, by the Pythons that the project runs on."""
    use = place.use
    if _said_at_its_import(use):
        return
    path = _path(use.question)
    module = f"{path.partition(':')[0]}:"
    for name in dict.fromkeys((path, module) if use.kind == "import" else (path,)):
        events = history().get(name, ())
        ends = any(event.what == "until" for event in events)
        for event in (each for each in events if each.what != "deprecated" or not ends):
            yield from _event(place, event, use.written, oldest)


def _event(place: Place, event: Event, written: str, oldest: Version | None) -> Iterator[Finding]:
    version = ".".join(map(str, event.version))
    if event.what == "until":
        gone = (3, 10) if oldest is None else oldest
        rule = REMOVED if gone > event.version else TO_BE_REMOVED
        yield place.at(rule, f"`{written}` is there until Python {version} only", event.advice)
    elif event.what == "since" and oldest is not None and oldest < event.version:
        said = ".".join(map(str, oldest))
        yield place.at(TOO_NEW, f"`{written}` is there since Python {version}, and requires-python allows {said}")
    elif event.what == "deprecated":
        yield place.at(DEPRECATED, f"`{written}` is deprecated", event.advice)


def _dated_parameter(place: Place, fact: Fact, keyword: str) -> bool:
    """Whether some version of the standard library has the parameter."""
    path = _path(place.use.question)
    names = [f"{each}{inner}({keyword})" for each in (path, fact.qualified) for inner in ("", ".__init__", ".__new__")]
    return any(name in history() for name in names) or (place.use.top, keyword) in mentioned()


def _elsewhere(question: str, fact: Fact) -> bool:
    """Whether it is missing only in this Python or on this system, or is a name that only type checkers know."""
    module = question.partition(":")[0]
    dated = f"{fact.name}:" in history() or (module.partition(".")[0], fact.name) in mentioned()
    return bool(fact.missing) and (is_elsewhere(module) or dated or fact.name.startswith("_"))


CHECK = Check(
    id="api-use",
    title="What is used of packages and of Python exists",
    tier=2,
    languages=("python",),
    config=("pyproject.toml",),
    run=run,
    timeout=120,
)
