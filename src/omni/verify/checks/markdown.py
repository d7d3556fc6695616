"""Markdown that leads somewhere: links to files and headings of the project, closed blocks, diagrams that can be drawn.

Links to other places are not followed: a check that depends on the network says something else every day.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import unquote

from omni.verify.analysis.markdown import Document, Link, read
from omni.verify.analysis.mermaid import problems
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item
from omni.verify.files import File
from omni.verify.report import Severity

NO_FILE = Rule(
    "markdown",
    "broken-link",
    Severity.ERROR,
    why="A reader who follows it finds nothing.",
    fix="Correct the path, or remove the link.",
)
NO_HEADING = Rule(
    "markdown",
    "broken-anchor",
    Severity.WARNING,
    why="A reader who follows it lands at the top of the page.",
    fix="Name the heading as it is now: in lower case, with hyphens for spaces.",
)
OPEN_BLOCK = Rule(
    "markdown",
    "open-code-block",
    Severity.ERROR,
    why="All that follows is shown as code.",
    fix="Close the block with a line of as many ` or ~ as opened it.",
)
DIAGRAM = Rule(
    "markdown",
    "broken-diagram",
    Severity.ERROR,
    why="It is shown as an error instead of a picture.",
    fix="Correct the line; https://mermaid.js.org/intro/ describes the language.",
)
LABEL = re.compile(r"[\w.-]+")
"""In pages for Sphinx (MyST), a target without a folder may be a label of any page, or a name in the code."""
ELSEWHERE = re.compile(r"^([a-z][a-z0-9+.-]*:|//|\{|<|\$)", re.IGNORECASE)


def run(context: Context) -> Iterator[Item]:
    folders = {parent for file in context.inventory.files for parent in _parents(file.path)}
    sphinx = {file.path.removesuffix("conf.py") for file in context.inventory.files if file.path.endswith("conf.py")}
    for file in context.files:
        if file.language != "markdown":
            continue
        text = context.text(file)
        document = read(text)
        myst = any(file.path.startswith(folder) for folder in sphinx)
        for block in document.blocks:
            if not block.closed:
                yield OPEN_BLOCK.at(file.path, block.line, "the code block is never closed")
            elif block.language == "mermaid":
                for line, problem in problems(block.text):
                    at = block.line + line
                    yield DIAGRAM.at(file.path, at, f"the diagram can't be drawn: {problem}")
        for link in document.links:
            if myst and LABEL.fullmatch(link.target):
                continue
            yield from _follow(context, file, document, link, folders)


def _follow(context: Context, file: File, document: Document, link: Link, folders: set[str]) -> Iterator[Item]:
    if ELSEWHERE.match(link.target):
        return
    path, _, anchor = unquote(link.target).partition("#")
    path = path.partition("?")[0]
    target = file
    if path:
        base = "" if path.startswith("/") else posixpath.dirname(file.path)
        full = posixpath.normpath(posixpath.join(base, path.lstrip("/")))
        if full.startswith("..") or full in folders or full == ".":
            return  # a page of the code host, or a folder
        found = context.inventory.by_path.get(full) or _page(context, file, path)
        if found is None:
            if not (context.root / full).exists():  # what git ignores is there for the reader all the same
                yield NO_FILE.at(file.path, link.line, f"`{link.target}` leads nowhere")
            return
        target = found
    if anchor and target.language == "markdown" and not target.problem and not re.match(r"L\d+", anchor):
        anchors = document.anchors if target is file else _anchors(context.text(target))
        if anchor.lower() not in {each.lower() for each in anchors}:
            yield NO_HEADING.at(file.path, link.line, f"there is no heading `#{anchor}`")


def _page(context: Context, file: File, path: str) -> File | None:
    """MkDocs makes `guide.md` the folder `guide/`, and links may lead from there: https://www.mkdocs.org/user-guide/configuration/#use_directory_urls"""
    if not {"mkdocs.yml", "mkdocs.yaml"} & context.inventory.by_path.keys() or posixpath.splitext(path)[1]:
        return None
    full = posixpath.normpath(posixpath.join(file.path.removesuffix(".md"), path.strip("/")))
    return context.inventory.by_path.get(f"{full}.md") or context.inventory.by_path.get(f"{full}/index.md")


@cache
def _anchors(text: str) -> frozenset[str]:
    return read(text).anchors


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


CHECK = Check(
    id="markdown",
    title="Links, code blocks and diagrams in Markdown work",
    tier=1,
    globs=("**",),  # a link leads to any file
    run=run,
)
