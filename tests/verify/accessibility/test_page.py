"""What a whole page lacks: each rule with what it finds, and with what mends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.verify.played import context_of

from omni.verify.accessibility.elements import Fault
from omni.verify.accessibility.page import page
from omni.verify.analysis.markup import parse_markup
from omni.verify.checks import wcag
from omni.verify.report import Finding

NO_LANGUAGE = ("html-lang", 1, "<html> does not say its language")
NO_TITLE = ("page-title", 1, "the page has no title")
NO_ZOOM = ("viewport", 1, "the page can't be zoomed")
NO_MAIN = ("landmark", 1, "the page has no <main>")
NO_HEADERS = ("table-headers", 1, "<table> has no <th>")
NO_SKIP = ("skip-link", 1, "the first thing that takes the focus is no link past the menu")


def told(markup: str, *, jsx: bool = False) -> list[Fault]:
    return list(page(parse_markup(markup, jsx=jsx), markup))


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        ("", []),
        ("<html></html>", [NO_LANGUAGE]),
        ("<html lang=' '></html>", [NO_LANGUAGE]),
        ("<html lang=de></html>", []),
        ("<html {{ attributes }}></html>", []),
        ("<body></body>", []),
        ("<html lang=de><head></head></html>", [NO_TITLE]),
        ("<html lang=de><head><title></title></head></html>", [NO_TITLE]),
        ("<html lang=de><head><meta><title>Prices</title></head></html>", []),
        ("<html lang=de><head></head><title>Prices</title></html>", [NO_TITLE]),
        ("<html lang=de><head>{% block title %}{% endblock %}</head></html>", []),
        ("<html lang=de><head>{% include 'head.html' %}</head></html>", []),
        ("<html lang=de><head>{% block menu %}{% endblock %}</head></html>", [NO_TITLE]),
        ("<head></head>", []),
    ],
)
def test_a_page_says_its_language_and_title(markup: str, found: list[Fault]) -> None:
    assert told(markup) == found


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("width=device-width, user-scalable=no", True),
        ("user-scalable = 0", True),
        ("maximum-scale=1", True),
        ("maximum-scale=1.0, width=1", True),
        ("maximum-scale=0", True),
        ("maximum-scale=10", False),
        ("maximum-scale=5", False),
        ("width=device-width", False),
        ("", False),
    ],
)
def test_a_page_can_be_zoomed(content: str, found: bool) -> None:
    assert told(f"<meta name=viewport content='{content}'>") == ([NO_ZOOM] if found else [])
    assert told(f"<p content='{content}'></p>") == []


def test_no_level_of_headings_is_left_out() -> None:
    fine = "<h3>a</h3><h4>b</h4><h2>c</h2><h3>d</h3><h3>e</h3>"
    assert told(fine) == []
    assert told("<h1>a</h1>\n<h3>b</h3>\n<p></p><h6>c</h6>") == [
        ("heading-order", 2, "<h3> follows <h1>: a level is left out"),
        ("heading-order", 3, "<h6> follows <h3>: a level is left out"),
    ]


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("<table><tr><td>1</td><td>2</td></tr></table>", True),
        ("<table><tr><td>1</td></tr></table>", False),
        ("<table><tr><th>a</th><td>1</td><td>2</td></tr></table>", False),
        *((f"<table role={role}><td>1</td><td>2</td></table>", False) for role in ("presentation", "none", "grid")),
        ("<table role=table><td>1</td><td>2</td></table>", True),
        ("<table {{ attributes }}><td>1</td><td>2</td></table>", False),
        ("<div><td>1</td><td>2</td></div>", False),
    ],
)
def test_a_table_has_headers(table: str, found: bool) -> None:
    assert told(table) == ([NO_HEADERS] if found else [])


def test_a_component_may_bring_the_headers_of_a_table() -> None:
    assert told("return <table><Head /><td>1</td><td>2</td></table>", jsx=True) == []


def body(inside: str) -> list[Fault]:
    return told(f"<html lang=de><body>{inside}</body></html>")


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("<p>Words</p>", True),
        ("<main></main>", False),
        ("<div role=main></div>", False),
        ("<div role=note></div>", True),
        ("{% block content %}{% endblock %}", False),
        ("{%- include 'content.html' %}", False),
        ("{% if content %}{% endif %}", True),
        ("<slot></slot>", False),
        ("<div id='root'></div>", False),
        ('<div class="x" id="app"></div>', False),
        ("<div id='other'></div>", True),
    ],
)
def test_a_page_has_a_main_part(inside: str, found: bool) -> None:
    assert body(inside) == ([NO_MAIN] if found else [])


def test_a_part_of_a_page_needs_no_landmarks() -> None:
    assert told("<body><nav><a href=/a>A</a></nav></body>") == []


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("<nav><a href=/a>A</a></nav>", True),
        ("<div role=navigation><a href=/a>A</a></div>", True),
        ("<div><a href=/a>A</a></div>", False),
        ("<a href='#main'>Skip</a><nav><a href=/a>A</a></nav>", False),
        ("<a href='{{ skip }}'>Skip</a><nav><a href=/a>A</a></nav>", False),
        ("<a>No link</a><nav><a href=/a>A</a></nav>", True),
        ("<a>No link</a><a href='#main'>Skip</a><nav></nav>", False),
        ("<b href='#main' tabindex=0>Skip</b><nav></nav>", True),
        ("<b tabindex=-1>Skip</b><nav></nav>", False),
        ("<b tabindex=1>Skip</b><nav></nav>", False),
        ("<button>Menu</button><nav></nav>", True),
        ("<button disabled>Menu</button><nav></nav>", False),
        ("<button tabindex=-1>Menu</button><nav></nav>", False),
        ("<input type=hidden><nav></nav>", False),
        ("<input type=text><nav></nav>", True),
        ("<nav>No link at all</nav>", False),
    ],
)
def test_the_first_key_press_leads_past_the_menu(inside: str, found: bool) -> None:
    assert body(f"{inside}<main></main>") == ([NO_SKIP] if found else [])


def test_no_way_past_the_menu_is_needed_when_the_content_comes_first() -> None:
    assert body("<main><a href=/a>A</a></main><nav></nav>") == []


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        ("app/templates/home.html", ["html-lang", "landmark", "page-title"]),
        ("app/templates/email/reset.html", ["html-lang"]),
        ("app/email-templates/build/new.html", ["html-lang"]),
        ("app/mail_reset.html", ["html-lang"]),
        ("app/mailbox.html", ["html-lang", "landmark", "page-title"]),
    ],
)
def test_a_mail_has_no_window_of_its_own(tmp_path: Path, path: str, rules: list[str]) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text("<html><head></head><body><p>Hello</p></body></html>")
    found = wcag.run(context_of(tmp_path, "wcag"))
    assert sorted(each.rule for each in found if isinstance(each, Finding)) == rules
