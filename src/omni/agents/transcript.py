"""A session as a page that one can read: what was asked, said, done, and what came of it, wrong turns included."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from omni.agents.conversation import arguments, text_of
from omni.agents.limits import spent
from omni.agents.log import Began, Called, Closed, Compacted, Entry, Failed, Line, Replied, Resumed, Told
from omni.models.wire import ChatReply, ToolCall, Usage

LONGEST = 60
"""Lines of a result that are shown; the log has the rest."""
BLOCKS = ("command", "content", "edits", "summary", "question", "instructions")
"""Arguments that are shown as blocks; others stand beside the tool's name."""


def transcript(session: str, lines: Sequence[Line]) -> str:
    """Markdown of the session as far as it is in the log."""
    return "\n".join(_page(session, lines)).rstrip() + "\n"


def cache_hits(usage: Usage) -> float:
    """Share of the prompts' tokens that the server had at hand, 0 to 1; 0 where it does not tell."""
    return usage.cached / usage.prompt if usage.prompt else 0.0


def _page(session: str, lines: Sequence[Line]) -> Iterator[str]:
    used = spent(lines)
    usage = used.usage
    yield f"# Session {session}"
    yield ""
    last = lines[-1].entry if lines else None
    ended = f"ended: {last.ended}" if isinstance(last, Closed) else "not ended"
    yield (
        f"{used.steps} turns, {usage.prompt} tokens asked ({cache_hits(usage):.0%} of them at hand), "
        f"{usage.completion} answered, {used.seconds:.0f} s; {ended}."
    )
    turn, answering = 0, ""
    for line in lines:
        if isinstance(line.entry, Replied | Failed) and line.entry.turn != turn:
            turn = line.entry.turn
            yield from ("", f"## Turn {turn}")
        if isinstance(line.entry, Replied) and answering != (answering := _who(line.entry.reply)):
            yield from ("", f"*{answering}*")
        yield from _entry(line.entry)


def _entry(entry: Entry) -> Iterator[str]:
    match entry:
        case Began():
            for message in entry.opening:
                yield from ("", f"<details><summary>{message.role}</summary>", "", *_block(text_of(message)))
                yield from ("", "</details>")
            yield from ("", f"Tools: {', '.join(tool.name for tool in entry.tools) or 'none'}.")
        case Resumed():
            yield from ("", "*Taken up by another process.*")
        case Replied():
            yield from _reply(entry.reply)
        case Failed():
            yield from ("", f"**No answer:** {entry.why}")
        case Called():
            yield from _called(entry)
        case Told():
            yield from ("", f"**Omni ({entry.reason}):** {entry.text}")
        case Compacted():
            yield from ("", f"*Entries up to {entry.upto} are shown to the model as this digest from here on.*")
            yield from ("", f"*{_digested(entry)}*", "")
            yield from _block(entry.digest)
        case Closed():
            yield from ("", f"## End: {entry.ended}", "", entry.summary)


def _digested(entry: Compacted) -> str:
    """Who wrote a digest, and what it saved."""
    why = f" ({entry.why})" if entry.why else ""
    took = f"; {entry.usage.total} tokens to write it" if entry.usage.total else ""
    return f"By {entry.by}{why}: {entry.before} tokens before, {entry.after} after{took}."


def _who(reply: ChatReply) -> str:
    instead = f", instead of {'; '.join(reply.fallbacks)}" if reply.fallbacks else ""
    return f"{reply.provider}/{reply.model}{instead}"


def _reply(reply: ChatReply) -> Iterator[str]:
    usage = reply.usage
    told = f"{usage.prompt} + {usage.completion} tokens, {cache_hits(usage):.0%} at hand, {reply.seconds:.1f} s"
    yield from ("", f"*{told}*")
    if text := text_of(reply.message).strip():
        yield from ("", *(f"> {line}".rstrip() for line in text.splitlines()))


def _called(called: Called) -> Iterator[str]:
    if called.call.name == "finish" and called.ok:
        return  # its words are the end's
    given = arguments(called.call)
    beside, blocks = _arguments(called.call, given)
    mark = "✓" if called.ok else "✗"
    yield from ("", f"### {mark} {called.call.name}{beside}")
    for block in blocks:
        yield from ("", *_block(block))
    yield from ("", f"Result, {called.seconds:.1f} s:", "", *_block(_shortened(called.text)))


def _arguments(call: ToolCall, given: dict[str, object] | None) -> tuple[str, list[str]]:
    """What stands beside the tool's name, and what gets blocks of its own."""
    if given is None:
        return "", [call.arguments]
    if {"old", "new"} <= given.keys():
        given = {"path": given.get("path"), "edits": [given]}
    short = {name: value for name, value in given.items() if name not in BLOCKS}
    told = {name: value if isinstance(value, str) else json.dumps(value) for name, value in short.items()}
    beside = "".join(f" {name}={value}" for name, value in told.items())
    return beside, [_told(value) for name, value in given.items() if name in BLOCKS]


def _told(value: object) -> str:
    """An argument as one reads it: text as it is, replacements as lines that go and lines that come."""
    if isinstance(value, str):
        return value
    if (
        isinstance(value, list)
        and value
        and all(isinstance(each, dict) and {"old", "new"} <= each.keys() for each in value)
    ):
        return "\n".join(
            f"{sign} {line}"
            for each in value
            for sign, name in (("-", "old"), ("+", "new"))
            for line in str(each[name]).splitlines()
        )
    return json.dumps(value, indent=2, ensure_ascii=False)


def _block(text: str) -> Iterator[str]:
    """Fenced by more backticks than the text has in a row."""
    fence = "```"
    while fence in text:
        fence += "`"
    yield from (fence, *text.splitlines(), fence)


def _shortened(text: str) -> str:
    lines = text.splitlines()
    if len(lines) <= LONGEST:
        return text
    half = LONGEST // 2
    return "\n".join([*lines[:half], f"… {len(lines) - 2 * half} lines …", *lines[-half:]])
