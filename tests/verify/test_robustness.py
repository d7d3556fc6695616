"""Whatever a tool, a disk or a repository does: a verdict with the reason, never green, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from omni.kernel.settings import Settings
from omni.verify.check import Check, Context, Item
from omni.verify.outputs import FORMATS, render
from omni.verify.report import Report, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
Verify = Callable[..., Report]
AddTool = Callable[[str, str], None]

FINE = "echo '{\"runs\": []}'"


def check(name: str = "linter", **more: object) -> Check:
    declared = {"id": name, "title": "Lint", "tier": 1, "languages": ("python",), "tool": name, "argv": ("{files}",)}
    return Check.model_validate(declared | more)


def own() -> Check:
    def run(_context: Context) -> Iterator[Item]:
        return iter(())

    return Check(id="own", title="Own", tier=1, languages=("python",), run=run)


@pytest.mark.parametrize(
    ("script", "status", "reason"),
    [
        (None, Status.INCOMPLETE, "linter is not there: linter is not in the tools environment"),
        ("kill -SEGV $$", Status.ERROR, "linter was killed by a signal (crash, or out of memory): it said nothing"),
        ("exit 127", Status.ERROR, "linter failed with exit code 127: it said nothing"),
        ("sleep 600", Status.INCOMPLETE, "linter took longer than 1 s and was stopped"),
        ("trap '' TERM; while :; do sleep 1; done", Status.INCOMPLETE, "linter took longer than 1 s and was stopped"),
        ("echo all is well", Status.ERROR, "linter did not print JSON, so its result is unknown"),
        ("head -c 4096 /dev/urandom", Status.ERROR, "linter did not print JSON, so its result is unknown"),
        ("exec 1>&-", Status.ERROR, "linter did not print JSON, so its result is unknown"),
        (f"{FINE}; exit 1", Status.ERROR, "linter ended with exit code 1 but named nothing: it said nothing"),
    ],
)
def test_a_tool_that_misbehaves(
    write: Write, verify: Verify, add_tool: AddTool, script: str | None, status: Status, reason: str
) -> None:
    write({"a.py": "x = 1\n"})
    add_tool("fine", FINE)
    if script is not None:
        add_tool("linter", script)
    report = verify(check(timeout=1), check("fine"), own())
    by_check = {each.check: each for each in report.results}
    assert (by_check["linter"].status, by_check["linter"].reason) == (status, reason)
    assert (by_check["fine"].status, by_check["own"].status) == (Status.PASS, Status.PASS)
    assert report.verdict == "incomplete"
    for name in FORMATS:
        assert "Traceback" not in render(report, name)


@pytest.mark.slow
def test_a_tool_that_prints_without_end(write: Write, verify: Verify, add_tool: AddTool) -> None:
    write({"a.py": "x = 1\n"})
    add_tool("linter", "head -c 200000000 /dev/zero | tr '\\0' x")
    (result,) = verify(check(timeout=120)).results
    assert (result.status, result.reason) == (
        Status.ERROR,
        "linter printed more than 64 MiB, so not all of it could be read",
    )


@pytest.mark.host
def test_a_tool_that_prints_too_much_in_the_sandbox(write: Write, verify: Verify, add_tool: AddTool) -> None:
    write({"a.py": "x = 1\n"})
    add_tool("linter", "head -c 20000000 /dev/zero | tr '\\0' x")
    (result,) = verify(check(sandboxed=True)).results
    assert (result.status, result.reason) == (
        Status.ERROR,
        "linter printed too much in the sandbox, so not all of it could be read",
    )


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 2 MiB, on which everything temporary is made."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this user may not mount a file system")
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    yield disk
    monkeypatch.undo()
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.host
@pytest.mark.parametrize("home_too", [False, True], ids=["scratch", "scratch-and-home"])
def test_a_tool_that_fills_the_disk(
    write: Write, verify: Verify, add_tool: AddTool, settings: Settings, small_disk: Path, home_too: bool
) -> None:
    write({"a.py": "x = 1\n"})
    add_tool("linter", f'cat /dev/zero > "{small_disk}/fill" || exit 2')
    home = small_disk / "home" if home_too else settings.home
    report = verify(check(), own(), settings=settings.model_copy(update={"home": home}))
    by_check = {each.check: each for each in report.results}
    assert by_check["linter"].status is Status.ERROR
    assert "No space left on device" in by_check["linter"].reason
    assert by_check["own"].status is Status.PASS
    assert report.verdict == "incomplete"
    again = verify(own(), settings=settings.model_copy(update={"home": home}))
    assert again.verdict in {"pass", "incomplete"}


def test_links_that_go_round(root: Path, write: Write, verify: Verify, add_tool: AddTool) -> None:
    write({"a/b/c.py": "x = 1\n"})
    (root / "a" / "b" / "up").symlink_to("../..")
    (root / "loop").symlink_to("loop")
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    add_tool("linter", FINE)
    report = verify(check())
    assert report.results[0].coverage.seen == 1
    assert {"loop", "one", "two"} <= {*report.files.skipped, *report.files.failed}


MEASURE = """
import json, re, sys
from pathlib import Path
from omni.kernel.settings import Settings
from omni.verify.engine import verify
from omni.verify.outputs import render
from omni.verify.plan import Options
only = ("large-files", "conflict-markers", "dependency-names", "assertions", "sql-injection", "placeholders")
report = verify(Path(sys.argv[1]), Options(only=only), Settings(home=Path(sys.argv[2]), database_url="sqlite://"))
text = render(report, "text")
# Not ru_maxrss: that of the process which started this one counts there too.
peak = int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps([report.verdict, report.files.seen, peak, text]))
"""
MOST = 500.0
"""MiB of memory for 50,000 files; measured: 120. What is kept of each must not grow with the number of checks."""


@pytest.mark.slow
def test_fifty_thousand_files_stay_within_memory(root: Path, tmp_path: Path) -> None:
    for folder in range(100):
        (root / str(folder)).mkdir()
        for number in range(500):
            source = f"def f{number}(a: int) -> int:\n    if a > {number}:\n        return a\n    return a + {folder}\n"
            (root / str(folder) / f"m{number}.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(root), str(tmp_path / "home")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert "Traceback" not in done.stderr
    verdict, seen, peak, text = json.loads(done.stdout)
    assert (verdict in {"pass", "incomplete"}, seen) == (True, 50_000)
    assert verdict == "pass" or "Not looked at" in text or "incomplete" in text
    assert peak < MOST, f"{peak:.0f} MiB"
