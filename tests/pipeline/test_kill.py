"""`kill -9` at random instants of a build: it resumes, and ends with the same package.

`OMNI_KILLS=50 .venv/bin/pytest tests/pipeline/test_kill.py -n0 -s` kills fifty builds; the suite kills a few. Every
trial starts from a copy of the same Omni home at the same path, in which the run is recorded but not begun, so that
the whole app, its commit included, has to come out the same to the byte.
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
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from omni.delivery.package import verify_package
from omni.kernel.database import open_database
from omni.kernel.events import replay
from omni.kernel.settings import load_settings
from omni.kernel.signing import Signer
from omni.kernel.tables import estimates
from omni.pipeline.approvals import decided
from omni.pipeline.audit import log
from omni.pipeline.run import RunOptions, create, load, stage_records

pytestmark = [pytest.mark.slow, pytest.mark.host]
KILLS = int(os.environ.get("OMNI_KILLS", "3"))
REQUEST = "a command line tool to keep notes"
PR_SET_CHILD_SUBREAPER = 36
OF_TIME = {"report.html", "manifest.json", "manifest.sig", "provenance.intoto.jsonl", "findings.sarif"}
"""What tells of times, or of the hashes of that; everything else must be the same to the byte."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An Omni home with a run that has not begun; environments are those of the ordinary home."""
    home, shared = tmp_path / "home", load_settings().home / "envs"
    home.mkdir()
    shared.mkdir(parents=True, exist_ok=True)
    (home / "envs").symlink_to(shared)
    settings = load_settings({"home": str(home)})
    Signer.load(settings.home)
    engine = open_database(settings)
    (home / "run").write_text(create(engine, REQUEST, RunOptions(out=str(home / "out"))).id)
    engine.dispose()
    return home


@pytest.fixture
def quiet() -> Iterator[tuple[set[int], set[str]]]:
    """Adopts what killed processes leave behind, so that it is seen; gives what was there before."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield children(), mounts()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def test_it_ends_the_same_wherever_it_is_killed(home: Path, tmp_path: Path, quiet: tuple[set[int], set[str]]) -> None:
    cold, warm = tmp_path / "cold", tmp_path / "warm"
    shutil.copytree(home, cold, symlinks=True)
    seconds = {cold: finish(home)}
    reference = content(home)
    shutil.copytree(cold, warm, symlinks=True)
    shutil.copytree(home / "cache", warm / "cache")
    again(home, warm)
    seconds[warm] = finish(home)
    assert changed(content(home), reference) == []
    chance, fallen = random.Random(os.environ.get("OMNI_KILL_SEED", "1")), Counter[str]()
    while (number := fallen.total() + 1) <= KILLS:
        fresh = warm if number % 2 else cold  # warm, half of a build is not its tests
        again(home, fresh)
        at = chance.uniform(0.2, seconds[fresh])
        process = resume(home)
        time.sleep(at)
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            seconds[fresh] = at  # the machine is quieter than it was: it had ended before
            continue
        where = place(home)
        fallen[where] += 1
        settle(*quiet)
        finish(home)
        assert changed(content(home), reference) == [], f"killed after {at:.2f} s, in {where}"
        once(home)
        settle(*quiet)
        print(f"kill {number:>2} after {at:6.2f} s of {seconds[fresh]:.2f}: {where:<32} same package", flush=True)
    for where, times in fallen.most_common():
        print(f"{times:>4} {where}")


def again(home: Path, fresh: Path) -> None:
    """The home as it was before the run began, at the same path."""
    shutil.rmtree(home)
    shutil.copytree(fresh, home, symlinks=True)


def resume(home: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "omni", "runs", "resume", (home / "run").read_text(), "--json"]
    temporary = home / "tmp"
    temporary.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMNI_")}
    environment |= {"OMNI_HOME": str(home), "TMPDIR": str(temporary)}
    with (home / "stdout").open("wb") as output, (home / "stderr").open("wb") as errors:
        return subprocess.Popen(command, env=environment, cwd=home, stdout=output, stderr=errors)


def finish(home: Path) -> float:
    """Take the run to its end; gives the seconds that it took."""
    began = time.monotonic()
    code = resume(home).wait(timeout=600)
    told = (home / "stdout").read_text().splitlines()
    assert code == 0, f"{told[-1:]}\n{(home / 'stderr').read_text()}"
    return time.monotonic() - began


def content(home: Path) -> dict[str, bytes]:
    """What the package holds, without what tells of times; only the names of that."""
    out = home / "out"
    found = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file() and ".tar.gz" not in path.name}
    found |= dict.fromkeys(OF_TIME & found.keys(), b"")
    for path in sorted((out / "app").rglob("*")):
        if path.is_file() and ".git" not in path.relative_to(out).parts:
            found[str(path.relative_to(out))] = path.read_bytes()
    found["commit"] = (out / "app" / ".git" / "refs" / "heads" / "main").read_bytes()
    return found


def changed(found: dict[str, bytes], reference: dict[str, bytes]) -> list[str]:
    return sorted(name for name in found.keys() | reference.keys() if found.get(name) != reference.get(name))


def once(home: Path) -> None:
    """Every effect is there once, and nothing half-written lies about."""
    settings = load_settings({"home": str(home)})
    engine, run = open_database(settings), (home / "run").read_text()
    assert load(engine, run).verdict == "pass"
    assert {record.attempt for record in stage_records(engine, run)} == {0}
    ended = Counter(str(event.data["stage"]) for event in replay(engine, run) if event.kind == "stage.ended")
    assert ended == Counter(record.name for record in stage_records(engine, run))
    assert sum(event.kind == "run.ended" for event in replay(engine, run)) == 1
    gates = [approval.gate for approval in decided(engine, run)]
    assert len(gates) == len(set(gates)) == 4
    assert rows(engine) == 1
    assert log(settings, engine).verify(home / "runs" / run / "audit.jsonl").ok
    engine.dispose()
    assert verify_package(home / "out").problems == ()
    assert [path.name for path in home.iterdir() if ".partial" in path.name] == []
    assert [path.name for path in (home / "tmp").iterdir()] == []


def rows(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(estimates)).scalar_one()


def place(home: Path) -> str:
    """Where the run was when it was killed."""
    engine = open_database(load_settings({"home": str(home)}))
    run = load(engine, (home / "run").read_text())
    records = stage_records(engine, run.id)
    engine.dispose()
    if not records or run.verdict:
        return "after its end" if run.verdict else "before the first stage"
    return f"{records[-1].name}, {'running' if records[-1].status == 'running' else 'done'}"


def settle(children_before: set[int], mounts_before: set[str]) -> None:
    """No process and no mount stays behind."""
    deadline = time.monotonic() + 5
    while (children() - children_before or mounts() - mounts_before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [commandline(pid) for pid in children() - children_before] == []
    assert mounts() - mounts_before == set()


def children() -> set[int]:
    """Living processes that descend from this one, which adopts what its children leave behind."""
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


def commandline(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def mounts() -> set[str]:
    """Mounts of this machine that bear the name of Omni."""
    return {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if "omni" in line}
