"""What single elements need so that everybody can use them: names, labels, keys, roles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni.verify.analysis.markup import DYNAMIC, Element

Fault = tuple[str, int, str]
"""(rule, line, message)"""

NO_LABEL_NEEDED = frozenset({"hidden", "submit", "button", "reset", "image"})
ROLES = frozenset(
    re.findall(
        r"[\w-]+",
        "alert alertdialog application article banner blockquote button caption cell checkbox code columnheader "
        "combobox complementary contentinfo definition deletion dialog directory document emphasis feed figure form "
        "generic grid gridcell group heading img image insertion link list listbox listitem "
        "log main marquee math menu menubar menuitem menuitemcheckbox menuitemradio meter navigation none "
        "note option paragraph presentation progressbar radio radiogroup region row rowgroup rowheader scrollbar "
        "search searchbox separator slider spinbutton status strong subscript suggestion superscript switch tab "
        "table tablist tabpanel term textbox time timer toolbar tooltip tree treegrid treeitem "
        "mark comment doc-abstract doc-footnote doc-noteref doc-toc ",
    )
)
"""https://www.w3.org/TR/wai-aria-1.2/#role_definitions"""
INTERACTIVE_ROLES = frozenset({"button", "link", "checkbox", "menuitem", "option", "radio", "switch", "tab", "textbox"})
STRUCTURE = frozenset(
    {"h1", "h2", "h3", "h4", "h5", "h6", "main", "nav", "header", "footer", "article", "table", "ul", "ol"}
)
ARIA = re.compile(
    r"aria-(activedescendant|atomic|autocomplete|braille\w*|busy|checked|col(count|index|indextext|span)|controls|current|"
    r"describedby|description|details|disabled|dropeffect|errormessage|expanded|flowto|grabbed|haspopup|hidden|invalid|"
    r"keyshortcuts|label|labelledby|level|live|modal|multi(line|selectable)|orientation|owns|placeholder|posinset|pressed|"
    r"readonly|relevant|required|roledescription|row(count|index|indextext|span)|selected|setsize|sort|value(max|min|now|text))"
)
FOCUSABLE = frozenset({"a", "button", "input", "select", "textarea", "summary", "iframe"})
CLICKS = ("onclick", "@click", "v-on:click", "ng-click", "(click)", "hx-on:click", "x-on:click")
KEYS = (
    "onkeydown",
    "onkeyup",
    "onkeypress",
    "@keydown",
    "@keyup",
    "(keydown)",
    "(keyup)",
    "x-on:keydown",
    "v-on:keydown",
)
PASSIVE = frozenset(
    {"div", "span", "li", "p", "td", "tr", "img", "i", "section", "article", "ul", "h1", "h2", "h3", "h4", "svg", "b"}
)
EMPTY_ALT = re.compile(
    r"^(image|picture|photo|img|icon|logo|graphic|untitled|spacer|[\w-]+\.(png|jpe?g|gif|svg|webp))$", re.IGNORECASE
)
RED = re.compile(
    r"(border|outline|color|background)[^;:]*:[^;]*(?<!\w)"
    r"(red|crimson|#([b-f][0-4]{2}|[b-f][0-9a-f]([0-4][0-9a-f]){2}))\b",
    re.IGNORECASE,
)
"""A style that paints something red: much of red, little of green and blue."""
WRONG = re.compile(r"(^|[\s_-])(error|invalid|is-invalid|has-error|danger)($|[\s_-])", re.IGNORECASE)


def named(element: Element) -> bool:
    """By an attribute, or by what may be one."""
    return element.spread or any(
        (element.get(name) or "").strip() for name in ("aria-label", "aria-labelledby", "title")
    )


def says_something(element: Element) -> bool:
    """It has a name for people who don't see it: text, a picture's alt, a title of an svg, or something filled in."""
    if named(element) or element.text or "dangerouslysetinnerhtml" in element.attributes or element.get("v-html"):
        return True
    return any(
        (each.name == "img" and (each.get("alt") or "").strip())
        or (each.name == "svg" and (named(each) or any(inner.name == "title" for inner in each.all())))
        or named(each)
        or not each.name[:1].islower()  # a component: it may bring text
        or each.name == "slot"
        for each in element.all()
    )


def images(element: Element) -> Iterator[Fault]:
    alt = element.get("alt")
    hidden = element.get("aria-hidden") == "true" or element.get("role") in {"presentation", "none"}
    pictured = element.name in {"img", "area"} or (element.name == "input" and element.get("type") == "image")
    if pictured and alt is None and not hidden and not named(element):
        yield "image-alt", element.line, f"<{element.name}> has no alt"
    elif pictured and alt and EMPTY_ALT.match(alt.strip()):
        yield "image-alt", element.line, f"alt=“{alt}” does not say what is to be seen"
    if element.name == "svg" and element.get("role") == "img" and not says_something(element):
        yield "image-alt", element.line, "<svg role=img> has no title and no aria-label"


def labels(element: Element, labelled: frozenset[str], dynamic_labels: bool) -> Iterator[Fault]:
    """`labelled`: what `for` of the labels of the file says."""
    if element.name not in {"input", "select", "textarea"}:
        return
    if (element.get("type") or "").lower() in NO_LABEL_NEEDED or named(element):
        return
    if any(around.name.lower().endswith("label") and _says_more(around, element) for around in element.around()):
        return
    if any(not around.name[:1].islower() and around.name for around in list(element.around())[:1]):
        return  # a component around it may label it: <Field label="…">
    mark = element.get("id")
    if mark and (mark in labelled or (DYNAMIC in mark and dynamic_labels)):
        return
    hint = "; a placeholder is gone when people type" if element.get("placeholder") else ""
    yield "label", element.line, f"<{element.name}> has no label{hint}"


def _says_more(label: Element, field: Element) -> bool:
    return bool(label.texts) or any(each is not field and each.text for each in label.children) or label.spread


def names(element: Element) -> Iterator[Fault]:
    if element.name == "button" and not says_something(element):
        yield "button-name", element.line, "a button says nothing to people who don't see it"
    elif element.name == "a" and element.get("href") is not None and not says_something(element):
        yield "link-name", element.line, "a link says nothing to people who don't see it"
    elif element.name == "iframe" and not named(element) and element.get("aria-hidden") != "true":
        yield "frame-title", element.line, "<iframe> has no title"
    elif re.fullmatch(r"h[1-6]", element.name) and not says_something(element):
        yield "heading-order", element.line, f"<{element.name}> is empty"


def keyboard(element: Element) -> Iterator[Fault]:
    clicks = [name for name in CLICKS if any(given.split(".")[0] == name for given in element.attributes)]
    if clicks and element.name in PASSIVE and not element.spread:
        role, place = element.get("role"), element.get("tabindex")
        keys = any(given.split(".")[0] in KEYS for given in element.attributes)
        if element.get("aria-hidden") == "true" or role in {"presentation", "none"}:
            return
        if not (role and place is not None and keys):
            missing = [
                name
                for name, there in (("role", role), ("tabindex", place is not None), ("key handler", keys))
                if not there
            ]
            yield "keyboard", element.line, f"<{element.name}> reacts to the mouse, and has no {', no '.join(missing)}"
    place = element.get("tabindex") or ""
    if re.fullmatch(r"[1-9]\d*", place):
        yield "focus-order", element.line, f"tabindex={place} takes the focus out of the reading order"


def roles(element: Element) -> Iterator[Fault]:
    role = element.get("role") or ""
    if role and DYNAMIC not in role:
        wrong = [each for each in role.split() if each not in ROLES]
        if wrong:
            yield "aria", element.line, f"there is no role “{wrong[0]}”"
        elif role in INTERACTIVE_ROLES and element.name in STRUCTURE:
            yield "aria", element.line, f"role={role} on <{element.name}> takes its meaning away"
    if element.name[:1].islower():
        for name in element.attributes:
            if name.startswith("aria-") and not ARIA.fullmatch(name):
                yield "aria", element.line, f"there is no attribute {name}"
    focusable = element.name in FOCUSABLE and (element.name != "a" or element.get("href") is not None)
    off = element.get("tabindex") == "-1" or "disabled" in element.attributes or element.get("type") == "hidden"
    if element.get("aria-hidden") == "true" and focusable and not off:
        yield "aria", element.line, f"<{element.name}> takes the focus and is hidden from screen readers"


def media(element: Element) -> Iterator[Fault]:
    if (
        element.name == "video"
        and "muted" not in element.attributes
        and element.get("aria-hidden") != "true"
        and not element.spread
    ):
        tracks = [each for each in element.all() if each.name == "track"]
        if not any(
            (each.get("kind") or "subtitles") in {"captions", "subtitles"} or DYNAMIC in (each.get("kind") or "")
            for each in tracks
        ):
            yield "video-caption", element.line, "<video> has no captions"


def colour_alone(element: Element) -> Iterator[Fault]:
    """A field that is marked as wrong, for eyes only."""
    if element.name not in {"input", "select", "textarea"} or element.spread:
        return
    red = RED.search(element.get("style") or "")
    wrong = WRONG.search((element.get("class") or element.get("classname") or "").replace(DYNAMIC, " "))
    said = any(name in element.attributes for name in ("aria-invalid", "aria-describedby", "aria-errormessage"))
    if (red or wrong) and not said:
        yield "colour-alone", element.line, f"<{element.name}> is marked as wrong by its colour alone"
