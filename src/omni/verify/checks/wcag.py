"""Pages that everybody can use, as far as templates and style sheets tell: WCAG 2.1 AA, and target size.

What a page looks like when it runs is measured with axe-core in a browser, at tier 3; see `wcag_browser.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni.verify.accessibility import elements
from omni.verify.accessibility.looks import looks
from omni.verify.accessibility.page import page
from omni.verify.analysis.markup import DYNAMIC, parse_markup
from omni.verify.analysis.minified import MINIFIED
from omni.verify.analysis.places import BESIDE_THE_PRODUCT
from omni.verify.analysis.rule import line_of
from omni.verify.check import Check, Context, Item, Scope
from omni.verify.files import File
from omni.verify.profile import SEVERITIES, ProfileRule, get

PROFILE = get("wcag")
RULES: dict[str, ProfileRule] = {
    name.partition("/")[2]: rule for name, rule in PROFILE.breakers() if name.startswith("wcag/")
}
"""Rule of this check → the success criterion that it breaks."""


def run(context: Context) -> Iterator[Item]:
    for file in context.files:
        if BESIDE_THE_PRODUCT.search(file.path) or (file.language in SCRIPTS and not file.path.endswith(("x", "vue"))):
            continue
        if MINIFIED.search(file.path):
            continue
        text = context.text(file)
        for name, line, message in dict.fromkeys(_faults(file, text)):
            rule = RULES[name]
            yield context.finding(
                name,
                message,
                file.path,
                line,
                severity=SEVERITIES[rule.level],
                why=f"{rule.why} ({rule.id.replace('-', ' ')})",
                fix=rule.mend,
                snippet=line_of(text, line),
            )


def _faults(file: File, text: str) -> Iterator[elements.Fault]:
    if file.language == "css":
        yield from looks(text)
        return
    root = parse_markup(text, jsx=file.language in SCRIPTS)
    everything = list(root.all())
    said = [each.get("for") or each.get("htmlfor") or "" for each in everything if each.name.lower().endswith("label")]
    labelled, dynamic = frozenset(each for each in said if each), any(DYNAMIC in each for each in said)
    for each in everything:
        yield from elements.images(each)
        yield from elements.labels(each, labelled, dynamic)
        yield from elements.names(each)
        yield from elements.keyboard(each)
        yield from elements.roles(each)
        yield from elements.media(each)
        yield from elements.colour_alone(each)
    mail = MAIL.search(file.path) is not None
    yield from (fault for fault in page(root, text) if not mail or fault[0] not in OF_A_WINDOW)


SCRIPTS = frozenset({"javascript", "typescript"})
MAIL = re.compile(r"(^|[/_.-])e?mails?([/_.-]|$)", re.IGNORECASE)
OF_A_WINDOW = frozenset({"page-title", "landmark", "skip-link"})
"""What a mail, which is shown within another page, does not need."""

CHECK = Check(
    id="wcag",
    title="Pages can be used by everybody",
    tier=1,
    scope=Scope.FILE,
    languages=("html", "jinja", "css", "vue"),
    globs=("*.tsx", "*.jsx"),
    run=run,
)
