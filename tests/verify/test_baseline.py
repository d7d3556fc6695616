"""What a base commit had already does not count; what it could not say is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.verify.baseline import _against
from omni.verify.check import Check, Context, Item
from omni.verify.report import CheckResult, Coverage, Finding, Report, Severity, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
Verify = Callable[..., Report]
Git = Callable[..., str]

COMMIT = "0123456789abcdef"


def finding(mark: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(check="own", rule="r", severity=severity, path="", message=mark, fingerprint=mark)


def result(status: Status, *findings: Finding, reason: str = "") -> CheckResult:
    return CheckResult(
        check="own", title="own", tier=1, status=status, reason=reason, findings=findings, coverage=Coverage()
    )


OLD, NEW, HINT = finding("old"), finding("new"), finding("hint", Severity.WARNING)


@pytest.mark.parametrize(
    ("now", "before", "status", "reason", "left"),
    [
        (result(Status.FAIL, OLD, NEW), result(Status.FAIL, OLD), Status.FAIL, "", ["new"]),
        (result(Status.FAIL, OLD), result(Status.FAIL, OLD), Status.PASS, "", []),
        (result(Status.FAIL, OLD, HINT), result(Status.FAIL, OLD), Status.PASS, "", ["hint"]),
        (result(Status.FAIL, OLD, reason="half"), result(Status.FAIL, OLD), Status.INCOMPLETE, "half", []),
        (result(Status.INCOMPLETE, HINT, reason="half"), result(Status.PASS), Status.INCOMPLETE, "half", ["hint"]),
        (
            result(Status.FAIL, NEW, reason="half"),
            result(Status.ERROR, reason="it crashed"),
            Status.FAIL,
            "half; the base could not be compared in full: it crashed",
            ["new"],
        ),
        (
            result(Status.FAIL, NEW),
            result(Status.INCOMPLETE, reason="no tool"),
            Status.FAIL,
            "the base could not be compared in full: no tool",
            ["new"],
        ),
        (result(Status.FAIL, OLD), result(Status.INCOMPLETE, OLD, reason="no tool"), Status.PASS, "", []),
    ],
)
def test_only_what_is_new_counts(
    now: CheckResult, before: CheckResult, status: Status, reason: str, left: list[str]
) -> None:
    judged = _against(now, before, COMMIT)
    assert (judged.status, judged.reason, [each.message for each in judged.findings]) == (status, reason, left)
    gone = [each.message for each in now.findings if each.message not in left]
    assert [(each.message, each.suppressed) for each in judged.suppressed] == [
        (each, "already in 0123456789ab") for each in gone
    ]


def test_a_check_that_did_not_look_at_the_base_counts_whole() -> None:
    now = result(Status.FAIL, OLD)
    assert _against(now, None, COMMIT) is now


def seeking(word: str, looked_at: list[Path]) -> Check:
    """A check that finds a word, and says where it looked."""

    def run(context: Context) -> Iterator[Item]:
        looked_at.append(context.root)
        for file in context.files:
            for number, line in enumerate(context.text(file).splitlines(), 1):
                if word in line:
                    yield context.finding("word", f"it says {word}", file.path, number)

    return Check(id=word, title=word, tier=1, languages=("python",), run=run)


@pytest.fixture
def history(write: Write, git: Git) -> Path:
    """Two commits, and what is not committed yet: each has one more."""
    for text in ("bad\n", "bad\nbad\n"):
        write({"a.py": text, "sub/b.py": text})
        git("add", ".")
        git("commit", "-qm", "more")
    return write({"a.py": "x = 1\nbad\nbad\nbad\n"})


@pytest.mark.parametrize(("base", "lines"), [("", [4]), ("HEAD", [4]), ("HEAD~1", [3, 4])])
def test_each_line_counts_that_the_base_does_not_have(
    history: Path, verify: Verify, git: Git, base: str, lines: list[int]
) -> None:
    report = verify(seeking("bad", []), baseline=True, base=base)
    assert [each.line for each in report.findings if each.path == "a.py"] == lines
    assert (report.verdict, report.baseline) == ("fail", git("rev-parse", base or "HEAD"))
    marks = {each.suppressed for each in report.results[0].suppressed}
    assert marks == {f"already in {report.baseline[:12]}"}


def test_only_checks_with_findings_look_at_the_base_and_it_is_gone_afterwards(history: Path, verify: Verify) -> None:
    bad, other = [], []
    verify(seeking("bad", bad), seeking("other", other), baseline=True)
    assert (bad[0], other) == (history, [history])
    (_, base) = bad
    assert base.name.startswith("base-")
    assert not base.exists()


def test_of_a_folder_in_a_repository_only_its_own_files_are_compared(history: Path, verify: Verify) -> None:
    report = verify(seeking("bad", []), baseline=True, base="HEAD~1", target=history / "sub")
    assert [(each.path, each.line) for each in report.findings] == [("b.py", 2)]


def test_a_base_that_is_no_commit_is_said(history: Path, verify: Verify) -> None:
    with pytest.raises(OmniError, match="No such revision"):
        verify(seeking("bad", []), baseline=True, base="nowhere")
