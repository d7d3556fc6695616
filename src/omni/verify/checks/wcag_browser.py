"""The served pages in a real browser: axe-core looks at each for faults against WCAG 2.1 AA.

Runs when `omni.toml` declares `[verify.serve]`; `pages` there names where to start, `/` by default. Links within
the server are followed. What stands behind a login is not seen, and a page's states (an open menu) are looked at as
it loads.
"""

from __future__ import annotations

import inspect
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from omni.verify.analysis.rule import Rule, line_with
from omni.verify.check import Check, Context, Failed, Gap, Item, Metric
from omni.verify.deep import browse
from omni.verify.deep.compose import with_images
from omni.verify.deep.play import Step, last_words, perform, scratch
from omni.verify.deep.services import served
from omni.verify.report import Model, Severity, Status

FAULT = Rule(
    "wcag-browser",
    "axe",
    Severity.ERROR,
    why="With this fault the page can't be used by everybody.",
    fix="See the rule's page for what is right.",
)
MOST = 20
"""Pages of one run."""
BROWSERS = ("/usr/lib/chromium/chromium", "/usr/lib/chromium-browser/chromium-browser", "/opt/google/chrome/chrome")
"""The programs themselves: what is on PATH are scripts that look around first."""
REPORT = "omni-deep/axe.json"


class Node(Model):
    html: str
    target: str


class Violation(Model):
    id: str
    impact: str | None
    help: str
    url: str
    nodes: tuple[Node, ...]


class Page(Model):
    path: str
    violations: tuple[Violation, ...]


class Problem(Model):
    path: str
    why: str


class Looked(Model):
    pages: tuple[Page, ...]
    problems: tuple[Problem, ...]


def run(context: Context) -> Iterator[Item]:
    serve = context.project.serve
    if serve is None:
        yield Gap("omni.toml declares no [verify.serve]", Status.SKIPPED)
        return
    order = {"url": f"http://127.0.0.1:{serve.port}", "pages": serve.pages, "most": MOST, "browser": _browser()}
    python = str(context.execution.tools(TOOLSET).path("python"))
    argv = (python, "-I", "-c", inspect.getsource(browse), json.dumps(order))
    step = Step("axe", argv, env={"HOME": "/tmp"}, out=REPORT)  # noqa: S108 - the sandbox's own
    servers = tuple(served(with_images(context), serve))
    with scratch() as folder:
        into = Path(folder)
        outcome = perform(context, servers, [step], into=into, collect=(REPORT,), toolset=TOOLSET)
        done = outcome.steps[-1]
        if done.exit or not (into / REPORT).is_file():
            yield Gap(f"the browser could not look at it: {last_words(done.said)}")
            return
        try:
            looked = Looked.model_validate_json((into / REPORT).read_bytes())
        except ValidationError:
            yield Gap("what the browser said can't be read")
            return
    yield Metric("axe.pages", len(looked.pages))
    for problem in looked.problems:
        yield Gap(f"{problem.path} could not be looked at: {problem.why}")
    if not looked.pages and not looked.problems:
        yield Gap("the server has no pages in HTML", Status.SKIPPED)
    told: set[tuple[str, str]] = set()
    for page in looked.pages:
        for violation in page.violations:
            node = violation.nodes[0] if violation.nodes else Node(html="", target="")
            if (violation.id, node.html) not in told:  # the same header on every page is one fault
                told.add((violation.id, node.html))
                yield _finding(context, page, violation, node)


def _browser() -> str:
    """Raises `Failed` when there is none."""
    found = next((each for each in BROWSERS if Path(each).is_file()), None) or shutil.which("google-chrome")
    if found is None:
        raise Failed("Chromium is not installed here. Type: apt install chromium", Status.INCOMPLETE)
    return found


def _finding(context: Context, page: Page, violation: Violation, node: Node) -> Item:
    path, line = _place(context, node.html)
    rule = Rule("wcag-browser", violation.id, Severity.ERROR, FAULT.why, f"{violation.help}: {violation.url}")
    message = f"{page.path}: {violation.help} ({node.target}: {node.html[:120]})"
    return rule.at(path, line, message, snippet=f"{violation.id} {node.html}")


def _place(context: Context, html: str) -> tuple[str, int]:
    """The template that writes the element, where one has its first words; else what serves it."""
    known = [each for each in re.findall(r"(?:id|name|class|href|src|for)=\"([^\"{}]+)\"", html) if len(each) > 2]
    tag = re.match(r"<[\w-]+", html)
    for file in context.inventory.files:
        if file.problem or file.language not in {"html", "jinja", "python", "typescript", "javascript", "vue"}:
            continue
        text = context.text(file)
        if tag is None or tag[0] not in text:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if tag[0] in line and (html[:60] in line or (known and all(each in line for each in known))):
                return file.path, number
    config = context.inventory.by_path.get("omni.toml")
    return ("omni.toml", line_with(context.text(config), "[verify.serve]")) if config else ("", 1)


TOOLSET = "accessibility"

CHECK = Check(
    id="wcag-browser",
    title="Served pages can be used by everybody",
    tier=3,
    globs=("**",),
    run=run,
    weight=2,
    timeout=300,
)
