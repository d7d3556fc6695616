"""One report with everything in it, in every format."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from xml.etree.ElementTree import fromstring

import pytest
from inline_snapshot import snapshot

from omni.kernel.errors import OmniError
from omni.verify import registry
from omni.verify.outputs import FORMATS, MEDIA_TYPES, render
from omni.verify.report import NO_FILES, NOT_INSTALLED, CheckResult, Coverage, Finding, Report, Severity, Status


def finding(path: str, line: int | None, message: str, **more: str | int | Severity | tuple[str, ...]) -> Finding:
    fields: dict[str, object] = {"check": "lint", "rule": "R1", "severity": Severity.ERROR, "fingerprint": "f" * 24}
    return Finding.model_validate(fields | {"path": path, "line": line, "message": message} | more)


LINT = CheckResult(
    check="lint",
    title="No lint errors",
    tier=1,
    status=Status.FAIL,
    findings=(
        finding("a b.py", 3, "bad <b>thing</b>", snippet="x = '<b>'", why="It breaks.", fix="Mend it.", cwe="CWE-79"),
        finding("a b.py", 7, "bad again\x1b[31m", why="It breaks.", fix="Mend it."),
        finding("", None, "no manifest", severity=Severity.WARNING, rule="R2"),
    ),
    suppressed=(finding("c.py", 1, "known", suppressed="allowed in place: it stays"),),
    coverage=Coverage(seen=2, skipped={"c.min.js": "generated"}),
    seconds=0.25,
    tool="linter",
    tool_version="1.2",
    argv=("linter", "{files}"),
)
TYPES = CheckResult(
    check="types",
    title="Types fit",
    tier=1,
    status=Status.INCOMPLETE,
    reason="1 of 2 files not analysed: b.py (binary)",
    coverage=Coverage(seen=1, failed={"b.py": "binary"}),
    seconds=1.5,
    tool="typer",
    tool_version="3",
)
TESTS = CheckResult(
    check="tests", title="Tests pass", tier=2, status=Status.PASS, coverage=Coverage(seen=4), cached=True,
    metrics={"coverage.branch": 93.5},
)  # fmt: skip
SQL = CheckResult(check="sql", title="SQL is sound", tier=2, status=Status.SKIPPED, reason=NO_FILES)
OFF = CheckResult(
    check="spelling", title="Words", tier=2, status=Status.SKIPPED, reason="switched off in omni.toml: it is Latin"
)
REPORT = Report(
    target="app",
    tiers=(1, 2),
    results=(LINT, TYPES, SQL, OFF, TESTS),
    seconds=2,
    isolation="full",
    baseline="0123456789abcdef",
    changed="HEAD",
    files=Coverage(seen=3, skipped={f"{name}.png": "binary" for name in "abcde"}, failed={"b.py": "binary"}),
)


def test_text() -> None:
    assert render(REPORT, "text") == snapshot("""\
(the project)
           warning  lint/R2  no manifest

a b.py
        3  error  lint/R1  bad <b>thing</b>
           why  It breaks. (CWE-79)
           fix  Mend it.
        7  error  lint/R1  bad again�[31m
           why  It breaks.

Tier 1
  ✗ fail       lint      3 findings; 2 files; 0.25 s
  ? incomplete types     1 of 2 files not analysed: b.py (binary)
Tier 2
  - skipped    spelling  switched off in omni.toml: it is Latin
  ✓ pass       tests     4 files; cached
Skipped, since there are no such files: sql

Looked at 3 files.
Not looked at:
  1 path could not be analysed: binary (b.py)
  5 paths binary (a.png, b.png, c.png and 2 more)

2 errors, 1 warning, 1 suppressed; checks: 1 passed, 1 failed, 1 incomplete, 2 skipped
tiers 1 and 2 in 2.0 s; code of the project ran in full isolation; only what changed since HEAD; only findings new since 0123456789ab
FAIL: There are errors to mend.
""")  # noqa: E501 - as printed


def test_how_many_tests_a_change_left_out_is_told() -> None:
    some = TESTS.model_copy(update={"metrics": {"tests.left_out": 484.0, "tests.passed": 5.0, "tests.skipped": 1.0}})
    told = render(REPORT.model_copy(update={"results": (some,)}), "text")
    assert "since HEAD; 6 of 490 tests, since nothing that changed had run in the others; only findings" in told


def test_text_is_coloured_only_when_asked_and_never_steered_by_what_it_shows() -> None:
    assert "\x1b" not in render(REPORT, "text")
    colored = render(REPORT, "text", color=True)
    assert "\x1b[31mFAIL\x1b[0m" in colored
    assert "again\x1b" not in colored


def test_many_findings_of_one_rule_are_counted() -> None:
    many = LINT.model_copy(update={"findings": tuple(finding("a.py", line, "bad") for line in range(1, 50))})
    text = render(REPORT.model_copy(update={"results": (many,)}), "text")
    assert "… and 29 more findings of lint/R1 (--format json has all)" in text
    assert "     20  error" in text
    assert "     21  error" not in text


def test_verdicts() -> None:
    def last_line(*results: CheckResult) -> str:
        return render(REPORT.model_copy(update={"results": results}), "text").splitlines()[-1]

    assert last_line(TESTS) == "PASS: Every check that applies passed."
    assert last_line(TESTS, TYPES) == "INCOMPLETE: Not everything could be looked at, so this is no pass."
    assert last_line(SQL) == "INCOMPLETE: Not everything could be looked at, so this is no pass."
    assert last_line(TESTS, TYPES, LINT) == "FAIL: There are errors to mend."


RARE = CheckResult(
    check="rare",
    title="Rare things\x00",
    tier=1,
    status=Status.PASS,
    findings=(
        finding("b.py", 2, "één\ntwo", column=5, end_line=4, breaks=("R1", "GDPR-001"), severity=Severity.NOTE),
        finding("b.py", 2, "", column=1, end_line=1, breaks=("R1",), severity=Severity.NOTE),
    ),
    suppressed=(finding("é.py", None, "old", suppressed="already in the base"),),
    coverage=Coverage(seen=1),
)
BROKEN = CheckResult(check="broken", title="Broken", tier=1, status=Status.ERROR, reason="it\x1b broke")
ABSENT = CheckResult(check="absent", title="A", tier=3, status=Status.SKIPPED, reason=f"{NOT_INSTALLED}tool")
NOTED = CheckResult(check="noted", title="N", tier=3, status=Status.SKIPPED, reason="it stays quiet\x1b")
SECOND = Report(
    target="é\x01",
    tiers=(3,),
    results=(RARE, BROKEN, ABSENT, NOTED),
    seconds=0.04,
    isolation="reduced",
    policy=("src is generated\x1b",),
    files=Coverage(seen=1, failed={"x\x1b": "odd"}, skipped={"a": "b", "c": "a", "d": "b", "e": "b"}),
)


def test_text_of_rare_things() -> None:
    assert render(SECOND, "text") == snapshot("""\
b.py
      2:1  note  lint/R1  \n\
      2:5  note  lint/R1  één (GDPR-001)
           two

Tier 1
  ✓ pass       rare    2 findings; 1 file; 0.00 s
  ! error      broken  it� broke
Tier 3
  - skipped    noted   it stays quiet�
Skipped, since their tools are not installed (omni tools list says how to get them): absent

The project's own policy:
  src is generated�

Looked at 1 file.
Not looked at:
  1 path could not be analysed: odd (x�)
  3 paths b (a, d, e)
  1 path a (c)

2 notes, 1 suppressed; checks: 1 passed, 1 broke, 2 skipped
tier 3 in 0.0 s; code of the project ran in REDUCED isolation
INCOMPLETE: Not everything could be looked at, so this is no pass.
""")


def test_a_report_without_anything() -> None:
    empty = Report(target="x", tiers=(1,), results=(), seconds=0, isolation="none", files=Coverage())
    assert render(empty, "text") == snapshot("""\

Looked at 0 files.

no findings; checks: none
tier 1 in 0.0 s; no code of the project was run
INCOMPLETE: Not everything could be looked at, so this is no pass.
""")
    assert render(empty, "comment") == snapshot("""\
<!-- omni verify -->
### Omni: incomplete. Not everything could be looked at, so this is no pass.

no findings; checks: none

See the same: `omni verify . --tier 1`
""")


def test_comment() -> None:
    assert render(REPORT, "comment") == snapshot("""\
<!-- omni verify -->
### Omni: fail. There are errors to mend.

2 errors, 1 warning, 1 suppressed; checks: 1 passed, 1 failed, 1 incomplete, 2 skipped

**New**

- **error** `a b.py:3` `bad <b>thing</b>` (`lint/R1`)
  - mend: `Mend it.`
- **error** `a b.py:7` `bad again\x1b[31m` (`lint/R1`)
  - mend: `Mend it.`
- **warning** `the project` `no manifest` (`lint/R2`)

**Not answered**

- `types`: `1 of 2 files not analysed: b.py (binary)`

See the same: `omni verify . --tier 2 --new --base 0123456789ab`
""")
    assert render(SECOND, "comment") == snapshot("""\
<!-- omni verify -->
### Omni: incomplete. Not everything could be looked at, so this is no pass.

2 notes, 1 suppressed; checks: 1 passed, 1 broke, 2 skipped

**Found**

- **note** `b.py:2` `één two` (`lint/R1`)
- **note** `b.py:2` ` ` (`lint/R1`)

1 finding of the base stayed.

**Not answered**

- `broken`: `it\x1b broke`

See the same: `omni verify . --tier 3`
""")


def test_a_comment_names_ten_findings_and_ten_questions_the_gravest_first() -> None:
    notes = tuple(finding("a.py", line, "bad", severity=Severity.NOTE) for line in range(11, 0, -1))
    open_ones = tuple(BROKEN.model_copy(update={"check": f"b{number}"}) for number in range(12))
    worst = (finding("z.py", 1, "worst"), finding("y.py", 1, "bad", severity=Severity.WARNING))
    first = LINT.model_copy(update={"findings": (*notes, *worst)})
    lines = render(REPORT.model_copy(update={"results": (first, *open_ones)}), "comment").splitlines()
    assert [line.split("`")[1] for line in lines if line.startswith("- **")] == [
        "z.py:1", "y.py:1", *(f"a.py:{line}" for line in range(1, 9)),
    ]  # fmt: skip
    assert "- … and 3 more findings" in lines
    assert [line.split("`")[1] for line in lines if line.startswith("- `b")] == [f"b{number}" for number in range(10)]


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("a\n  b", "`a b`"),
        ("a `b` c", "``a `b` c``"),
        ("`b", "`` `b ``"),
        ("b``", "``` b`` ```"),
        (" ", "` `"),
        ("x" * 200, f"`{'x' * 200}`"),
        ("x" * 201, f"`{'x' * 199}…`"),
    ],
)
def test_what_a_repository_says_stays_in_its_code_span(message: str, shown: str) -> None:
    told = REPORT.model_copy(update={"results": (LINT.model_copy(update={"findings": (finding("a", 1, message),)}),)})
    assert f"- **error** `a:1` {shown} (`lint/R1`)\n" in render(told, "comment")


def test_json_holds_everything() -> None:
    assert "\n  " in render(REPORT, "json")
    assert "é" in render(SECOND, "json")
    assert next(iter(json.loads(render(REPORT, "json")))) == "verdict"
    data = json.loads(render(REPORT, "json"))
    assert data.pop("verdict") == "fail"
    assert Report.model_validate(data) == REPORT


def test_ndjson_ends_with_the_result() -> None:
    rows = [json.loads(line) for line in render(REPORT, "ndjson").splitlines()]
    kinds = [row["type"] for row in rows]
    assert kinds == ["finding"] * 4 + ["check"] * 5 + ["result"]
    assert rows[0] == {"type": "finding", **LINT.findings[0].model_dump(mode="json")}
    assert rows[3] == {"type": "finding", **LINT.suppressed[0].model_dump(mode="json")}
    assert rows[4] == {"type": "check", **LINT.model_dump(mode="json", exclude={"findings", "suppressed"})}
    assert "é" in render(SECOND, "ndjson")
    assert rows[-1] == snapshot(
        {
            "type": "result",
            "verdict": "fail",
            "findings": 3,
            "target": "app",
            "tiers": [1, 2],
            "seconds": 2.0,
            "isolation": "full",
            "baseline": "0123456789abcdef",
            "changed": "HEAD",
            "policy": [],
            "files": {
                "seen": 3,
                "skipped": {
                    "a.png": "binary",
                    "b.png": "binary",
                    "c.png": "binary",
                    "d.png": "binary",
                    "e.png": "binary",
                },
                "failed": {"b.py": "binary"},
            },
        }
    )


def test_sarif() -> None:
    log = json.loads(render(REPORT, "sarif"))
    assert (log["version"], len(log["runs"])) == ("2.1.0", 5)
    assert log["runs"][0] == snapshot(
        {
            "tool": {
                "driver": {
                    "name": "linter",
                    "rules": [
                        {
                            "id": "R1",
                            "fullDescription": {"text": "It breaks."},
                            "help": {"text": "Mend it."},
                            "properties": {"tags": ["external/cwe/cwe-79", "security"]},
                        },
                        {"id": "R2"},
                    ],
                    "version": "1.2",
                }
            },
            "automationDetails": {"id": "omni/lint/", "description": {"text": "No lint errors"}},
            "columnKind": "unicodeCodePoints",
            "invocations": [
                {
                    "executionSuccessful": True,
                    "commandLine": "linter {files}",
                    "toolExecutionNotifications": [
                        {
                            "level": "note",
                            "message": {"text": "generated"},
                            "locations": [
                                {
                                    "physicalLocation": {
                                        "artifactLocation": {"uri": "c.min.js", "uriBaseId": "%SRCROOT%"}
                                    }
                                }
                            ],
                        }
                    ],
                }
            ],
            "results": [
                {
                    "ruleId": "R1",
                    "ruleIndex": 0,
                    "level": "error",
                    "message": {"text": "bad <b>thing</b>"},
                    "partialFingerprints": {"omni/v1": "ffffffffffffffffffffffff"},
                    "locations": [
                        {
                            "physicalLocation": {
                                "artifactLocation": {"uri": "a%20b.py", "uriBaseId": "%SRCROOT%"},
                                "region": {"startLine": 3, "snippet": {"text": "x = '<b>'"}},
                            }
                        }
                    ],
                },
                {
                    "ruleId": "R1",
                    "ruleIndex": 0,
                    "level": "error",
                    "message": {"text": "bad again\x1b[31m"},
                    "partialFingerprints": {"omni/v1": "ffffffffffffffffffffffff"},
                    "locations": [
                        {
                            "physicalLocation": {
                                "artifactLocation": {"uri": "a%20b.py", "uriBaseId": "%SRCROOT%"},
                                "region": {"startLine": 7, "snippet": {"text": ""}},
                            }
                        }
                    ],
                },
                {
                    "ruleId": "R2",
                    "ruleIndex": 1,
                    "level": "warning",
                    "message": {"text": "no manifest"},
                    "partialFingerprints": {"omni/v1": "ffffffffffffffffffffffff"},
                },
                {
                    "ruleId": "R1",
                    "ruleIndex": 0,
                    "level": "error",
                    "message": {"text": "known"},
                    "partialFingerprints": {"omni/v1": "ffffffffffffffffffffffff"},
                    "locations": [
                        {
                            "physicalLocation": {
                                "artifactLocation": {"uri": "c.py", "uriBaseId": "%SRCROOT%"},
                                "region": {"startLine": 1, "snippet": {"text": ""}},
                            }
                        }
                    ],
                    "suppressions": [{"kind": "inSource", "justification": "allowed in place: it stays"}],
                },
            ],
            "properties": {"tier": 1, "status": "fail", "seconds": 0.25, "filesSeen": 2, "metrics": {}},
        }
    )
    assert log["runs"][1]["invocations"] == snapshot(
        [
            {
                "executionSuccessful": False,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": "1 of 2 files not analysed: b.py (binary)"}},
                    {
                        "level": "error",
                        "message": {"text": "binary"},
                        "locations": [
                            {"physicalLocation": {"artifactLocation": {"uri": "b.py", "uriBaseId": "%SRCROOT%"}}}
                        ],
                    },
                ],
            }
        ]
    )


def test_sarif_of_rare_things() -> None:
    text = render(SECOND, "sarif")
    log = json.loads(text)
    assert "é" in text
    assert log["$schema"].endswith("/sarif-schema-2.1.0.json")
    assert log["runs"][0]["results"] == snapshot(
        [
            {
                "ruleId": "R1",
                "ruleIndex": 0,
                "level": "note",
                "message": {
                    "text": """\
één
two\
"""
                },
                "partialFingerprints": {"omni/v1": "ffffffffffffffffffffffff"},
                "properties": {"breaks": ["R1", "GDPR-001"]},
                "locations": [
                    {
                        "physicalLocation": {
                            "artifactLocation": {"uri": "b.py", "uriBaseId": "%SRCROOT%"},
                            "region": {"startLine": 2, "snippet": {"text": ""}, "startColumn": 5, "endLine": 4},
                        }
                    }
                ],
            },
            {
                "ruleId": "R1",
                "ruleIndex": 0,
                "level": "note",
                "message": {"text": ""},
                "partialFingerprints": {"omni/v1": "ffffffffffffffffffffffff"},
                "properties": {"breaks": ["R1"]},
                "locations": [
                    {
                        "physicalLocation": {
                            "artifactLocation": {"uri": "b.py", "uriBaseId": "%SRCROOT%"},
                            "region": {"startLine": 2, "snippet": {"text": ""}, "startColumn": 1},
                        }
                    }
                ],
            },
            {
                "ruleId": "R1",
                "ruleIndex": 0,
                "level": "error",
                "message": {"text": "old"},
                "partialFingerprints": {"omni/v1": "ffffffffffffffffffffffff"},
                "locations": [
                    {"physicalLocation": {"artifactLocation": {"uri": "%C3%A9.py", "uriBaseId": "%SRCROOT%"}}}
                ],
                "suppressions": [{"kind": "external", "justification": "already in the base"}],
            },
        ]
    )
    assert [(run["tool"], run["invocations"], run["properties"]) for run in log["runs"][1:]] == snapshot(
        [
            (
                {"driver": {"name": "omni", "rules": []}},
                [
                    {
                        "executionSuccessful": False,
                        "toolExecutionNotifications": [{"level": "error", "message": {"text": "it\x1b broke"}}],
                    }
                ],
                {"tier": 1, "status": "error", "seconds": 0.0, "filesSeen": 0, "metrics": {}},
            ),
            (
                {"driver": {"name": "omni", "rules": []}},
                [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [
                            {"level": "note", "message": {"text": "its tool is not installed: tool"}}
                        ],
                    }
                ],
                {"tier": 3, "status": "skipped", "seconds": 0.0, "filesSeen": 0, "metrics": {}},
            ),
            (
                {"driver": {"name": "omni", "rules": []}},
                [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [{"level": "note", "message": {"text": "it stays quiet\x1b"}}],
                    }
                ],
                {"tier": 3, "status": "skipped", "seconds": 0.0, "filesSeen": 0, "metrics": {}},
            ),
        ]
    )


def test_sarif_says_of_a_rule_why_and_how_to_mend_it() -> None:
    full = finding("a", 1, "m", rule="R2", why="W.", fix="F.", cwe="CWE-79")
    result = RARE.model_copy(update={"findings": (finding("a", 1, "m"), full)})
    (run,) = json.loads(render(REPORT.model_copy(update={"results": (result,)}), "sarif"))["runs"]
    assert run["tool"]["driver"] == snapshot(
        {
            "name": "omni",
            "rules": [
                {"id": "R1"},
                {
                    "id": "R2",
                    "fullDescription": {"text": "W."},
                    "help": {"text": "F."},
                    "properties": {"tags": ["external/cwe/cwe-79", "security"]},
                },
            ],
        }
    )


def test_sarif_has_a_rules_own_text_whatever_its_findings_say() -> None:
    """What one finding alone says stays with it; what is said of a rule does not hang on the order."""
    same = {"rule": "arg-type", "why": "W."}
    findings = (finding("a", 1, "m", fix="F.", **same), finding("a", 2, "n", fix="Add `str`.", **same))
    for check, said in (("types", {"help": {"text": registry.get("types").advice}}), ("no-such", {})):
        for each in (findings, findings[::-1]):
            result = RARE.model_copy(update={"check": check, "findings": each, "suppressed": ()})
            (run,) = json.loads(render(REPORT.model_copy(update={"results": (result,)}), "sarif"))["runs"]
            assert run["tool"]["driver"]["rules"] == [{"id": "arg-type", "fullDescription": {"text": "W."}, **said}]
            assert [told["properties"] for told in run["results"]] == [{"fix": one.fix} for one in each]


def test_sarif_names_a_thousand_files_that_were_not_seen() -> None:
    many = TESTS.model_copy(update={"coverage": Coverage(failed={f"{number:04}": "odd" for number in range(1001)})})
    (run,) = json.loads(render(REPORT.model_copy(update={"results": (many,)}), "sarif"))["runs"]
    told = run["invocations"][0]["toolExecutionNotifications"]
    places = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in told]
    assert places == [f"{number:04}" for number in range(1000)]


def test_junit_of_rare_things() -> None:
    text = render(SECOND, "junit")
    fromstring(text.partition("\n")[2])  # noqa: S314 - our own
    assert text == snapshot("""\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="omni verify é�" time="0.040">
  <testsuite name="tier 1" tests="2" failures="0" errors="1" skipped="0" time="0.000">
    <testcase name="Rare things�" classname="rare" time="0.000">
      <system-out>b.py:2:5: note: R1: één
two
b.py:2:1: note: R1: </system-out>
    </testcase>
    <testcase name="Broken" classname="broken" time="0.000">
      <error message="it� broke" type="error" />
    </testcase>
  </testsuite>
  <testsuite name="tier 3" tests="2" failures="0" errors="0" skipped="2" time="0.000">
    <testcase name="A" classname="absent" time="0.000">
      <skipped message="its tool is not installed: tool" />
    </testcase>
    <testcase name="N" classname="noted" time="0.000">
      <skipped message="it stays quiet�" />
    </testcase>
  </testsuite>
</testsuites>
""")


def test_junit() -> None:
    text = render(REPORT, "junit")
    fromstring(text.partition("\n")[2])  # noqa: S314 - our own
    assert text == snapshot("""\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="omni verify app" time="2.000">
  <testsuite name="tier 1" tests="2" failures="1" errors="1" skipped="0" time="1.750">
    <testcase name="No lint errors" classname="lint" time="0.250">
      <failure message="3 findings" type="lint">a b.py:3: error: R1: bad &lt;b&gt;thing&lt;/b&gt;
a b.py:7: error: R1: bad again�[31m
: warning: R2: no manifest</failure>
    </testcase>
    <testcase name="Types fit" classname="types" time="1.500">
      <error message="1 of 2 files not analysed: b.py (binary)" type="incomplete" />
    </testcase>
  </testsuite>
  <testsuite name="tier 2" tests="3" failures="0" errors="0" skipped="2" time="0.000">
    <testcase name="SQL is sound" classname="sql" time="0.000">
      <skipped message="there are no such files" />
    </testcase>
    <testcase name="Words" classname="spelling" time="0.000">
      <skipped message="switched off in omni.toml: it is Latin" />
    </testcase>
    <testcase name="Tests pass" classname="tests" time="0.000" />
  </testsuite>
</testsuites>
""")


class Page(HTMLParser):
    """What a browser would see: text, ids, and any tag that loads or runs something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.ids: list[str] = []
        self.foreign: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.ids += [named["id"] or ""] if "id" in named else []
        if tag in {"script", "link", "img", "iframe", "b" if self.text.endswith("bad ") else "-"} or "src" in named:
            self.foreign.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_alone_and_shows_what_is_hostile_as_text() -> None:
    html = render(REPORT, "html")
    page = Page(html)
    assert page.foreign == []
    assert page.ids == ["findings", "show-error", "show-warning", "show-note", "checks", "coverage"]
    assert "bad <b>thing</b>" in page.text
    assert "switched off in omni.toml: it is Latin" in page.text
    assert "prefers-color-scheme: dark" in html


def test_every_format_has_a_media_type_and_another_is_one_clear_error() -> None:
    assert set(FORMATS) == set(MEDIA_TYPES)
    with pytest.raises(OmniError, match="There is no such format: “pdf”"):
        render(REPORT, "pdf")
