from __future__ import annotations

from collections.abc import Callable

import pytest
from inline_snapshot import snapshot

from omni.verify.report import CheckResult, Status

Found = Callable[..., list[str]]
Told = Callable[..., str]
Look = Callable[..., CheckResult]

EN, DE = "locales/en.json", "locales/de.json"
CATALOGS = {EN: '{"todo.title": "Title"}', DE: '{"todo.title": "Titel"}'}


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("app/a.html", "<p>\n  Hello there\n</p>\n", "warning hard-coded-text app/a.html:2"),
        ("app/a.py", "s = 'item' if n == 1 else 'items'\n", "warning home-made-plural app/a.py:1"),
        ("app/a.py", "t = datetime.now()\n", "warning naive-time app/a.py:1"),
        ("app/a.py", "t = datetime.datetime.utcnow()\n", "warning naive-time app/a.py:1"),
        ("app/a.py", "s = f'${price:.2f}'\n", "warning hand-formatted-number app/a.py:1"),
        ("app/a.css", ".a {\n  margin-left: 1rem;\n}\n", "warning left-or-right app/a.css:2"),
        ("app/a.py", "s = t('greeting') + name\n", "warning joined-translation app/a.py:1"),
        ("app/a.ts", "const s = t('greeting') + name;\n", "warning joined-translation app/a.ts:1"),
        ("app/a.ts", "names.sort();\n", "note plain-sort app/a.ts:1"),
        ("app/a.css", "button { width: 80px; }\n", "warning fixed-width app/a.css:1"),
        # the corrected twins
        ("app/a.html", "<p>{{ t('todo.title') }}</p>\n", ""),
        ("app/a.html", "<p>&nbsp;·&nbsp;12</p><style>a { b: c }</style>\n", ""),
        ("app/a.py", "s = t('items', count=n)\nt = datetime.now(UTC)\ns = f'{ratio:.2f}'\n", ""),
        ("app/a.css", ".a { margin-inline-start: 1rem; text-align: start; } button { min-width: 5rem; }\n", ""),
        ("app/a.ts", "names.sort(new Intl.Collator('de').compare);\n", ""),
    ],
)
def test_source(found: Found, path: str, text: str, expected: str) -> None:
    assert found("i18n", {**CATALOGS, path: text}) == ([expected] if expected else [])


def test_missing_and_nested_keys(look: Look) -> None:
    files = {EN: '{"a": "A", "b": "B"}', DE: '{\n  "a": {"b": "B"}\n}'}
    assert [(each.rule, each.path, each.line, each.message) for each in look("i18n", files).findings] == [
        ("missing-key", DE, 1, f"`b` is in {EN} and not here"),
        ("nested-key", DE, 2, "`a` holds further keys"),
    ]


def test_one_language(look: Look) -> None:
    assert look("i18n", {"a.html": "<p>Hello there</p>"}).status is Status.SKIPPED


PYTHON = """\
flash("saved")
flash("Saved")
flash("it is saved")
flash(t("Saved"))
name = StringField("Name")
field = StringField(label="Name")
field = StringField("name", validators, help_text="Your name")
field = StringField("name", description="It is shown")
field = my.StringFields("Name")
messages.success(request, "It is saved")
messages.error("It is not shown", "code")
messages.info(request, text, "Not shown")
messages.warning(request, "Careful")
messages.add(request, "It is saved")
log.error(request, "It is not shown")
one = "item" if n != 1 else "items"
one = "item" if n == 2 else "items"
one = "item" if n == True else "items"
one = "item" if n > 1 else "items"
one = "item" if 0 < n == 1 else "items"
one = "item" if n else "items"
one = item if n == 1 else "items"
one = "item" if n == 1 else items
t = datetime.fromtimestamp(at)
t = datetime.fromtimestamp(at, UTC)
t = datetime.fromtimestamp(at, tz=UTC)
t = datetime.now(tz=UTC)
s = name + _("and")
s = name + wrap(name)
s = n * t("times")
s = f"{price:.2f} €"
s = f"{price:.2f} of"
s = f"${price}"
s = f"${price:.3f}"
"""


def test_what_ties_a_program_in_python(told: Told) -> None:
    others = dict.fromkeys(("tests/a.py", "docs/a.py", "migrations/a.py", "scripts/a.py", "app/test_a.py"), PYTHON)
    assert told("i18n", {**CATALOGS, **others, "app/a.py": PYTHON}) == snapshot("""\
warning hard-coded-text app/a.py:2: a text for people stands in `flash`
    flash("Saved")
warning hard-coded-text app/a.py:3: a text for people stands in `flash`
    flash("it is saved")
warning hard-coded-text app/a.py:5: a text for people stands in `StringField`
    name = StringField("Name")
warning hard-coded-text app/a.py:6: a text for people stands in `StringField`
    field = StringField(label="Name")
warning hard-coded-text app/a.py:7: a text for people stands in `StringField`
    field = StringField("name", validators, help_text="Your name")
warning hard-coded-text app/a.py:8: a text for people stands in `StringField`
    field = StringField("name", description="It is shown")
warning hard-coded-text app/a.py:10: a text for people stands in `success`
    messages.success(request, "It is saved")
warning hard-coded-text app/a.py:13: a text for people stands in `warning`
    messages.warning(request, "Careful")
warning home-made-plural app/a.py:16: the plural is chosen by `== 1`
    one = "item" if n != 1 else "items"
warning naive-time app/a.py:24: `datetime.fromtimestamp()` makes a time without a zone
    t = datetime.fromtimestamp(at)
warning joined-translation app/a.py:28: a translation is put together with something else
    s = name + _("and")
warning hand-formatted-number app/a.py:31: an amount is formatted by hand
    s = f"{price:.2f} €"
""")


def test_what_ties_a_page(told: Told) -> None:
    files = {
        "app/a.html": (
            "<title>Not in the page</title><script>if (a > b && c < d) x</script>\n"
            "<p>\n\n  Hello <b>you</b> {{ name }} there\n</p>\n"
            "<!-- <p>Hello</p> -->{# <p>Hello</p> #}{% if a > b and c < d %}\n"
            '<i>a</i><i>&copy; 2024</i><i>1,234 %</i><i>&nbsp;A</i><i>class="a" href</i>\n<pre>No text</pre>\n'
        ),
        "app/b.tsx": (
            "export const A = () => (\n  <div>\n    <p>Hello there</p>\n    <p>{name}</p>\n"
            "    <code>x = One</code>\n  </div>\n);\n"
        ),
        "app/b.jsx": "export const A = () => <p>Hello there</p>;\n",
        "app/a.ts": "const A = <p>Hello there</p>;\n",
        "app/a.css": (
            ".a { float: left; }\n.b { text-align:right }\n.c { border-right: 0; padding-left: 1px }\n"
            ".d { x-margin-left: 1px; scroll-margin-left: 1px; float: none; text-align: center }\n"
            ".btn-big { color: red;\n  width: 3rem }\n"
            "label { max-width: 3em }\nbutton { width: 30% }\nLABEL { width : 3em }\n"
        ),
        "app/lib.min.css": ".a { float: left; }\n",
    }
    assert told("i18n", {**CATALOGS, **files}) == snapshot("""\
warning left-or-right app/a.css:1: a side is named left or right
    .a { float: left; }
warning left-or-right app/a.css:2: a side is named left or right
    .b { text-align:right }
warning left-or-right app/a.css:3: a side is named left or right
    .c { border-right: 0; padding-left: 1px }
warning fixed-width app/a.css:5: something with text in it has a fixed width
    .btn-big { color: red;
warning fixed-width app/a.css:9: something with text in it has a fixed width
    LABEL { width : 3em }
warning hard-coded-text app/a.html:4: text stands in the page itself
    Hello <b>you</b> {{ name }} there
warning hard-coded-text app/b.jsx:1: text stands in the page itself
    export const A = () => <p>Hello there</p>;
warning hard-coded-text app/b.tsx:3: text stands in the page itself
    <p>Hello there</p>
""")


SCRIPT = """\
const a = n === 1 ? 'item' : 'items';
const b = n != 1 ? `items` : `item`;
const c = n === 2 ? 'item' : 'items';
const d = n === 1 ? item : 'items';
const e = name + t("greeting");
const f = $t('a.b') + name;
const g = i18n.t('a') + name;
const h = at('a') + name;
const i = sort(t('a'));
people.sort((a, b) => a.lastname < b.lastname ? 1 : -1);
people.sort((x, y) => x.title > y.title);
people.sort((a, b) => a.age - b.age);
const j = `$${price.toFixed(2)}`;
const k = '€' + price.toFixed(2);
const l = `${price.toFixed(2)} £`;
const m = price.toFixed(2);
"""


def test_what_ties_a_script(told: Told) -> None:
    assert told("i18n", {**CATALOGS, "app/a.js": SCRIPT, "app/a.test.ts": "", "tests/a.js": SCRIPT}) == snapshot("""\
warning home-made-plural app/a.js:1: the plural is chosen by `== 1`
    const a = n === 1 ? 'item' : 'items';
warning home-made-plural app/a.js:2: the plural is chosen by `== 1`
    const b = n != 1 ? `items` : `item`;
warning joined-translation app/a.js:5: a translation is put together with something else
    const e = name + t("greeting");
warning joined-translation app/a.js:6: a translation is put together with something else
    const f = $t('a.b') + name;
warning joined-translation app/a.js:7: a translation is put together with something else
    const g = i18n.t('a') + name;
note plain-sort app/a.js:10: text is sorted by code points
    people.sort((a, b) => a.lastname < b.lastname ? 1 : -1);
note plain-sort app/a.js:11: text is sorted by code points
    people.sort((x, y) => x.title > y.title);
warning hand-formatted-number app/a.js:13: an amount is formatted by hand
    const j = `$${price.toFixed(2)}`;
warning hand-formatted-number app/a.js:14: an amount is formatted by hand
    const k = '€' + price.toFixed(2);
warning hand-formatted-number app/a.js:15: an amount is formatted by hand
    const l = `${price.toFixed(2)} £`;
""")


def test_catalogs_are_compared_with_those_beside(told: Told, look: Look) -> None:
    files = {
        EN: '{"a": "A"}',
        DE: '{"b": "B"}',
        "locales/fr.json": "{",
        "locales/pl.json": "[1]",
        "web/locales/en.json": '{\n "c": {\n  "d": "D"}}',
        "web/en.json": '{"z": "Z"}',
    }
    assert told("i18n", files) == snapshot("""\
error missing-key locales/de.json:1: `a` is in locales/en.json and not here
    a
error missing-key locales/en.json:1: `b` is in locales/de.json and not here
    b
error nested-key web/locales/en.json:2: `c` holds further keys
    c
""")
    broken = look("i18n", {"app/a.py": "def (\n"})
    assert list(broken.coverage.failed) == ["app/a.py"]
