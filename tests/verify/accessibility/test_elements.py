"""What single elements lack: each rule with what it finds, and with what mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from omni.verify.accessibility.elements import (
    Fault,
    colour_alone,
    images,
    keyboard,
    labels,
    media,
    names,
    roles,
)
from omni.verify.analysis.markup import Element, parse_markup


def told(judge: Callable[[Element], Iterator[Fault]], markup: str, *, jsx: bool = False) -> list[Fault]:
    return [fault for element in parse_markup(markup, jsx=jsx).all() for fault in judge(element)]


@pytest.mark.parametrize(
    ("markup", "message"),
    [
        ("<img>", "<img> has no alt"),
        ("<area>", "<area> has no alt"),
        ("<input type=image>", "<input> has no alt"),
        ("<input type=text>", ""),
        ("<p type=image>", ""),
        ("<img alt=''>", ""),
        ("<img alt='A cat on a chair'>", ""),
        ("<img aria-hidden=true>", ""),
        ("<img aria-hidden=false>", "<img> has no alt"),
        ("<img role=presentation>", ""),
        ("<img role=none>", ""),
        ("<img role=img>", "<img> has no alt"),
        ("<img aria-label=Cat>", ""),
        ("<img aria-labelledby=cat>", ""),
        ("<img title=Cat>", ""),
        ("<img title=' '>", "<img> has no alt"),
        ("<img {{ attributes }}>", ""),
        ("<img alt=' Image '>", "alt=“ Image ” does not say what is to be seen"),
        ("<img alt=cat-01.jpeg>", "alt=“cat-01.jpeg” does not say what is to be seen"),
        ("<img alt='my image'>", ""),
        ("<svg role=img></svg>", "<svg role=img> has no title and no aria-label"),
        ("<svg></svg>", ""),
        ("<i role=img></i>", ""),
        ("<svg role=img><title>Cat</title></svg>", ""),
        ("<svg role=img aria-label=Cat></svg>", ""),
    ],
)
def test_pictures_have_words(markup: str, message: str) -> None:
    assert told(images, f"\n{markup}") == ([("image-alt", 2, message)] if message else [])


@pytest.mark.parametrize(
    ("markup", "missing"),
    [
        ("<input>", "<input> has no label"),
        ("<select></select>", "<select> has no label"),
        ("<textarea placeholder=Words></textarea>", "<textarea> has no label; a placeholder is gone when people type"),
        ("<p></p>", ""),
        *((f"<input type={kind}>", "") for kind in ("hidden", "SUBMIT", "button", "reset", "image")),
        ("<input aria-label=Name>", ""),
        ("<label>Name <input></label>", ""),
        ("<label><b>Name</b> <input></label>", ""),
        ("<label><input></label>", "<input> has no label"),
        ("<label><select><option>Red</option></select></label>", "<select> has no label"),
        ("<label {{ attributes }}><input></label>", ""),
        ("<div>Name <input></div>", "<input> has no label"),
        ("<input id=known>", ""),
        ("<input id=other>", "<input> has no label"),
        ("<input id='{{ field.id }}'>", "<input> has no label"),
    ],
)
def test_fields_have_labels(markup: str, missing: str) -> None:
    faults = told(lambda element: labels(element, frozenset({"known"}), dynamic_labels=False), f"\n{markup}")
    assert faults == ([("label", 2, missing)] if missing else [])


def test_a_label_that_a_program_names_may_be_that_of_a_field_it_names() -> None:
    markup = "<input id='{{ field.id }}'><input id=fixed><input>"
    found = told(lambda element: labels(element, frozenset(), dynamic_labels=True), markup)
    assert found == [("label", 1, "<input> has no label")] * 2


def test_a_component_right_around_a_field_may_label_it() -> None:
    def judge(element: Element) -> Iterator[Fault]:
        return labels(element, frozenset(), dynamic_labels=False)

    assert told(judge, "return <Field label='Name'><input /></Field>", jsx=True) == []
    assert told(judge, "return <FormLabel>Name <p><input /></p></FormLabel>", jsx=True) == []
    assert told(judge, "return <Page><p><input /></p></Page>", jsx=True) == [("label", 1, "<input> has no label")]


BUTTON = ("button-name", 1, "a button says nothing to people who don't see it")
LINK = ("link-name", 1, "a link says nothing to people who don't see it")


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        ("<button></button>", [BUTTON]),
        ("<button>Save</button>", []),
        ("<button><i></i></button>", [BUTTON]),
        ("<button><i aria-label=Save></i></button>", []),
        ("<button><img alt=Save></button>", []),
        ("<button><img alt=' '></button>", [BUTTON]),
        ("<button><i alt=Save></i></button>", [BUTTON]),
        ("<button><svg><title></title></svg></button>", []),
        ("<button><svg><path></path></svg></button>", [BUTTON]),
        ("<button><i><title></title></i></button>", [BUTTON]),
        ("<button><slot></slot></button>", []),
        ("<button v-html=text></button>", []),
        ("<button dangerouslySetInnerHTML=x></button>", []),
        ("<a href=/></a>", [LINK]),
        ("<a href></a>", [LINK]),
        ("<a></a>", []),
        ("<a href=/>Home</a>", []),
        ("<link href=/>", []),
        ("<iframe></iframe>", [("frame-title", 1, "<iframe> has no title")]),
        ("<iframe title=Map></iframe>", []),
        ("<iframe aria-hidden=true></iframe>", []),
        ("<iframe>Map</iframe>", [("frame-title", 1, "<iframe> has no title")]),
        ("<h6></h6>", [("heading-order", 1, "<h6> is empty")]),
        ("<h2>Prices</h2>", []),
        ("<hr><p></p>", []),
    ],
)
def test_what_people_act_on_has_a_name(markup: str, found: list[Fault]) -> None:
    assert told(names, markup) == found


def test_a_component_may_bring_the_name() -> None:
    assert told(names, "return <button><Words /></button>", jsx=True) == []
    assert told(names, "return <button><words /></button>", jsx=True) == [BUTTON]


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        ("<div onclick=go()>", "<div> reacts to the mouse, and has no role, no tabindex, no key handler"),
        ("<div @click.prevent=go()>", "<div> reacts to the mouse, and has no role, no tabindex, no key handler"),
        ("<div onclick=go() role=button>", "<div> reacts to the mouse, and has no tabindex, no key handler"),
        ("<div onclick=go() tabindex=0>", "<div> reacts to the mouse, and has no role, no key handler"),
        ("<div onclick=go() onkeydown=go()>", "<div> reacts to the mouse, and has no role, no tabindex"),
        ("<div onclick=go() role=button tabindex=0>", "<div> reacts to the mouse, and has no key handler"),
        ("<div onclick=go() role=button tabindex=0 onkeyup=go()>", ""),
        ("<div @click=go role=button tabindex=0 @keydown.enter=go>", ""),
        ("<div onclick=go() role=presentation>", ""),
        ("<div onclick=go() role=none>", ""),
        ("<div onclick=go() aria-hidden=true>", ""),
        ("<div onclick=go() {{ attributes }}>", ""),
        ("<div>", ""),
        ("<button onclick=go()>", ""),
    ],
)
def test_what_reacts_to_the_mouse_reacts_to_keys(markup: str, found: str) -> None:
    assert told(keyboard, markup) == ([("keyboard", 1, found)] if found else [])


@pytest.mark.parametrize(("place", "found"), [("1", True), ("12", True), ("0", False), ("-1", False), ("", False)])
def test_the_focus_goes_in_the_order_of_reading(place: str, found: bool) -> None:
    fault = ("focus-order", 1, f"tabindex={place} takes the focus out of the reading order")
    assert told(keyboard, f"<input tabindex='{place}'>") == ([fault] if found else [])


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        ("<p role=knob>", "there is no role “knob”"),
        ("<p role='note knob dial'>", "there is no role “knob”"),
        ("<p role='{{ role }}'>", ""),
        ("<p role=note>", ""),
        ("<p>", ""),
        ("<h1 role=button>", "role=button on <h1> takes its meaning away"),
        ("<h1 role=note>", ""),
        ("<div role=button>", ""),
        ("<p aria-labeledby=x>", "there is no attribute aria-labeledby"),
        ("<p aria-labelledby=x aria-valuenow=1 aria-rowindex=2>", ""),
        ("<button aria-hidden=true>", "<button> takes the focus and is hidden from screen readers"),
        ("<button aria-hidden=false>", ""),
        ("<a aria-hidden=true href=/>", "<a> takes the focus and is hidden from screen readers"),
        ("<a aria-hidden=true>", ""),
        ("<p aria-hidden=true href=/>", ""),
        ("<button aria-hidden=true tabindex=-1>", ""),
        ("<button aria-hidden=true tabindex=0>", "<button> takes the focus and is hidden from screen readers"),
        ("<button aria-hidden=true disabled>", ""),
        ("<input aria-hidden=true type=hidden>", ""),
    ],
)
def test_roles_and_attributes_are_those_that_there_are(markup: str, found: str) -> None:
    assert told(roles, markup) == ([("aria", 1, found)] if found else [])


def test_attributes_of_a_component_are_its_own() -> None:
    assert told(roles, "return <Knob aria-turn='1' />", jsx=True) == []
    assert told(roles, "return <knob aria-turn='1' />", jsx=True) == [("aria", 1, "there is no attribute aria-turn")]


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        ("<video></video>", True),
        ("<audio></audio>", False),
        ("<video muted></video>", False),
        ("<video aria-hidden=true></video>", False),
        ("<video {{ attributes }}></video>", False),
        ("<video><track></video>", False),
        ("<video><track kind=captions></video>", False),
        ("<video><track kind=chapters></video>", True),
        ("<video><track kind='{{ kind }}'></video>", False),
        ("<video><track kind=chapters><track kind=subtitles></video>", False),
        ("<video><source kind=captions></video>", True),
    ],
)
def test_films_have_captions(markup: str, found: bool) -> None:
    assert told(media, markup) == ([("video-caption", 1, "<video> has no captions")] if found else [])


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        ("<input class='field is-invalid'>", True),
        ("<select class=error></select>", True),
        ("<textarea className=danger></textarea>", True),
        ("<input class='{{ x }}error'>", True),
        ("<input class=terror>", False),
        ("<input style='border: 1px solid red'>", True),
        ("<input style='outline-color: #f00'>", True),
        ("<input style='COLOR:#DC2626'>", True),
        ("<input style='border: 1px solid #c00'>", True),
        ("<input style='border: 1px solid #b91c1c'>", True),
        ("<input style='border: 1px solid #ddd'>", False),
        ("<input style='border: 1px solid #bbb'>", False),
        ("<input style='border: 1px solid #d0d7de'>", False),
        ("<input style='border: 1px solid green; margin: red'>", False),
        ("<div class=error></div>", False),
        ("<input class=error aria-invalid=true>", False),
        ("<input class=error aria-describedby=why>", False),
        ("<input class=error aria-errormessage=why>", False),
        ("<input class=error {{ attributes }}>", False),
        ("<input>", False),
    ],
)
def test_a_wrong_field_is_marked_for_more_than_eyes(markup: str, found: bool) -> None:
    name = markup[1:].split(maxsplit=1)[0].strip(">")
    fault = ("colour-alone", 1, f"<{name}> is marked as wrong by its colour alone")
    assert told(colour_alone, markup) == ([fault] if found else [])
