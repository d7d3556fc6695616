"""`kill -9` at random instants of a build: it resumes, and ends with the same package.

`OMNI_KILLS=50 .venv/bin/pytest tests/pipeline/test_kill.py -n0 -s` runs it fifty times; the suite runs a few.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from omni.kernel.database import open_database
from omni.kernel.settings import load_settings
from omni.kernel.signing import Signer
from omni.pipeline.approvals import decided
from omni.pipeline.run import RunOptions, create, load, stage_records

KILLS = int(os.environ.get("OMNI_KILLS", "4"))
REQUEST = "a command line tool to keep my reading list with title, author and pages"
PR_SET_CHILD_SUBREAPER = 36
VOLATILE = {"report.html", "manifest.json", "manifest.sig", "provenance.intoto.jsonl", "findings.sarif"}
"""What tells of times; everything else must be the same to the byte."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Omni home with a run that has not begun; environments are shared with the ordinary home."""
    ordinary = load_settings().home
    home = tmp_path_factory.mktemp("kill") / "home"
    home.mkdir()
    (ordinary / "envs").mkdir(parents=True, exist_ok=True)
    (home / "envs").symlink_to(ordinary / "envs")
    settings = load_settings({"home": str(home)})
    Signer.load(settings.home)
    run = create(open_database(settings), REQUEST, RunOptions(out=str(home / "out")))
    (home / "run").write_text(run.id)
    return home


def resume(home: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "omni", "runs", "resume", (home / "run").read_text(), "--json"]
    environment = {"PATH": os.environ["PATH"], "OMNI_HOME": str(home), "HOME": str(home)}
    return subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def children() -> set[int]:
    """Processes that descend from this one, as long as it adopts what its children leave behind."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if status[0] != "Z":
                parents[int(entry.name)] = int(status[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def mounts() -> set[str]:
    return {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if "omni" in line}


def content(home: Path) -> dict[str, bytes]:
    """What the package says of the app, without what tells of times."""
    out = home / "out"
    found = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file() and path.name not in VOLATILE}
    found = {name: data for name, data in found.items() if ".tar.gz" not in name}
    for path in sorted((out / "app").rglob("*")):
        if path.is_file() and path.relative_to(out / "app").parts[0] != ".git":
            found[str(path.relative_to(out))] = path.read_bytes()
    found["commit"] = (out / "app" / ".git" / "refs" / "heads" / "main").read_bytes()
    return found


@pytest.mark.slow
@pytest.mark.host
def test_it_ends_the_same_wherever_it_is_killed(home: Path, tmp_path: Path) -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    whole = tmp_path / "whole"
    shutil.copytree(home, whole, symlinks=True)
    (whole / "out-path").write_text("")
    began = time.monotonic()
    reference = _finish(whole, home)
    seconds = time.monotonic() - began

    chance = random.Random(os.environ.get("OMNI_KILL_SEED", "1"))
    for number in range(KILLS):
        at = chance.uniform(0.2, seconds)
        trial = tmp_path / f"trial-{number}"
        shutil.copytree(home, trial, symlinks=True)
        _swap(home, trial)
        quiet, mounted = children(), mounts()
        process = resume(home)
        time.sleep(at)
        process.send_signal(signal.SIGKILL)
        process.wait()
        print(f"kill {number + 1} after {at:.2f} s: {_where(home)}")
        _settles(quiet, mounted)
        again = resume(home)
        _, errors = again.communicate(timeout=600)
        assert again.returncode == 0, errors.decode()
        assert content(home) == reference, f"killed after {at:.2f} s"
        _once(home)
        _settles(quiet, mounted)
        _swap(home, trial)


def _finish(whole: Path, home: Path) -> dict[str, bytes]:
    """Run the untouched copy to its end in place of `home`, and give its content."""
    _swap(home, whole)
    process = resume(home)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors.decode()
    _once(home)
    found = content(home)
    _swap(home, whole)
    return found


def _swap(home: Path, other: Path) -> None:
    """Exchange two homes, so that each trial lives at the same path."""
    between = home.with_name("between")
    home.rename(between)
    other.rename(home)
    between.rename(other)


def _settles(quiet: set[int], mounted: set[str]) -> None:
    """No process and no mount stays behind."""
    deadline = time.monotonic() + 5
    while (children() - quiet or mounts() - mounted) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children() - quiet == set()
    assert mounts() - mounted == set()


def _once(home: Path) -> None:
    """Each stage counted once, each decision taken once, and nothing half-written beside the package."""
    settings = load_settings({"home": str(home)})
    engine = open_database(settings)
    run = (home / "run").read_text()
    assert load(engine, run).verdict == "pass"
    records = [(record.name, record.attempt) for record in stage_records(engine, run)]
    assert len(records) == len(set(records))
    assert {attempt for _, attempt in records} == {0}
    gates = [approval.gate for approval in decided(engine, run)]
    assert len(gates) == len(set(gates))
    assert sorted(path.name for path in home.iterdir() if path.name.endswith(".partial")) == []
    engine.dispose()


def _where(home: Path) -> str:
    engine = open_database(load_settings({"home": str(home)}))
    records = stage_records(engine, (home / "run").read_text())
    engine.dispose()
    return f"{records[-1].name} {records[-1].status}" if records else "before the first stage"
