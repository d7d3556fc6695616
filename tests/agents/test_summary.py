"""A model's own words for older turns: taken when nothing that must stay is missing, else the rule's."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from inline_snapshot import snapshot
from tests.agents.test_compaction import STORY, lines

from omni.agents.compaction import Digest, compact, digest
from omni.agents.limits import spent
from omni.agents.summary import Summary, by_model
from omni.kernel.errors import OmniError
from omni.models.errors import NO_ANSWER
from omni.models.wire import Attribution, ChatReply, ChatRequest, Message, Usage, Want

GOOD: dict[str, object] = {
    "decisions": [{"of": ["D2", "D6"], "text": "The parser comes first; its box is mended."}],
    "errors": [{"of": ["E5", "E9"], "text": "One test fails."}],
    "tests": [{"of": ["T9"], "text": "2 of 3 pass."}],
    "structure": [{"path": "src/parser.py", "text": "The parser, as a class."}],
    "open_work": ["Make the third test pass."],
}


def summed(*answers: str | OmniError) -> tuple[Digest, list[ChatRequest]]:
    """What comes of the story when a model answers so."""
    asked: list[ChatRequest] = []

    def chat(
        request: ChatRequest,
        want: Want,
        attribution: Attribution,
        on_text: Callable[[str], None] | None = None,
    ) -> ChatReply:
        assert not want.tools
        assert attribution.call.startswith("run/implementation#0:5:summary@1")
        asked.append(request)
        answer = answers[len(asked) - 1]
        if isinstance(answer, OmniError):
            raise answer
        message = Message(role="assistant", content=answer)
        usage = Usage(prompt=700, completion=90)
        return ChatReply(message=message, finish="stop", usage=usage, provider="local", model="m")

    attribution = Attribution(call="run/implementation#0:5:summary@1")
    tell = by_model(chat, Want(tools=True), attribution, idle=20, cost=lambda _: 0.5)
    return tell(lines(*STORY), 8000), asked


def test_its_words_are_taken_when_nothing_is_missing() -> None:
    told, (request,) = summed(json.dumps(GOOD))
    assert (told.by, told.why, told.usage.total, told.cost) == ("local/m", "", 790, 0.5)
    assert told.text == snapshot("""\
The turns before this one, summed up from the log. The files are as you left them; read what you need.

## What you decided
- The parser comes first; its box is mended. (D2, D6)

## Files you worked on
- src/parser.py: The parser, as a class.

## Errors you met
- One test fails. (E5, E9)

## Test results
- 2 of 3 pass. (T9)

## Open work
- Make the third test pass.\
""")
    question = str(request.messages[1].content)
    assert "E5 | turn 2, edit src/parser.py: No text like this: def parse(" in question
    assert "x" * 100 not in question
    assert request.reply_schema == Summary.model_json_schema()


def without(*ids: str) -> str:
    """The good answer without some notes."""
    kept = {
        name: [
            each
            for each in entries
            if not isinstance(each, dict) or not {*each.get("of", ()), each.get("path")} & {*ids}
        ]
        for name, entries in GOOD.items()
        if isinstance(entries, list)
    }
    return json.dumps(kept)


def more(**fields: object) -> str:
    return json.dumps({**GOOD, **fields})


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (without("E5"), "it leaves out E5, E9."),
        (without("D2"), "it leaves out D2, D6."),
        (without("src/parser.py"), "it leaves out src/parser.py."),
        (more(tests=[{"of": ["T9", "T77"], "text": "All pass."}]), "there is no note T77."),
        (more(open_work=["x" * 5000]), "characters too long."),
        (more(verdict="fine"), "verdict: Extra inputs are not permitted"),
        ("It went well.", "there is no JSON object in it."),
    ],
)
def test_what_is_not_sure_is_sent_back_once_and_then_left(answer: str, why: str) -> None:
    told, asked = summed(answer, answer)
    assert (told.by, told.text, told.usage.total, told.cost) == ("rule", digest(lines(*STORY), 8000), 1580, 1.0)
    assert told.why.endswith(why)
    assert why in str(asked[1].messages[-1].content)
    assert summed(answer, json.dumps(GOOD))[0].by == "local/m"


def test_nobody_to_ask_is_no_reason_to_stop() -> None:
    told, _ = summed(OmniError(NO_ANSWER, "nobody is there"))
    assert (told.by, told.text, told.usage.total) == ("rule", digest(lines(*STORY), 8000), 0)
    assert told.why.endswith("nobody is there")


def test_what_it_took_and_what_it_saved_is_in_the_log() -> None:
    made = compact(
        lines(*STORY), 3000, 5, lambda _lines, _window: Digest(text="short", by="local/m", usage=USED, cost=2)
    )
    assert made is not None
    assert (made.by, made.usage, made.before > made.after > 0) == ("local/m", USED, True)
    used = spent(lines(*STORY, made))
    assert (used.usage.total, used.cost, used.steps) == (USED.total, 2, 5)


USED = Usage(prompt=400, cached=100, completion=60)
