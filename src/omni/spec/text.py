"""Text to phrases: the request is cut into sentences and phrases that tile it, and phrases into words.

A phrase begins at a separator (comma, bullet, colon …) or at a connecting word ("with", "and", "that" …). Fixed
expressions ("drag and drop", "between 1 and 5") and brackets are never cut. Nothing is lost: every character that is
not white space lies in exactly one phrase.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from omni.spec.grammar import grammar
from omni.spec.words import singular, stem

WORD = re.compile(r"[^\W_]+(?:['\u2019.@/+-][^\W_]+)*%?", re.UNICODE)
BULLET = re.compile(r"^[ \t]*(?:[-*•\u2013\u2014·▪◦]|\d{1,2}[.)]|[a-z]\))[ \t]+", re.MULTILINE)
SENTENCE_END = re.compile(r"[.!?…]+[\"')\]]*(?=\s|$)")
SEPARATOR = re.compile(r"[,;:]+(?=\s|$)|\s[-\u2013\u2014]+\s|[()\[\]]")
ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|approx|no|max|min|incl|mr|mrs|dr)|\b[a-z])\.$", re.IGNORECASE)


LONGEST = 120
"""Characters of a phrase. Longer ones say too much at once, and the time to read one must be bounded."""


@dataclass(frozen=True)
class Token:
    text: str
    """Lower case."""
    start: int
    end: int
    noun: str
    """Singular."""
    stem: str


@dataclass(frozen=True)
class Phrase:
    sentence: int
    start: int
    end: int
    text: str
    lead: str
    """The connecting word it opens with, or `""` at the start of a sentence, or `,`."""
    tokens: tuple[Token, ...]
    """Without the lead."""


def tokenize(text: str, offset: int = 0) -> tuple[Token, ...]:
    """Words of a text with their places (plus `offset`)."""
    typos = grammar().typos
    found = []
    for match in WORD.finditer(text):
        word = match.group().lower().replace("\u2019", "'")
        word = typos.get(word, word)
        found.append(Token(word, match.start() + offset, match.end() + offset, singular(word), stem(word)))
    return tuple(found)


def phrases(text: str) -> tuple[Phrase, ...]:
    """The phrases of a request, in order."""
    found: list[Phrase] = []
    for number, (start, end) in enumerate(sentences(text), 1):
        for first, last in _cut(text, start, end):
            found.append(_phrase(text, number, first, last, first == start))
    return tuple(found)


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans that tile the text: full stops, blank lines, bullets and short lines end a sentence."""
    cuts = {0, len(text)}
    for match in SENTENCE_END.finditer(text):
        if not (match.group() == "." and ABBREVIATION.search(text[max(0, match.start() - 7) : match.end()])):
            cuts.add(match.end())
    cuts.update(match.start() for match in BULLET.finditer(text))
    position = 0
    for line in text.splitlines(keepends=True):
        position += len(line)
        if len(line.strip()) < 60:
            cuts.add(position)
    return _tile(text, sorted(cuts))


def _tile(text: str, cuts: list[int]) -> list[tuple[int, int]]:
    """Spans between cuts, trimmed; a span without a word joins the one before it (or after, at the start)."""
    spans: list[list[int]] = []
    for first, last in pairwise(cuts):
        piece = text[first:last]
        if not piece.strip():
            continue
        start, end = first + len(piece) - len(piece.lstrip()), last - (len(piece) - len(piece.rstrip()))
        if spans and (not WORD.search(piece) or not WORD.search(text[spans[-1][0] : spans[-1][1]])):
            spans[-1][1] = end
        else:
            spans.append([start, end])
    return [(start, end) for start, end in spans]


def _cut(text: str, start: int, end: int) -> list[tuple[int, int]]:
    sentence = text[start:end]
    lower = sentence.lower()
    safe = [match.span() for match in grammar().fixed.finditer(lower)]
    cuts = {start, end}
    depth = 0
    for match in SEPARATOR.finditer(sentence):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(match.group(), 0)
        if depth == 0 and match.group() not in "()[]" and not _within(match.start(), safe):
            cuts.add(start + match.end())
    safe += [match.span() for match in re.finditer(r"\([^()]*\)", sentence)]
    for match in grammar().connectors.finditer(lower):
        if not _within(match.start(), safe):
            cuts.add(start + match.start())
    for begin, stop in _tile(text, sorted(cuts)):
        cuts.update(_breaks(text, begin, stop))
    return _tile_phrases(text, sorted(cuts))


def _breaks(text: str, start: int, end: int) -> list[int]:
    """Where a phrase of more than LONGEST characters is broken: at a space if there is one."""
    found = []
    while end - start > LONGEST:
        space = text.rfind(" ", start + 1, start + LONGEST)
        start = space if space > start else start + LONGEST
        found.append(start)
    return found


def _within(position: int, spans: list[tuple[int, int]]) -> bool:
    return any(first < position < last for first, last in spans)


def _tile_phrases(text: str, cuts: list[int]) -> list[tuple[int, int]]:
    """As `_tile`, but a phrase of connecting words alone joins the phrase after it (", and then | archive it")."""
    spans: list[tuple[int, int]] = []
    begun: int | None = None
    for start, end in _tile(text, cuts):
        begun = start if begun is None else begun
        if not _bare(tuple(token.text for token in tokenize(text[start:end]))):
            spans.append((begun, end))
            begun = None
    if begun is not None:
        spans.append((spans.pop()[0] if spans else begun, cuts[-1]))
    return spans


def _bare(said: tuple[str, ...]) -> bool:
    """Only connecting words, or adjectives of what follows ("a simple, beautiful and fast …")."""
    held = grammar()
    if all(word in held.connecting for word in said):
        return True
    return any(word in held.fluff for word in said) and all(
        word in held.fluff | held.stop | held.build for word in said
    )


def _phrase(text: str, sentence: int, start: int, end: int, first: bool) -> Phrase:
    tokens = tokenize(text[start:end], start)
    lead: list[str] = []
    while tokens and tokens[0].text in grammar().connecting and len(tokens) > 1:
        lead.append(tokens[0].text)
        tokens = tokens[1:]
    strong = [word for word in lead if word not in ("and", "also", "then", "plus", "so")]
    return Phrase(sentence, start, end, text[start:end], (strong or lead or [("" if first else ",")])[0], tokens)
