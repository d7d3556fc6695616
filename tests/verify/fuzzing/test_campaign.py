from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.verify.fuzzing.boxed import REPORT, Box

from omni.sandbox.job import JobResult, Mount
from omni.verify.check import Context, Failed
from omni.verify.fuzzing.campaign import PART, Campaign, parts, telling
from omni.verify.fuzzing.engine import KEPT, OUT, Target
from omni.verify.fuzzing.guest import Broken, Report
from omni.verify.fuzzing.languages import ENGINES
from omni.verify.report import Status

Seen = Callable[..., Context]
CRASH: Broken = {
    "kind": "crash", "error": "AddressSanitizer: SEGV", "stack": [], "places": [], "original": 9,
    "data": base64.b64encode(b"PN").decode(),
}  # fmt: skip


@pytest.fixture
def campaign(seen: Seen) -> Campaign:
    return Campaign(seen("fuzzing-c", {"fuzz/it.c": ""}), ENGINES["c"], Target("fuzz/it.c", "it", "c/fuzz/it.c"))


def report(**changes: object) -> Report:
    return {**REPORT, **changes}  # type: ignore[typeddict-item]


def test_what_it_finds_interesting_is_there_in_the_next_run(campaign: Campaign, box: Box) -> None:
    box.leaves = {"one": b"1", "FuzzIt/two": b"2"}
    assert campaign.run(60) == (REPORT, [])
    assert {path.name: path.read_bytes() for path in (campaign.kept / "corpus").iterdir()} == {"one": b"1", "two": b"2"}
    (job,) = box.jobs
    assert (job.collect, job.mounts[-1]) == ((OUT,), Mount(campaign.kept, KEPT))
    assert campaign.kept.is_relative_to(campaign.context.cache)
    assert str(campaign.kept).endswith("/c/fuzz/it.c")


def test_each_project_has_its_own(campaign: Campaign, seen: Seen, tmp_path: Path) -> None:
    other = Campaign(seen("fuzzing-c", {}), ENGINES["c"], campaign.target)
    assert other.kept == campaign.kept
    moved = replace(campaign, context=replace(campaign.context, root=tmp_path / "other"))
    assert moved.kept != campaign.kept


def test_what_breaks_it_is_kept_under_its_kind_and_content(campaign: Campaign, box: Box) -> None:
    box.answers = [report(exit_code=77, broken=[CRASH])]
    _, (found,) = campaign.run(60)
    assert (found.data, found.file.read_bytes(), found.file.parent) == (b"PN", b"PN", campaign.kept / "broken")
    assert found.file.name.startswith("crash-")
    assert campaign.run(60)[1] == [found]
    assert len(list(found.file.parent.iterdir())) == 1


def test_a_long_one_is_done_in_parts_and_its_numbers_are_those_of_all(campaign: Campaign, box: Box) -> None:
    whole, _ = campaign.run(2 * PART + 5)
    assert [job.limits.wall for job in box.jobs] == [PART + 1080, PART + 1080, 1085]
    assert (whole["executions"], whole["seconds"]) == (120, 4.5)


def test_it_ends_with_the_part_in_which_it_broke(campaign: Campaign, box: Box) -> None:
    box.answers = [report(), report(exit_code=77, broken=[CRASH])]
    whole, found = campaign.run(9 * PART)
    assert (len(box.jobs), whole["executions"], len(found)) == (2, 80, 1)


def test_what_a_part_found_interesting_outlives_the_next_ones_failure(campaign: Campaign, box: Box) -> None:
    box.leaves = {"one": b"1"}
    box.answers = [report(), JobResult(None, "memory", "", "", False, 1.0, "full")]
    with pytest.raises(Failed, match="it took more than 4096 MiB of memory"):
        campaign.run(2 * PART)
    assert (campaign.kept / "corpus" / "one").read_bytes() == b"1"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (report(built=False, exit_code=1, said="cc\na.c:3: error: no ;\n"), "could not be built: a.c:3: error: no ;"),
        (
            report(exit_code=1, executions=0, said="no library\n"),
            "executed 0 inputs and ended with exit code 1: no library",
        ),
        (report(executions=0), "executed 0 inputs and ended with exit code 0: it said nothing"),
        (JobResult(1, "exited", "", "no python3\n", False, 1.0, "full"), "could not be run: no python3"),
        (JobResult(None, "signal", "", "", False, 1.0, "full"), "could not be run: signal"),
    ],
)
def test_what_can_not_run_is_incomplete_and_says_why(
    campaign: Campaign, box: Box, answer: Report | JobResult, why: str
) -> None:
    box.answers = [answer]
    with pytest.raises(Failed) as raised:
        campaign.run(60)
    assert (raised.value.why, raised.value.status) == (f"fuzz/it.c {why}", Status.INCOMPLETE)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "../../../out"},
        {"data": "no!"},
        {"data": "QUI"},
        {"places": [["a", "b"]]},
        {"more": 1},
        {"error": None},
    ],
)
def test_a_report_that_the_program_wrote_itself_is_not_believed(
    campaign: Campaign, box: Box, change: dict[str, object]
) -> None:
    box.answers = [report(broken=[CRASH | change])]
    with pytest.raises(Failed, match=r"fuzz/it\.c left a report that can't be read: "):
        campaign.run(60)
    assert not list((campaign.kept / "broken").iterdir())


def test_parts() -> None:
    assert list(parts(60)) == [60]
    assert list(parts(PART)) == [PART]
    assert list(parts(PART + 1)) == [PART, 1]


def test_the_lines_that_tell() -> None:
    linked = "make\nld: in function main:\na.c: multiple definition of `main'\nclang: error: linker command failed\n"
    assert telling(linked) == "a.c: multiple definition of `main'"
    seed = "failure while testing seed corpus entry: FuzzIt/seed#0\n--- FAIL: FuzzIt\npanic: out of range\n"
    assert telling(seed) == "failure while testing seed corpus entry: FuzzIt/seed#0 / panic: out of range"
    assert telling("a\nb\n\nc\nd") == "b / c / d"
    assert telling("") == "it said nothing"
