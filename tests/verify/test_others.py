"""Findings of other tools join the report, its waivers, its baseline and its verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.verify.check import Check, Context, Item
from omni.verify.config import ProjectConfig, Waiver
from omni.verify.outputs import render
from omni.verify.report import Report

Write = Callable[[Mapping[str, str | bytes]], Path]
Verify = Callable[..., Report]
Git = Callable[..., str]


def nothing(_context: Context) -> Iterator[Item]:
    yield from ()


CHECK = Check(id="own", title="own", tier=1, globs=("**",), run=nothing)


def sarif(*places: tuple[str, int], tool: str = "Code QL") -> str:
    results = [
        {
            "ruleId": "py/injection",
            "level": "error",
            "message": {"text": "tainted"},
            "locations": [
                {"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": line}}}
            ],
        }
        for path, line in places
    ]  # fmt: skip
    return json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": tool}}, "results": results}]})


@pytest.fixture
def report(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str, name: str = "other.sarif") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_they_count_like_our_own(write: Write, verify: Verify, report: Callable[..., Path]) -> None:
    write({"a.py": "x = 1\ny = 2\n"})
    found = verify(CHECK, sarif=(report(sarif(("a.py", 2))), report(sarif(("a.py", 1)), "again.sarif")))
    assert [result.check for result in found.results] == ["own", "sarif-code-ql", "sarif-code-ql-again-1"]
    assert found.verdict == "fail"
    finding = found.findings[0]
    assert (finding.check, finding.rule, finding.path, finding.line) == ("sarif-code-ql", "py/injection", "a.py", 2)
    assert (finding.snippet, len(finding.fingerprint)) == ("y = 2", 24)


def test_they_can_be_waived_and_allowed(write: Write, verify: Verify, report: Callable[..., Path]) -> None:
    write({"a.py": "x = 1  # omni: allow py/injection because the value is a constant\ny = 2\n"})
    waiver = Waiver.model_validate(
        {"rule": "sarif-code-ql/py/injection", "who": "me", "because": "accepted for now", "until": "2999-01-01"}
    )
    found = verify(CHECK, sarif=(report(sarif(("a.py", 1), ("a.py", 2))),), config=ProjectConfig(waivers=(waiver,)))
    assert (found.verdict, len(found.findings)) == ("pass", 0)
    assert [finding.suppressed.split(":")[0] for finding in found.results[1].suppressed] == [
        "allowed in place",
        "waived by me until 2999-01-01",
    ]


def test_with_a_baseline_only_files_that_changed_have_new_ones(
    write: Write, verify: Verify, git: Git, report: Callable[..., Path]
) -> None:
    write({"a.py": "x = 1\n", "b.py": "y = 1\n"})
    git("add", "-A")
    git("commit", "-qm", "one")
    write({"b.py": "y = 2\n"})
    found = verify(CHECK, sarif=(report(sarif(("a.py", 1), ("b.py", 1))),), baseline=True)
    assert [finding.path for finding in found.findings] == ["b.py"]
    (old,) = found.results[1].suppressed
    assert "the file has not changed" in old.suppressed
    text = render(found, "comment")
    assert text.index("**New**") < text.index("1 finding of the base stayed")
    assert "`b.py:1` `tainted` (`sarif-code-ql/py/injection`)" in text


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"runs": 3}', '{"runs": [{}]}', '{"runs": [{"tool": {"driver": {}}}]}', "[" * 100_000]
)
def test_a_file_that_is_no_sarif_is_an_error_not_silence(
    write: Write, verify: Verify, report: Callable[..., Path], text: str
) -> None:
    write({"a.py": "x = 1\n"})
    with pytest.raises(OmniError) as caught:
        verify(CHECK, sarif=(report(text),))
    assert caught.value.kind.code == "V062"


def test_a_comment_can_not_be_steered_by_what_was_found(
    write: Write, verify: Verify, report: Callable[..., Path]
) -> None:
    write({"a.py": "x = 1\n"})
    evil = sarif(("a.py", 1)).replace("tainted", "`` @everyone <img src=x> \\n\\n# heading [x](http://e) `")
    text = render(verify(CHECK, sarif=(report(evil),)), "comment")
    line = next(each for each in text.splitlines() if "everyone" in each)
    assert line.startswith("- **error** `a.py:1` ``` `` @everyone <img src=x> # heading [x](http://e) ` ``` (")
    assert "\n# heading" not in text
