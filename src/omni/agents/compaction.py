"""When the window fills, older turns make way for a digest of them. It needs no model, and the log keeps everything.

The digest is computed from the log each time, never from the digest before it: nothing wears off by being retold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from omni.agents.conversation import arguments, messages, newest_digest, text_of
from omni.agents.log import Began, Called, Compacted, Line, Replied

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


def compact(lines: Sequence[Line], window: int, turn: int) -> Compacted | None:
    """The digest to go on with, when the window is full and something can make way; otherwise None."""
    if size(lines) < FULL * window:
        return None
    before = newest_digest(lines)
    starts = [line.number for line in lines if isinstance(line.entry, Replied)]
    kept = [number for number in starts if _length(_after(lines, number - 1)) <= KEPT * window * CHARACTERS]
    upto = (min(kept) if kept else max(starts, default=1)) - 1
    if upto <= (before.upto if before else 1):
        return None
    return Compacted(turn=turn, upto=upto, digest=digest([line for line in lines if line.number <= upto], window))


def digest(lines: Sequence[Line], window: int) -> str:
    """What must not be forgotten of these turns, in an eighth of the window: decisions, structure, errors, tests."""
    room = window * CHARACTERS // 8
    sections = (
        ("What you decided", list(_decisions(lines)), 0.35),
        ("Files you worked on", _files(lines), 0.15),
        ("Errors you met", list(_errors(lines)), 0.25),
        ("Test results", list(_tests(lines)), 0.25),
    )
    told = ["The turns before this one, summed up from the log. The files are as you left them; read what you need."]
    for title, items, share in sections:
        if items:
            told += ["", f"## {title}", *_newest(items, int(room * share))]
    return "\n".join(told)


def _after(lines: Sequence[Line], number: int) -> list[Line]:
    return [line for line in lines if line.number > number and not isinstance(line.entry, Began | Compacted)]


def _length(lines: Sequence[Line]) -> int:
    said = messages(lines)
    calls = sum(len(call.name) + len(call.arguments) for message in said for call in message.tool_calls)
    return calls + sum(len(text_of(message)) for message in said)


def _decisions(lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        if isinstance(line.entry, Replied) and (text := text_of(line.entry.reply.message).strip()):
            yield f"- turn {line.entry.turn}: {_short(text, 300)}"


def _files(lines: Sequence[Line]) -> list[str]:
    """What was done to each path that a call names, in the order of the newest call."""
    done: dict[str, dict[str, int]] = {}
    for line in lines:
        if isinstance(line.entry, Called) and line.entry.ok:
            path = (arguments(line.entry.call) or {}).get("path")
            if isinstance(path, str):
                counts = done.pop(path, {})
                done[path] = counts | {line.entry.call.name: counts.get(line.entry.call.name, 0) + 1}
    return [
        f"- {path}: {', '.join(f'{tool} {n} times' for tool, n in counts.items())}" for path, counts in done.items()
    ]


def _errors(lines: Sequence[Line]) -> Iterator[str]:
    seen: set[str] = set()
    for line in lines:
        if isinstance(line.entry, Called) and not line.entry.ok and line.entry.text not in seen:
            seen.add(line.entry.text)
            yield f"- turn {line.entry.turn}, {_named(line.entry)}: {_short(line.entry.text, 300)}"


def _tests(lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        if isinstance(line.entry, Called) and line.entry.call.name in {"bash", "verify"}:
            told = [text for text in line.entry.text.splitlines() if any(word in text.lower() for word in TESTS)]
            if told:
                yield f"- turn {line.entry.turn}, {_named(line.entry)}: {_short(' / '.join(told[-3:]), 300)}"


def _named(called: Called) -> str:
    given = arguments(called.call) or {}
    about = given.get("path") or given.get("command") or ""
    return f"{called.call.name} {_short(about if isinstance(about, str) else json.dumps(about), 80)}".strip()


def _newest(items: list[str], room: int) -> list[str]:
    """The newest items that fit, oldest first, and how many do not."""
    kept: list[str] = []
    for item in reversed(items):
        room -= len(item) + 1
        if room < 0:
            break
        kept.append(item)
    left = len(items) - len(kept)
    return [*([f"- ({left} earlier ones are left out)"] if left else []), *reversed(kept)]


def _short(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length // 2]} … {line[-length // 2 :]}"
