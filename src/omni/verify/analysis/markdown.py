"""Reading Markdown as far as checks need it: headings, links, fenced blocks, words. CommonMark, without HTML blocks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(r"^ {0,3}(?P<mark>`{3,}|~{3,})\s*(?P<info>[^`]*)$")
HEADING = re.compile(r"^ {0,3}(?P<level>#{1,6})\s+(?P<title>.+?)\s*#*\s*$")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]{0,200}\]){0,500}\]\(\s*<?(?P<target>[^)\s>]+)>?(?:\s+[\"'(][^)]*)?\)")
REFERENCE = re.compile(r"^ {0,3}\[(?P<name>[^\]^]+)\]:\s*<?(?P<target>\S+?)>?(?:\s|$)")
HTML_ANCHOR = re.compile(r"<(?:a|h\d|div|span|p)\b[^>]*\b(?:id|name)=[\"'](?P<id>[^\"']+)")


@dataclass(frozen=True)
class Heading:
    line: int
    level: int
    title: str


@dataclass(frozen=True)
class Link:
    line: int
    target: str


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    line: int
    """Of the opening fence."""
    language: str
    text: str
    closed: bool


@dataclass(frozen=True)
class Document:
    headings: tuple[Heading, ...]
    links: tuple[Link, ...]
    blocks: tuple[Block, ...]
    anchors: frozenset[str]
    words: int
    """Of the prose, headings and tables; code is not counted."""


def read(text: str) -> Document:
    headings, links, blocks, prose = [], [], [], []
    lines = list(enumerate(text.splitlines(), 1))
    at = 0
    while at < len(lines):
        number, line = lines[at]
        fence = FENCE.match(line)
        if fence:
            block, at = _block(lines, at, fence)
            blocks.append(block)
            continue
        heading = HEADING.match(line)
        if heading:
            headings.append(Heading(number, len(heading["level"]), heading["title"]))
        elif re.match(r"^(=+|-+)\s*$", line) and at and lines[at - 1][1].strip() and not heading:
            headings.append(Heading(number - 1, 1 if line[0] == "=" else 2, lines[at - 1][1].strip()))
        plain = re.sub(r"`[^`]*`", lambda code: " " * len(code[0]), line)
        links += [Link(number, found["target"]) for found in LINK.finditer(plain)]
        reference = REFERENCE.match(plain)
        if reference:
            links.append(Link(number, reference["target"]))
        prose.append(line)
        at += 1
    anchors = frozenset(_anchors(headings)) | {found["id"] for found in HTML_ANCHOR.finditer(text)}
    words = len(re.findall(r"[^\W_]+(?:['.\u2019-][^\W_]+)*", " ".join(prose)))
    return Document(tuple(headings), tuple(links), tuple(blocks), anchors, words)


def _block(lines: list[tuple[int, str]], at: int, fence: re.Match[str]) -> tuple[Block, int]:
    """The block that opens at `at`, and where the text goes on."""
    body: list[str] = []
    mark = fence["mark"]
    language = (fence["info"].split() or [""])[0].strip("{}").lower()
    for end in range(at + 1, len(lines)):
        closing = lines[end][1].strip()
        if closing.startswith(mark) and not closing.strip(mark[0]):
            return Block(lines[at][0], language, "\n".join(body), closed=True), end + 1
        body.append(lines[end][1])
    return Block(lines[at][0], language, "\n".join(body), closed=False), len(lines)


def _anchors(headings: list[Heading]) -> Iterator[str]:
    """As code hosts make them: lower case, spaces to hyphens, other signs gone, a number when taken."""
    seen: Counter[str] = Counter()
    for heading in headings:
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.title)
        slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        yield f"{slug}-{seen[slug]}" if seen[slug] else slug
        seen[slug] += 1
