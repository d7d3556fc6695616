from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest

from omni.verify.check import Check, Context, Item
from omni.verify.checks.exceptions import CHECKS as EXCEPTIONS
from omni.verify.config import ProjectConfig, Waiver
from omni.verify.report import Report
from omni.verify.suppression import Allowance, allowances

Write = Callable[[Mapping[str, str | bytes]], Path]
Verify = Callable[..., Report]


def bad_lines(context: Context) -> Iterator[Item]:
    for file in context.files:
        for number, line in enumerate(context.text(file).splitlines(), 1):
            if "BAD" in line:
                yield context.finding("bad", "it is bad", file.path, number)


OWN = Check(id="own", title="own", tier=1, languages=("python",), run=bad_lines)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = 1  # omni: allow own because the API wants it", Allowance(1, 1, "own", "the API wants it")),
        ("# omni: allow own/bad because below", Allowance(2, 1, "own/bad", "below")),
        ("  // omni: allow no-eval because sandboxed", Allowance(2, 1, "no-eval", "sandboxed")),
        ("x; /* omni: allow S608 because constant */", Allowance(1, 1, "S608", "constant")),
        ("<!-- omni: allow MD001 because generated -->", Allowance(2, 1, "MD001", "generated")),
        ("SELECT 1 -- omni: allow own because of SQL", Allowance(1, 1, "own", "of SQL")),
        ("x = 1  # omni: allow own", Allowance(1, 1, "own", "")),
        ("x = 1  # omni: allow own because", None),
        ("say `# omni: allow RULE because REASON` here", None),
        ("omni: allow own because it is no comment", None),
    ],
)
def test_a_comment_allows_a_rule_for_a_reason(line: str, expected: Allowance | None) -> None:
    found = next(allowances(line), None)
    if expected is None:
        assert found is None or found.rule == "RULE" or not found.reason
    else:
        assert found == expected


def test_an_allowed_finding_does_not_count_and_is_told(write: Write, verify: Verify) -> None:
    write({"a.py": "BAD  # omni: allow own because it stays\n# omni: allow bad because here too\nBAD\nBAD\n"})
    report = verify(OWN)
    assert [finding.line for finding in report.findings] == [4]
    assert [(each.line, each.suppressed) for each in report.results[0].suppressed] == [
        (1, "allowed in place: it stays"),
        (3, "allowed in place: here too"),
    ]


def test_without_a_reason_nothing_is_allowed_and_that_is_a_finding(write: Write, verify: Verify) -> None:
    write({"a.py": "BAD  # omni: allow own\n"})
    report = verify(OWN, *EXCEPTIONS)
    assert [(finding.rule, finding.message) for finding in report.findings] == [
        ("without-reason", "own is allowed here without a reason, so it is not"),
        ("bad", "it is bad"),
    ]


def test_another_rule_is_not_allowed(write: Write, verify: Verify) -> None:
    write({"a.py": "BAD  # omni: allow other because it is another\n"})
    assert len(verify(OWN).findings) == 1


def test_a_waiver_holds_until_its_day(write: Write, verify: Verify) -> None:
    write({"a.py": "BAD\n", "lib/b.py": "BAD\n", "omni.toml": ""})
    for until, left in ((date(2999, 1, 1), ["a.py"]), (date(2020, 1, 1), ["a.py", "lib/b.py"])):
        waiver = Waiver(rule="own/bad", path="lib/**", who="Ada", because="a vendor's file", until=until)
        config = ProjectConfig(waivers=(waiver,))
        report = verify(OWN, *EXCEPTIONS, config=config)
        assert [finding.path for finding in report.findings if finding.check == "own"] == left
        expired = [finding.message for finding in report.findings if finding.check == "waivers"]
        assert expired == ([f"the waiver of own/bad for lib/** by Ada ended on {until}"] if until.year == 2020 else [])
    suppressed = verify(OWN, config=ProjectConfig(waivers=(waiver.model_copy(update={"until": date(2999, 1, 1)}),)))
    assert suppressed.results[0].suppressed[0].suppressed == "waived by Ada until 2999-01-01: a vendor's file"
