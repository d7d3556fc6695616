from __future__ import annotations

import threading

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from omni.kernel import clock
from omni.kernel.tables import cached_replies
from omni.models.cache import KEEP, Counts, SemanticCache, alike, scope_of
from omni.models.embedding import MANNERS, HashedWords, cosine, hashed
from omni.models.wire import Attribution, ChatReply, ChatRequest, Message, ToolSpec, Usage

HERE = Attribution(project="shop", prompt="P2.1@3", run="r1")
HAIKU = "Please write a haiku about the sea."


def request(text: str, system: str = "You help.", **more: object) -> ChatRequest:
    messages = (Message(role="system", content=system), Message(role="user", content=text))
    return ChatRequest.model_validate({"messages": messages, **more})


def reply(text: str = "Waves fold on themselves.", model: str = "qwen3-8b", **more: object) -> ChatReply:
    message = Message(role="assistant", content=text)
    usage = Usage(prompt=30, completion=12)
    facts: dict[str, object] = {
        "message": message,
        "finish": "stop",
        "usage": usage,
        "provider": "local",
        "model": model,
    }
    return ChatReply.model_validate(facts | more)


def test_the_same_question_and_a_reworded_one_hit_and_another_misses(engine: Engine) -> None:
    cache = SemanticCache(engine)
    assert cache.look_up(request(HAIKU), "qwen3-8b", HERE) is None
    cache.keep(request(HAIKU), reply(), HERE, price=0.002)
    same = cache.look_up(request(HAIKU), "qwen3-8b", HERE)
    reworded = cache.look_up(request("Could you write me a haiku about the sea?!"), "qwen3-8b", HERE)
    assert cache.look_up(request("Write a haiku about the moon."), "qwen3-8b", HERE) is None
    assert same is not None
    assert (same.reply.cached, same.reply.usage, same.similar_to, same.saved.total) == (True, Usage(), "", 42)
    assert reworded is None, "a question mark asks whether it could"
    reworded = cache.look_up(request("Hello, would you kindly write a haiku about the sea!"), "qwen3-8b", HERE)
    assert reworded is not None
    assert (reworded.similar_to, reworded.reply.message.content) == (HAIKU, "Waves fold on themselves.")
    found = cache.counts(project="shop")
    assert found == Counts(exact=1, similar=1, missed=3, tokens_saved=84, price_saved=0.004)
    assert (found.rate, cache.counts(project="other").rate) == (0.4, 0.0)


OTHERS = {
    "model": (request(HAIKU), "gpt-oss-20b", HERE),
    "project": (request(HAIKU), "qwen3-8b", HERE.model_copy(update={"project": "bank"})),
    "no project": (request(HAIKU), "qwen3-8b", HERE.model_copy(update={"project": ""})),
    "prompt": (request(HAIKU), "qwen3-8b", HERE.model_copy(update={"prompt": "P2.1@4"})),
    "system": (request(HAIKU, system="You are a pirate."), "qwen3-8b", HERE),
    "tools": (request(HAIKU, tools=(ToolSpec(name="add", description="", parameters={}),)), "qwen3-8b", HERE),
    "schema": (request(HAIKU, reply_schema={"type": "object"}), "qwen3-8b", HERE),
    "variety": (request(HAIKU, temperature=0.7), "qwen3-8b", HERE),
    "length": (request(HAIKU, max_tokens=5), "qwen3-8b", HERE),
    "seed": (request(HAIKU, seed=4), "qwen3-8b", HERE),
}


def test_never_across_what_may_change_the_answer(engine: Engine) -> None:
    cache = SemanticCache(engine)
    cache.keep(request(HAIKU), reply(), HERE)
    hits = [name for name, (asked, model, place) in OTHERS.items() if cache.look_up(asked, model, place)]
    assert hits == []
    assert cache.look_up(request(HAIKU), "qwen3-8b", HERE) is not None


WORDS = st.text("abcde ", max_size=6)
SCOPES = st.tuples(WORDS, WORDS, WORDS, st.lists(WORDS, max_size=2, unique=True), WORDS)


@given(SCOPES, SCOPES)
def test_a_scope_is_one_model_prompt_project_tool_set_and_history(
    one: tuple[str, str, str, list[str], str], other: tuple[str, str, str, list[str], str]
) -> None:
    """Digests are equal when, and only when, all of it is; the question itself does not count."""

    def scope(of: tuple[str, str, str, list[str], str], question: str) -> str:
        model, prompt, project, tools, system = of
        specs = tuple(ToolSpec(name=name, description="", parameters={}) for name in tools)
        place = Attribution(prompt=prompt, project=project)
        return scope_of(request(question, system=system, tools=specs), model, place)

    assert (scope(one, "a") == scope(other, "b")) == (one == other)


SENTENCE = st.lists(
    st.sampled_from([*sorted(MANNERS), *(f"word{'x' * n}" for n in range(40))]), min_size=1, max_size=120
)


@given(SENTENCE, st.data())
def test_one_other_word_or_another_order_is_no_hit(words: list[str], data: st.DataObject) -> None:
    content = [word for word in words if word not in MANNERS]
    assume(content)
    changed = list(content)
    if len(set(content)) > 1 and data.draw(st.booleans()):
        first, second = data.draw(st.permutations(range(len(content))))[:2]
        changed[first], changed[second] = changed[second], changed[first]
    else:
        changed[data.draw(st.integers(0, len(content) - 1))] = "different"
    assume(changed != content)
    one, other = " ".join(words), " ".join(changed)
    near = cosine(hashed(one), hashed(other)) >= HashedWords.threshold
    assert not (near and alike(one, other))
    assert cosine(hashed(one), hashed(" ".join(content))) >= HashedWords.threshold
    assert alike(one, " ".join(content))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Listen on port 8080.", "Listen on port 8081."),
        ("Round it to 1.5", "Round it to 15"),
        ("Copy `a` to `b`.", "Copy `b` to `a`."),
        ("Delete the user.", "Don't delete the user."),
        ("Delete all but old users", "Delete all old users, never all"),
        ("Return a + b", "Return a - b"),
        ("Write it in C++", "Write it in C#"),
        ("Is it x > y", "Is it x < y"),
        ("Move src/a.py", "Move src/b.py"),
        ("Call getUser", "Call getuser"),
        ("Delete it.", "Delete it?"),
        ("Send it to US now", "Send it to us now"),
        ('Say "yes" then "no"', 'Say "no" then "yes"'),
        ("Sort before you filter", "Sort after you filter"),
    ],
)
def test_what_looks_alike_and_is_not(one: str, other: str) -> None:
    """Whatever an embedding model says of them."""
    assert not alike(one, other)
    assert alike(one, one)


def test_a_long_question_hits_only_when_it_is_the_same(engine: Engine) -> None:
    cache = SemanticCache(engine)
    text = " ".join(f"item{'x' * (n % 7)}" for n in range(130))
    cache.keep(request(text), reply(), HERE)
    assert cache.look_up(request(f"Please {text}"), "qwen3-8b", HERE) is None
    assert cache.look_up(request(text), "qwen3-8b", HERE) is not None


def test_what_is_not_kept(engine: Engine) -> None:
    cache = SemanticCache(engine)
    for bad in ({"finish": "length"}, {"finish": "content_filter"}, {"cached": True}, {"text": ""}):
        cache.keep(request(HAIKU), reply(**bad), HERE)
    assert cache.look_up(request(HAIKU), "qwen3-8b", HERE) is None


def test_results_of_tools_hit_only_when_all_of_it_is_the_same(engine: Engine) -> None:
    cache = SemanticCache(engine)

    def turn(result: str) -> ChatRequest:
        said = (Message(role="user", content="Go."), Message(role="tool", tool_call_id="1", content=result))
        return ChatRequest(messages=said)

    cache.keep(turn("the tests pass"), reply(), HERE)
    assert cache.look_up(turn("tests pass"), "qwen3-8b", HERE) is None
    assert cache.look_up(turn("the tests pass"), "qwen3-8b", HERE) is not None


def test_old_answers_are_forgotten(engine: Engine) -> None:
    cache = SemanticCache(engine)
    cache.keep(request(HAIKU), reply(), HERE)
    with engine.begin() as connection:
        connection.execute(update(cached_replies).values(created_at=clock.now() - KEEP))
    assert cache.look_up(request(HAIKU), "qwen3-8b", HERE) is None
    cache.keep(request("another"), reply(), HERE)
    with engine.connect() as connection:
        assert len(connection.execute(cached_replies.select()).all()) == 1


def test_counts_from_many_threads(engine: Engine) -> None:
    cache = SemanticCache(engine)
    cache.keep(request(HAIKU), reply(), HERE)

    def look() -> None:
        for _ in range(5):
            cache.look_up(request(HAIKU), "qwen3-8b", HERE)
            cache.keep(request(HAIKU), reply(), HERE)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.counts().exact == 20
