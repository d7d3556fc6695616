from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from omni.spec.text import phrases

WORDS = st.sampled_from(
    [
        "a",
        "todo",
        "app",
        "with",
        "and",
        "that",
        "users",
        "can",
        "add",
        ",",
        ".",
        ";",
        ":",
        "-",
        "(",
        ")",
        "\n",
        "*",
        "1.",
        "search",
        "between",
        "5",
        "without",
        "“quoted”",
        "e.g.",
        "or",
        "🎉",
        "ü",
    ]
)


def covered(text: str) -> None:
    """The phrases lie in order, do not overlap, and leave white space only."""
    position = 0
    for phrase in phrases(text):
        assert not text[position : phrase.start].strip()
        assert text[phrase.start : phrase.end] == phrase.text
        assert phrase.start < phrase.end
        position = phrase.end
    assert not text[position:].strip()


@given(st.text(max_size=200))
def test_phrases_tile_any_text(text: str) -> None:
    covered(text)


@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_phrases_tile_sentences(text: str) -> None:
    covered(text)


def test_where_phrases_begin() -> None:
    text = (
        "I need a simple, fast app where users can sign up and log in, with drag and drop.\n"
        "- status (open, closed)\n- rating between 1 and 5"
    )
    assert [(phrase.sentence, phrase.lead, phrase.text) for phrase in phrases(text)] == snapshot(
        [
            (1, "", "I need a simple, fast app"),
            (1, "where", "where users can sign up and log in,"),
            (1, "with", "with drag and drop."),
            (2, "", "- status (open, closed)"),
            (3, "", "- rating between 1 and 5"),
        ]
    )
