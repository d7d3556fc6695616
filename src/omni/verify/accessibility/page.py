"""What a page as a whole needs: a language, a title, landmarks, a way past the menu, headings in order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni.verify.accessibility.elements import FOCUSABLE, Fault
from omni.verify.analysis.markup import DYNAMIC, Element


def page(root: Element, source: str) -> Iterator[Fault]:
    everything = list(root.all())
    html = next((each for each in everything if each.name == "html"), None)
    if html is not None and not html.spread and not (html.get("lang") or "").strip():
        yield "html-lang", html.line, "<html> does not say its language"
    head = next((each for each in everything if each.name == "head"), None)
    inside = list(head.all()) if head is not None else []
    filled = re.search(r"\{%-?\s*(block|include|extends)[^%]*(title|head|meta)", source)
    titled = filled is not None or any(each.name == "title" and each.text for each in inside)
    if head is not None and html is not None and not titled:
        yield "page-title", head.line, "the page has no title"
    for each in everything:
        content = (each.get("content") or "").replace(" ", "") if each.name == "meta" else ""
        if re.search(r"user-scalable=(no|0)|maximum-scale=(1(\.0*)?|0)(,|$)", content):
            yield "viewport", each.line, "the page can't be zoomed"
    yield from _headings(everything)
    yield from _tables(everything)
    body = next((each for each in everything if each.name == "body"), None)
    if body is not None and html is not None:
        yield from _landmarks(body, source)


def _headings(everything: list[Element]) -> Iterator[Fault]:
    last = 0
    for each in everything:
        if found := re.fullmatch(r"h([1-6])", each.name):
            level = int(found[1])
            if last and level > last + 1:
                yield "heading-order", each.line, f"<h{level}> follows <h{last}>: a level is left out"
            last = level


def _tables(everything: list[Element]) -> Iterator[Fault]:
    for each in everything:
        if each.name == "table" and each.get("role") not in {"presentation", "none", "grid"} and not each.spread:
            inside = list(each.all())
            cells = [inner for inner in inside if inner.name == "td"]
            if len(cells) > 1 and not any(inner.name == "th" or not inner.name[:1].islower() for inner in inside):
                yield "table-headers", each.line, "<table> has no <th>"


def _landmarks(body: Element, source: str) -> Iterator[Fault]:
    inside = list(body.all())
    mains = [each for each in inside if each.name == "main" or each.get("role") == "main"]
    filled = re.search(r"\{%-?\s*(block|include)|<slot|<div[^>]+id=[\"'](root|app)[\"']", source)
    if not mains and not filled:
        yield "landmark", body.line, "the page has no <main>"
    first = next((each for each in inside if _takes_focus(each)), None)
    menu = any(each.name == "nav" or each.get("role") == "navigation" for each in inside)
    if first is None or not menu or any(around.name == "main" for around in first.around()):
        return
    if first.name != "a" or not re.match(rf"[#{DYNAMIC}]", first.get("href") or ""):
        yield "skip-link", first.line, "the first thing that takes the focus is no link past the menu"


def _takes_focus(element: Element) -> bool:
    if element.get("tabindex") == "-1" or element.get("type") == "hidden" or "disabled" in element.attributes:
        return False
    if element.name == "a":
        return element.get("href") is not None
    return element.name in FOCUSABLE or element.get("tabindex") == "0"
