"""Mermaid diagrams, as far as their form can be judged without drawing them: kind, brackets, blocks, arrows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import dropwhile

KINDS = re.compile(
    r"(graph|flowchart|flowchart-elk)\s+(TB|TD|BT|RL|LR)\b|sequenceDiagram|classDiagram(-v2)?|stateDiagram(-v2)?|"
    r"erDiagram|journey|gantt|pie|quadrantChart|requirementDiagram|gitGraph|mindmap|timeline|zenuml|sankey-beta|"
    r"xychart-beta|block-beta|packet-beta|kanban|architecture-beta|C4(Context|Container|Component|Dynamic|Deployment)|"
    r"(graph|flowchart)\s*$"
)
PAIRS = {"(": ")", "[": "]", "{": "}"}
OPENERS = {
    "sequenceDiagram": re.compile(r"(loop|alt|opt|par|critical|break|rect|box)\b"),
    "flowchart": re.compile(r"subgraph\b"),
    "graph": re.compile(r"subgraph\b"),
}
FLOWCHARTS = {"graph", "flowchart", "flowchart-elk"}
MESSAGE = re.compile(r".{1,200}?(-->>|->>|-->|->|--x|-x|--\)|-\)|<<->>|<<-->>)[+-]?\s*\S")
SEQUENCE_WORDS = re.compile(
    r"(participant|actor|create|destroy|note|loop|alt|else|opt|par|and|critical|option|break|rect|box|end|activate|"
    r"deactivate|autonumber|title|links?|properties|accTitle|accDescr)\b",
    re.IGNORECASE,
)


OPTION = re.compile(r":[\w-]+:(\s|$)")


def problems(text: str) -> Iterator[tuple[int, str]]:
    """(line from 1, what is wrong) of a diagram."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    content = [(number, line) for number, line in _without_front_matter(lines) if line and not line.startswith("%%")]
    if not content:
        yield 1, "the diagram is empty"
        return
    number, first = content[0]
    kind = KINDS.match(first)
    if kind is None:
        yield number, f"“{first[:40]}” is no kind of diagram"
        return
    name = first.split()[0]
    yield from _brackets(content, name)
    yield from _blocks(content[1:], name)
    if name == "sequenceDiagram":
        for at, line in content[1:]:
            if not SEQUENCE_WORDS.match(line) and not MESSAGE.match(line):
                yield at, f"“{line[:40]}” is neither a message nor a keyword of a sequence diagram"


def _without_front_matter(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Nor the options of MyST's directive (`:align: center`), which stand before the diagram."""
    lines = list(dropwhile(lambda line: OPTION.match(line[1]), lines))
    start = next((index for index, (_, line) in enumerate(lines) if line), 0)
    if lines and lines[start][1] == "---":
        end = next((index for index in range(start + 1, len(lines)) if lines[index][1] == "---"), len(lines) - 1)
        return lines[end + 1 :]
    return lines


def _brackets(content: list[tuple[int, str]], kind: str) -> Iterator[tuple[int, str]]:
    """Each line closes what it opens; only `{` of classes, entities and C4 boundaries, and the text of a node of a
    flowchart, span lines.
    """
    opened: list[tuple[int, str]] = []
    """(line, what closes it), the innermost last."""
    for number, line in content:
        bare = re.sub(r'"[^"]*"' if kind in FLOWCHARTS else r'"[^"]*"|:.*$', "", line)
        bare = re.sub(r"[|}o]{1,2}(--|\.\.)[|{o]{1,2}", "", bare)  # cardinalities of entity diagrams
        bare = re.sub(r"--?[)x]|>\w*\]", "", bare)
        before = len(opened)
        for sign in bare:
            if sign in PAIRS:
                opened.append((number, PAIRS[sign]))
            elif sign in PAIRS.values():
                if opened and opened[-1][1] == sign:
                    opened.pop()
                elif sign not in "/\\":
                    yield number, f"“{sign}” closes nothing"
                    del opened[before:]
                    break
        mine = [sign for at, sign in opened if at == number]
        if mine not in ([], ["}"]) and kind not in FLOWCHARTS:
            yield number, f"“{mine[-1]}” is missing"
            opened = [(at, sign) for at, sign in opened if at != number]
    for number, sign in opened:
        yield number, f"“{sign}” is missing"


def _blocks(content: list[tuple[int, str]], kind: str) -> Iterator[tuple[int, str]]:
    opener = OPENERS.get(kind)
    if opener is None:
        return
    opened: list[tuple[int, str]] = []
    for number, line in content:
        if opener.match(line):
            opened.append((number, line.split()[0]))
        elif re.fullmatch(r"end\b.*", line) and not opened:
            yield number, "`end` closes nothing"
        elif re.fullmatch(r"end\b.*", line):
            opened.pop()
    for number, word in opened:
        yield number, f"`{word}` has no `end`"
