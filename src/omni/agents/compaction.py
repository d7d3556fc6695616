"""When the window fills, older turns make way for a digest of them. The log keeps everything.

The digest is made from the log each time, never from the digest before it: nothing wears off by being retold. The one
made by rule needs no model; `summary` has one write it, and falls back on the rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from omni.agents.conversation import arguments, messages, newest_digest, text_of
from omni.agents.delegation import DELEGATE
from omni.agents.log import Began, Called, Compacted, Line, Replied
from omni.models.wire import Model, Usage

FULL = 0.75
"""Share of the window at which it is done."""
KEPT = 0.3
"""Share of the window for the newest turns, which stay as they are."""
CHARACTERS = 4
"""Of a token, roughly (thresholds D3B.1)."""
TESTS = ("passed", "failed", "error", "assert")


def size(lines: Sequence[Line]) -> int:
    """Tokens of the next request: as the server counted the last one and what came since, or as characters tell."""
    began = next((line.entry for line in lines if isinstance(line.entry, Began)), None)
    tools = sum(len(tool.model_dump_json()) for tool in began.tools) if began else 0
    guessed = (_length(lines) + tools) // CHARACTERS
    newest = max((line.number for line in lines if isinstance(line.entry, Replied | Compacted)), default=0)
    last = next((line.entry for line in lines if line.number == newest), None)
    if not isinstance(last, Replied):
        return guessed
    since = _length([line for line in lines if line.number > newest and not isinstance(line.entry, Began)])
    return max(guessed, last.reply.usage.total + since // CHARACTERS)


@dataclass(frozen=True)
class Note:
    """Something of older turns that is worth knowing."""

    id: str
    """Its kind (D decision, E error, T tests) and its line in the log, as `E14`; of a file its path."""
    text: str


@dataclass(frozen=True)
class Section:
    title: str
    notes: list[Note]
    """Oldest first."""
    left: int = 0
    """Older ones that there was no room for."""


class Digest(Model):
    """What stands for older turns."""

    text: str
    by: str = "rule"
    """Or the model that wrote it, as `provider/model`."""
    why: str = ""
    """Why a model's was not taken."""
    usage: Usage = Usage()
    """Of the model that was asked, whether or not its words were taken."""
    cost: float = 0.0


def by_rule(lines: Sequence[Line], window: int) -> Digest:
    return Digest(text=digest(lines, window))


def compact(
    lines: Sequence[Line], window: int, turn: int, tell: Callable[[Sequence[Line], int], Digest] = by_rule
) -> Compacted | None:
    """The digest to go on with, when the window is full and something can make way; otherwise None."""
    if (full := size(lines)) < FULL * window:
        return None
    before = newest_digest(lines)
    starts = [line.number for line in lines if isinstance(line.entry, Replied)]
    kept = [number for number in starts if _length(_after(lines, number - 1)) <= KEPT * window * CHARACTERS]
    upto = (min(kept) if kept else max(starts, default=1)) - 1
    if upto <= (before.upto if before else 1):
        return None
    told = tell([line for line in lines if line.number <= upto], window)
    made = Compacted(
        turn=turn,
        upto=upto,
        digest=told.text,
        by=told.by,
        why=told.why,
        usage=told.usage,
        cost=told.cost,
        before=full,
    )
    after = size([*lines, Line(lines[-1].number + 1, lines[-1].at, made)])
    return made.model_copy(update={"after": after})


def digest(lines: Sequence[Line], window: int) -> str:
    """What must not be forgotten of these turns, in an eighth of the window: decisions, structure, errors, tests."""
    told = ["The turns before this one, summed up from the log. The files are as you left them; read what you need."]
    for section in sections(lines, room(window)):
        left = [f"- ({section.left} earlier ones are left out)"] if section.left else []
        told += ["", f"## {section.title}", *left, *(f"- {note.text}" for note in section.notes)]
    return "\n".join(told)


def room(window: int) -> int:
    """Characters of a digest."""
    return window * CHARACTERS // 8


def sections(lines: Sequence[Line], room: int) -> list[Section]:
    """The newest notes of each kind that fit into so many characters."""
    found = (
        ("What you decided", list(_decisions(lines)), 0.35),
        ("Files you worked on", _files(lines), 0.15),
        ("Errors you met", list(_errors(lines)), 0.25),
        ("Test results", list(_tests(lines)), 0.25),
    )
    return [_newest(title, notes, int(room * share)) for title, notes, share in found if notes]


def _after(lines: Sequence[Line], number: int) -> list[Line]:
    return [line for line in lines if line.number > number and not isinstance(line.entry, Began | Compacted)]


def _length(lines: Sequence[Line]) -> int:
    said = messages(lines)
    calls = sum(len(call.name) + len(call.arguments) for message in said for call in message.tool_calls)
    return calls + sum(len(text_of(message)) for message in said)


def _decisions(lines: Sequence[Line]) -> Iterator[Note]:
    for line in lines:
        if isinstance(line.entry, Replied) and (text := text_of(line.entry.reply.message).strip()):
            yield Note(f"D{line.number}", f"turn {line.entry.turn}: {_short(text, 300)}")
        if isinstance(line.entry, Called) and line.entry.ok and line.entry.call.name == DELEGATE.name:
            told = f"turn {line.entry.turn}, a part done by a colleague: {_short(line.entry.text, 600)}"
            yield Note(f"D{line.number}", told)


def _files(lines: Sequence[Line]) -> list[Note]:
    """What was done to each path that a call names, in the order of the newest call."""
    done: dict[str, dict[str, int]] = {}
    for line in lines:
        if isinstance(line.entry, Called) and line.entry.ok:
            path = (arguments(line.entry.call) or {}).get("path")
            if isinstance(path, str):
                counts = done.pop(path, {})
                done[path] = counts | {line.entry.call.name: counts.get(line.entry.call.name, 0) + 1}
    return [
        Note(path, f"{path}: {', '.join(f'{tool} {n} times' for tool, n in counts.items())}")
        for path, counts in done.items()
    ]


def _errors(lines: Sequence[Line]) -> Iterator[Note]:
    seen: set[str] = set()
    for line in lines:
        if isinstance(line.entry, Called) and not line.entry.ok and line.entry.text not in seen:
            seen.add(line.entry.text)
            told = f"turn {line.entry.turn}, {_named(line.entry)}: {_short(line.entry.text, 300)}"
            yield Note(f"E{line.number}", told)


def _tests(lines: Sequence[Line]) -> Iterator[Note]:
    for line in lines:
        if isinstance(line.entry, Called) and line.entry.call.name in {"bash", "verify"}:
            told = [text for text in line.entry.text.splitlines() if any(word in text.lower() for word in TESTS)]
            if told:
                said = _short(" / ".join(told[-3:]), 300)
                yield Note(f"T{line.number}", f"turn {line.entry.turn}, {_named(line.entry)}: {said}")


def _named(called: Called) -> str:
    given = arguments(called.call) or {}
    about = given.get("path") or given.get("command") or ""
    return f"{called.call.name} {_short(about if isinstance(about, str) else json.dumps(about), 80)}".strip()


def _newest(title: str, notes: list[Note], room: int) -> Section:
    """The newest notes that fit, oldest first, and how many do not."""
    kept: list[Note] = []
    for note in reversed(notes):
        room -= len(note.text) + 3
        if room < 0:
            break
        kept.append(note)
    return Section(title, kept[::-1], len(notes) - len(kept))


def _short(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length // 2]} … {line[-length // 2 :]}"
