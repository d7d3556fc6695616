"""A session as a page."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from inline_snapshot import snapshot

from omni.agents.log import Began, Called, Closed, Compacted, Entry, Failed, Line, Replied, Resumed, Told
from omni.agents.transcript import LONGEST, cache_hits, transcript
from omni.models.wire import ChatReply, Message, ToolCall, ToolSpec, Usage

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def page(*entries: Entry) -> str:
    return transcript(
        "run/implementation#0", [Line(n, BEGAN + timedelta(seconds=n), e) for n, e in enumerate(entries, 1)]
    )


def replied(turn: int, text: str = "", **about: object) -> Replied:
    reply = ChatReply(
        message=Message(role="assistant", content=text),
        finish="stop",
        usage=Usage(prompt=100, cached=75, completion=10),
        provider="local",
        model="m",
        seconds=1.5,
    )
    return Replied(turn=turn, reply=reply.model_copy(update=about))


def called(turn: int, name: str, given: dict[str, object] | str, text: str, *, ok: bool = True) -> Called:
    arguments = given if isinstance(given, str) else json.dumps(given)
    return Called(turn=turn, call=ToolCall(id="c", name=name, arguments=arguments), text=text, ok=ok, seconds=0.25)


def test_it_reads_from_the_task_to_the_end() -> None:
    opening = (Message(role="system", content="You write code."), Message(role="user", content="Make ``` work."))
    found = page(
        Began(opening=opening, tools=(ToolSpec(name="edit", description="", parameters={}),), snapshot="s"),
        replied(1, "First this.\n\nThen that.", fallbacks=("hosted/big: over its limit",)),
        called(1, "edit", {"path": "a.py", "old": "x = 1\ny = 2", "new": "x = 2"}, "No such text.", ok=False),
        called(1, "read", "not json", "The arguments are no JSON.", ok=False),
        Resumed(),
        Failed(turn=2, why="the stream stalled"),
        Told(turn=2, reason="failure", text="Go on."),
        replied(3),
        Compacted(
            turn=3,
            upto=4,
            digest="## Decisions",
            by="local/m",
            usage=Usage(prompt=700, completion=90),
            before=9000,
            after=2100,
        ),
        called(3, "finish", {"summary": "All done."}, "All done."),
        Closed(turn=3, ended="done", summary="All done."),
    )
    assert found == snapshot("""\
# Session run/implementation#0

3 turns, 900 tokens asked (17% of them at hand), 110 answered, 9 s; ended: done.

<details><summary>system</summary>

```
You write code.
```

</details>

<details><summary>user</summary>

````
Make ``` work.
````

</details>

Tools: edit.

## Turn 1

*local/m, instead of hosted/big: over its limit*

*100 + 10 tokens, 75% at hand, 1.5 s*

> First this.
>
> Then that.

### ✗ edit path=a.py

```
- x = 1
- y = 2
+ x = 2
```

Result, 0.2 s:

```
No such text.
```

### ✗ read

```
not json
```

Result, 0.2 s:

```
The arguments are no JSON.
```

*Taken up by another process.*

## Turn 2

**No answer:** the stream stalled

**Omni (failure):** Go on.

## Turn 3

*local/m*

*100 + 10 tokens, 75% at hand, 1.5 s*

*Entries up to 4 are shown to the model as this digest from here on.*

*By local/m: 9000 tokens before, 2100 after; 790 tokens to write it.*

```
## Decisions
```

## End: done

All done.
""")


def test_a_session_that_goes_on_says_so() -> None:
    assert (
        page(Resumed()).splitlines()[2] == "0 turns, 0 tokens asked (0% of them at hand), 0 answered, 0 s; not ended."
    )


def test_a_long_result_is_shown_by_its_beginning_and_its_end() -> None:
    found = page(replied(1), called(1, "bash", {"command": "seq 100"}, "\n".join(map(str, range(100)))))
    assert "\n29\n… 40 lines …\n70\n" in found
    assert LONGEST == 60


def test_cache_hits_of_a_server_that_does_not_tell_are_none() -> None:
    assert cache_hits(Usage()) == 0.0
    assert cache_hits(Usage(prompt=200, cached=150)) == 0.75
