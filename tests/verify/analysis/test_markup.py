"""The reader of pages never fails, is quick on what was made to be slow, and knows what a program fills in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from omni.verify.accessibility.looks import looks
from omni.verify.analysis.blanks import blanked
from omni.verify.analysis.markup import DYNAMIC, Element, parse_markup
from omni.verify.analysis.styles import color_of, contrast, custom_properties, filled, parse_styles, pixels

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


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        ("<a b>", {"b": ""}),
        ("<a b=c D = 'e f' g=\"'\">", {"b": "c", "d": "e f", "g": "'"}),
        ("<a b=1 b=2>", {"b": "1"}),
        ("<a b=/c/>", {"b": "/c/"}),
        ("<a b='c", {"b": "c"}),
        ("<a b=", {"b": ""}),
        ("<a b='{{ x }} y {{ z }}' c={{x}}>", {"b": f"{DYNAMIC} y {DYNAMIC}", "c": DYNAMIC}),
        ("<a @click.once=x :b=y v-on:c='z'>", {"@click.once": "x", ":b": "y", "v-on:c": "z"}),
        ("<a (d)=e #f>", {"(d)": "e", "#f": ""}),
        ("<a, ; b>", {"b": ""}),
    ],
)  # fmt: skip
def test_attributes(tag: str, attributes: dict[str, str]) -> None:
    (element,) = parse_markup(tag).children
    assert (element.name, element.attributes, element.spread) == ("a", attributes, False)


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        ("<a b={'c'} d={`e`} f={-1} />", {"b": "c", "d": "e", "f": "-1"}),
        ("<a b={c ? '}' : \"{\"} d />", {"b": f"{DYNAMIC}c ? '}}' : \"{{\"", "d": ""}),
        (r"<a b={'\'}'} d />", {"b": f"{DYNAMIC}'\\'}}'", "d": ""}),
        ("<a b={`x${y}`} d />", {"b": f"{DYNAMIC}`x${{y}}`", "d": ""}),
        ("<a b={{c: {d: 1}}} e />", {"b": f"{DYNAMIC}{{c: {{d: 1}}}}", "e": ""}),
        ("<a b='{c}' />", {"b": "{c}"}),
        ("<a b={c />", {"b": f"{DYNAMIC}c /"}),
    ],
)
def test_attributes_of_jsx(tag: str, attributes: dict[str, str]) -> None:
    (element,) = parse_markup(f"return {tag}", jsx=True).children
    assert element.attributes == attributes


def tree(element: Element) -> str:
    """`name(child child)`"""
    inside = " ".join(tree(each) for each in element.children)
    return element.name + (f"({inside})" if inside else "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<A><b></B></a><c>", "(a(b) c)"),
        ("<a><b><c></a><d>", "(a(b(c)) d)"),
        ("<a></b><c></c></a>", "(a(c))"),
        ("<br><img><p/><b></b>", "(br img p b)"),
        ("<script><a></script><style><b></STYLE ><p>", "(script style p)"),
        ("<script><a>", "(script)"),
        ("<script/><a>", "(script a)"),
        ("{% if x %}<a>{% else %}<b>{% endif %}", "(a(b))"),
        ("<!-- <a> --><b>{# <c> #}[% <d> %]", "(b)"),
        ("<a></a", "(a)"),
        ("<a></a ><b>", "(a b)"),
        ("<my-tag.x:y>", "(my-tag.x:y)"),
        ("<1>", ""),
    ],
)
def test_what_lies_in_what(text: str, shown: str) -> None:
    assert tree(parse_markup(text)) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("return <A><b/></A>", "(A(b))"),
        ("x: Array<string> = a<b >c; f(<a />)", "(a)"),
        ("const f = <T,>(x: T) => x", ""),
        ("const f = <T >(x: T) => x", "(T)"),
        ("const f =<T >(x: T) => x", ""),
        ("x[1]<y >2", ""),
        ("return (\n  <a\n    b\n  />)", "(a)"),
        ("return <b>{/* <a> */}{x && <c/>}</b>", "(b(c))"),
        ("return <p accept='a/*' /* <a> */ b></p>; x = '*/'", "(p)"),
    ],
)
def test_what_is_jsx(text: str, shown: str) -> None:
    assert tree(parse_markup(text, jsx=True)) == shown


def test_texts_are_in_the_order_of_reading() -> None:
    (element,) = parse_markup("<p> one <b>two</b> {{ x }}{{ y }} three</p>four").children
    assert element.texts == ["one", f"{DYNAMIC} three"]
    assert element.text == f"one {DYNAMIC} three two"
    (element,) = parse_markup("return <p>a {b} {c ? {d: 1} : 2} e{/* } */}</p>", jsx=True).children
    assert element.texts == [f"a {DYNAMIC} {DYNAMIC} e"]


def test_elements_deeper_than_any_page_lie_beside_each_other() -> None:
    deepest = max(len(list(each.around())) for each in parse_markup("<a>" * 1000).all())
    assert deepest == 401


def test_rules_of_a_style_sheet() -> None:
    text = """\
@import "x.css";
/* a { color: red } */
a,
b  > c { color: red !important; --Own: x;
  background: url(a:b);
  odd; : y; width: ; 9px: z }
@media (min-width: 1px) { @supports (x) { d { e-f: g } } }
@keyframes k { from { top: 0 } }
@font-face { src: h }
i { j { k: l } m: n }
o { p: q
"""
    rules = parse_styles(text)
    assert [(each.selector, each.line, each.media, each.values, each.lines) for each in rules] == snapshot(
        [
            (
                "a, b > c",
                3,
                "",
                {"color": "red", "--Own": "x", "background": "url(a:b)"},
                {"color": 4, "--Own": 4, "background": 5},
            ),
            ("d", 7, "@media (min-width: 1px) @supports (x)", {"e-f": "g"}, {"e-f": 7}),
            ("@font-face", 9, "", {"src": "h"}, {"src": 9}),
            ("i", 10, "", {}, {}),
            ("o", 11, "", {"p": "q"}, {"p": 11}),
        ]
    )


@pytest.mark.parametrize(
    ("value", "color"),
    [
        (" WHITE ", (1.0, 1.0, 1.0)),
        ("#f00", (1.0, 0.0, 0.0)),
        ("#0000FF", (0.0, 0.0, 1.0)),
        ("rgb(255, 0, 51)", (1.0, 0.0, 0.2)),
        ("rgb( 0 255 0 )", (0.0, 1.0, 0.0)),
        ("hsl(120deg, 100%, 50%)", (0.0, 1.0, 0.0)),
        ("hsl(0 0% 20%)", (0.2, 0.2, 0.2)),
        ("#ff00", None),
        ("#ff0000ff", None),
        ("rgb(1, 2)", None),
        ("rgba(1, 2, 3, 0.5)", None),
        ("transparent", None),
    ],
)
def test_colours(value: str, color: tuple[float, float, float] | None) -> None:
    found = color_of(value)
    assert found == (None if color is None else pytest.approx(color))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("var(--a)", "red"),
        ("1px var( --a ) x", "1px red x"),
        ("var(--b)", "red"),
        ("var(--none, blue)", "blue"),
        ("var(--none, rgb(1, 2, 3))", "rgb(1, 2, 3)"),
        ("var(--none)", "var(--none)"),
        ("var(--circle)", "var(--circle)"),
        (" plain ", "plain"),
    ],
)
def test_custom_properties_are_filled_in(value: str, shown: str) -> None:
    assert filled(value, {"--a": "red", "--b": "var(--a)", "--circle": "var(--circle)"}) == shown


def test_custom_properties_are_those_of_the_page_in_a_scheme() -> None:
    rules = parse_styles(
        ":root { --a: 1; b: 2 } html { --c: 3 } .x { --d: 4 } @media print { :root { --a: 5 } }"
        "@media (x: dark) { body { --a: 6 } } [data-theme=x] { --e: 7 } :host { --f: 8 }"
    )
    plain = {"--a": "1", "--c": "3", "--e": "7", "--f": "8"}
    assert custom_properties(rules) == plain
    assert custom_properties(rules, "dark") == {**plain, "--a": "6"}


@pytest.mark.parametrize(
    ("value", "size"),
    [("12px", 12.0), (" 2.5rem ", 40.0), ("1em", 16.0), ("30pt", 40.0), ("7", 7.0), ("5vw", None), ("50%", None)],
)
def test_sizes(value: str, size: float | None) -> None:
    assert pixels(value) == (None if size is None else pytest.approx(size))
