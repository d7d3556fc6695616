"""The reader of pages never fails, is quick on what was made to be slow, and knows what a program fills in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.accessibility.looks import looks
from omni.verify.analysis.blanks import blanked
from omni.verify.analysis.markup import DYNAMIC, parse_markup
from omni.verify.analysis.styles import color_of, contrast, parse_styles

PIECES = st.sampled_from(
    [
        "<", ">", "/>", "</", "a", "div", "input", "{%", "%}", "{{", "}}", "{", "}", '"', "'", "=", " ", "\n", "<!--",
        "-->", "style", "script", "id", "\x01", "é", "<a b='", "/*", "*/", ";", ":", "var(--x)", "@media",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=80)


@given(TEXTS, st.booleans())
def test_any_text_gives_elements_with_lines_of_the_text(text: str, jsx: bool) -> None:
    lines = text.count("\n") + 1
    assert all(1 <= each.line <= lines for each in parse_markup(text, jsx=jsx).all())


@given(TEXTS)
def test_any_text_gives_styles(text: str) -> None:
    lines = text.count("\n") + 1
    assert all(1 <= each.line <= lines for each in parse_styles(text))
    list(looks(text))


@given(TEXTS)
def test_blanks_keep_length_and_lines(text: str) -> None:
    bare = blanked(text, (("/*", "*/"), ("{{", "}}")))
    assert len(bare) == len(text)
    assert [at for at, sign in enumerate(bare) if sign == "\n"] == [at for at, sign in enumerate(text) if sign == "\n"]


@pytest.mark.parametrize(
    ("piece", "elements", "in_jsx"),
    [
        *((piece, 0, 0) for piece in ("{%", "<!--", "{{", "{", "/*", "a{", "<")),
        ("<a ", 1, 1),
        ("<a b='", 2, 2),
        ("<div>", 5000, 4999),
    ],
)
def test_what_is_never_closed_is_read_to_its_end(piece: str, elements: int, in_jsx: int) -> None:
    text = piece * 5_000
    assert len(list(parse_markup(text).all())) == elements
    assert len(list(parse_markup(text, jsx=True).all())) == in_jsx
    assert list(looks(text)) == []


def test_what_a_program_fills_in_is_marked() -> None:
    (form,) = parse_markup(
        "<form>\n{% if a %}<input {{ more }} id='{{ name }}'>{% endif %}\n{{ text }}</form>"
    ).children
    (field,) = form.children
    assert (field.line, field.spread, field.attributes) == (2, True, {"id": DYNAMIC})
    assert form.texts == [DYNAMIC]


def test_jsx() -> None:
    head = "const a: Array<string> = b < c;\nreturn "
    source = f"{head}<p {{...rest}} onClick={{() => go()}}>\n{{x ? <b>yes</b> : null}}\nwords</p>;\n"
    (paragraph,) = parse_markup(source, jsx=True).children
    assert (paragraph.name, paragraph.line, paragraph.spread) == ("p", 2, True)
    assert paragraph.attributes == {"onclick": f"{DYNAMIC}() => go()"}
    assert [each.name for each in paragraph.all()] == ["b"]
    assert paragraph.texts == [DYNAMIC, "words"]


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [("#000", "#fff", 21.0), ("#777777", "white", 4.478), ("rgb(0, 0, 0)", "hsl(0 0% 100%)", 21.0)],
)
def test_contrast(first: str, second: str, ratio: float) -> None:
    front, back = color_of(first), color_of(second)
    assert front is not None
    assert back is not None
    assert contrast(front, back) == contrast(back, front) == pytest.approx(ratio, abs=0.001)
