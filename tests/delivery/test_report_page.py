from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.delivery import report_page, wording
from omni.delivery.report_page import (
    CriterionProof,
    Fact,
    Missing,
    Phrase,
    ReportContext,
    ScoreEvidence,
    ScoreJudged,
    ScoreRow,
    Screenshot,
    Specialist,
    Step,
    render,
)
from omni.spec.asked import PartStatus
from omni.spec.compiler import compile_request
from omni.spec.request import parse_request
from omni.verify.report import CheckResult, Coverage, Finding, Report, Severity, Status

_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_VOID = {"meta", "img", "br", "rect"}
_OUTCOMES = {
    PartStatus.MAPPED: "delivered",
    PartStatus.QUESTION: "assumed",
    PartStatus.NOT_DELIVERED: "not-delivered",
    PartStatus.NARRATIVE: "narrative",
}


class _Page(HTMLParser):
    """What a test wants to know of a page; raises when elements do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []
        self.text = re.sub(r"\s+", " ", " ".join(self.texts))
        self.ids = [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)


def _context(
    request: str = "A todo app with user auth. It recognises handwriting. Thanks!", **given: object
) -> ReportContext:
    spec = compile_request(parse_request(request))
    phrases = [
        Phrase.model_validate({"part": part.id, "text": part.text, "outcome": _OUTCOMES[part.status], "why": part.note})
        for part in spec.parts
    ]
    found = Finding(
        check="bandit", rule="B101", severity=Severity.NOTE, path="src/a.py", line=3, message="Assert", fix="Raise."
    )
    tests = CheckResult(
        check="tests",
        title="Tests",
        tier=2,
        status=Status.PASS,
        coverage=Coverage(seen=9),
        metrics={"coverage.branch": 96.4},
    )
    bandit = CheckResult(check="bandit", title="Security patterns", tier=2, status=Status.PASS, findings=(found,))
    audit = CheckResult(check="audit", title="Vulnerabilities", tier=2, status=Status.INCOMPLETE, reason="no network")
    values: dict[str, object] = {
        "spec": spec,
        "verdict": "fail",
        "reasons": ("Handwriting is missing.",),
        "made": datetime(2026, 11, 21, 9, 5, tzinfo=UTC),
        "phrases": phrases,
        "proofs": [CriterionProof(id=spec.criteria[0].id, result="passed", tests=("tests/test_a.py",))],
        "reports": [Report(target=".", tiers=(2,), results=(tests, bandit, audit), seconds=1, isolation="full")],
        "scores": [
            ScoreRow(dimension="tests", title="Tests", score=9.6, evidence=(ScoreEvidence(source="c", says="96 %"),)),
            ScoreRow(dimension="speed", title="Performance", score=None),
        ],
        "files": 96,
        "lines": 4210,
        "deployment": [Fact(label="Started in", value="0.9 s", ok=True), Fact(label="Stopped", value="late", ok=False)],
        "screenshots": [Screenshot(title="Todos", alt="Three todos", media_type="image/png", data=_PIXEL)],
        "run": [Step(title="Run it", command="make run")],
        "provenance": [Fact(label="Commit", value="c0ffee")],
        "versions": {"Omni": "0.1.0"},
        "seconds": [("Specification", 0.4), ("Fast verification", 65.0)],
    }
    return ReportContext.model_validate(values | given)


def test_what_was_not_delivered_stands_first_in_the_words_of_the_request() -> None:
    page = _Page(render(_context(missing=(Missing(what="operation todo.scan", why="No template reads photos."),))))
    missing = page.text.index("“It recognises handwriting.”")
    assert page.text.index("Not ready") < missing < page.text.index("What was asked")
    assert missing < page.text.index("operation todo.scan") < page.text.index("What was asked")


def test_a_waived_part_is_named_and_one_without_gaps_says_so() -> None:
    waived = (Phrase(part="P1", text="A todo app", outcome="waived", why="Given up."),)
    html = render(_context("A todo app", phrases=waived))
    assert "given up by name" in html
    assert 'class="panel warn"' in html
    whole = _context("A todo app", verdict="pass", reasons=())
    assert "Everything that was asked for is delivered." in render(whole)
    assert "Delivered and proved" in render(whole)


def test_every_word_of_the_request_is_on_the_page_once_in_order_with_its_outcome() -> None:
    context = _context()
    html = render(context)
    quote = html[html.index('<blockquote class="request">') : html.index("</blockquote>")]
    words = re.sub(r"<sup>.*?</sup>|<[^>]*>|&#8288;", "", quote)
    assert words == context.spec.request.text
    assert [phrase.outcome for phrase in context.phrases] == ["delivered", "delivered", "not-delivered", "narrative"]
    assert re.findall(r'<mark class="(\w+)">', quote) == ["pass", "pass", "fail", "mute"]


def test_what_a_model_judged_stands_beside_the_evidence() -> None:
    """With the lines that it quoted, where it disagrees, and whether it judged its own work."""
    judged = ScoreJudged(
        score=2,
        because="anybody may <wipe> it",
        cites=("src/a.py:3",),
        model="local/judge",
        review="code",
        independent=True,
    )
    row = ScoreRow(dimension="security", title="Security", score=2, measured=9, judged=judged, disagreement=7)
    text = _Page(render(_context(scores=(row,)))).text
    assert "local/judge gives 2.0: anybody may <wipe> it src/a.py:3 . The checks give 9.0: they disagree" in text
    assert "of two, the lower counts" in text
    assert "evidence alone" not in text
    own = row.model_copy(update={"judged": judged.model_copy(update={"independent": False})})
    assert "It wrote this itself" in _Page(render(_context(scores=(own,)))).text


def test_who_worked_on_it_stands_by_name_with_what_came_of_it() -> None:
    asked = Specialist(
        role="P1.1",
        title="Planner agent",
        stage="specification",
        model="own/one",
        tokens=1234,
        outcome="handed over",
        why="3 steps",
    )
    silent = asked.model_copy(update={"model": "", "outcome": "failed", "why": ""})
    page = _Page(render(_context(specialists=(asked, silent))))
    assert "P1.1 Planner agent specification, own/one, 1,234 tokens Handed over: 3 steps" in page.text
    assert "P1.1 Planner agent specification, no model, 1,234 tokens Failed" in page.text
    assert "Specialists" not in _Page(render(_context())).text


def test_evidence_and_its_absence_are_both_shown() -> None:
    context = _context()
    page = _Page(render(context))
    assert f"1 of {len(context.spec.criteria)} acceptance criteria shown by tests" in _figures(page)
    assert "2 of 3 checks passed" in _figures(page)
    assert "96 % of the branches in the code run in tests" in _figures(page)
    assert page.text.count("no test") == len(context.spec.criteria) - 1
    for said in ("no network", "incomplete", "1 note", "not assessed", "not as promised", "1 min 5 s", "src/a.py:3"):
        assert said in page.text, said
    for criterion in context.spec.criteria:
        assert criterion.then[1:] in page.text
    for entity in context.spec.entities:
        assert all(field.label in page.text for field in entity.fields)


def _figures(page: _Page) -> str:
    """The figures, each number before what it says; on the page it is the other way about."""
    labels = re.findall(r"(acceptance[^0-9]*|checks passed|of the branches[^0-9]*) ([0-9]+ (?:of [0-9]+|%))", page.text)
    return "; ".join(f"{number} {says.strip()}" for says, number in labels)


def test_it_is_one_file_that_loads_and_runs_nothing() -> None:
    html = render(_context())
    page = _Page(html)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "form", "base"}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    sources = [attributes[name] for _, attributes in page.tags for name in ("src", "href") if name in attributes]
    assert all(source is not None and source.startswith(("data:image/png;base64,", "#")) for source in sources)
    assert "url(" not in html
    assert "@import" not in html


def test_it_is_built_for_everybody() -> None:
    page = _Page(render(_context()))
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert len(page.ids) == len(set(page.ids))
    anchors = {str(attributes["href"])[1:] for tag, attributes in page.tags if tag == "a"}
    assert anchors <= set(page.ids)
    assert all(attributes.get("alt") for tag, attributes in page.tags if tag == "img")
    assert dict(page.tags)["html"] == {"lang": "en"}
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in page.tags}


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=40))
def test_nothing_in_the_data_becomes_markup(text: str) -> None:
    hostile = f"<script>alert(1)</script>\"'><img src=x onerror=y>{text}{{{{7*7}}}}"
    context = _context(
        "A todo app",
        phrases=(Phrase(part="P1", text=hostile, outcome="not-delivered", why=hostile),),
        reasons=(hostile,),
        run=(Step(title=hostile, command=hostile),),
        provenance=(Fact(label=hostile, value=hostile),),
        specialists=(
            Specialist(role="P1.1", title=hostile, stage="", model=hostile, tokens=0, outcome=hostile, why=hostile),
        ),
        screenshots=(Screenshot(title=hostile, alt=hostile, media_type="image/png", data=_PIXEL),),
    )
    html = render(context)
    page = _Page(html)
    assert not {"script"} & {tag for tag, _ in page.tags}
    assert len([tag for tag, _ in page.tags if tag == "img"]) == 1
    assert "{{7*7}}" in html


def test_the_same_context_gives_the_same_page() -> None:
    assert render(_context()) == render(_context())


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0.0 s"), (0.44, "0.4 s"), (9.99, "10.0 s"), (12.4, "12 s"), (185, "3 min 5 s"), (119.7, "2 min 0 s")],
)
def test_durations_read_as_a_person_says_them(seconds: float, said: str) -> None:
    assert wording.duration(seconds) == said


_CSS = (Path(report_page.__file__).parent / "report.css").read_text()


def _luminance(color: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "back"),
    [
        *((name, back) for name in ("ink", "soft", "link") for back in ("page", "card")),
        *((name, f"{name}-back") for name in ("pass", "fail", "warn", "note", "mute")),
        *((name, "card") for name in ("pass", "fail", "warn")),
        *(("soft", f"{name}-back") for name in ("note",)),
        ("link", "note-back"),
    ],
)
def test_every_pair_of_colours_has_the_contrast_of_wcag_aa(scheme: str, ink: str, back: str) -> None:
    light, dark = _CSS.split("@media (prefers-color-scheme: dark)", 1)
    colors = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light if scheme == "light" else dark))
    bright, dim = sorted((_luminance(colors[ink]), _luminance(colors[back])), reverse=True)
    assert (bright + 0.05) / (dim + 0.05) >= 4.5
