"""Real builds: what a person types, on a home of its own, with processes that come and go."""

from __future__ import annotations

import getpass
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dbos import DBOS

from omni.kernel.database import open_database
from omni.kernel.settings import Settings, load_settings
from omni.pipeline import runner as runner_module
from omni.pipeline.gates import Gate, gates
from omni.pipeline.run import RunOptions, create, load
from omni.pipeline.summary import summarize
from omni.pipeline.workflow import start

pytestmark = [pytest.mark.slow, pytest.mark.host]
REQUEST = "a command line tool to keep notes"
WORDS = "and recognises handwriting"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An Omni home of its own; environments are those of the ordinary home."""
    return furnish(tmp_path / "home")


def furnish(home: Path) -> Path:
    shared = load_settings().home / "envs"
    shared.mkdir(parents=True, exist_ok=True)
    home.mkdir(exist_ok=True)
    (home / "envs").symlink_to(shared)
    return home


def begin(home: Path, *argv: str) -> subprocess.Popen[str]:
    """Start an `omni` command."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMNI_")}
    environment["OMNI_HOME"] = str(home)
    command, pipe = [sys.executable, "-m", "omni", *argv], subprocess.PIPE
    return subprocess.Popen(command, env=environment, cwd=home, text=True, stdout=pipe, stderr=pipe)


def omni(home: Path, *argv: str) -> tuple[int, str, str]:
    """Run an `omni` command: its exit code, standard output and standard error."""
    process = begin(home, *argv)
    output, errors = process.communicate(timeout=600)
    return process.returncode, output, errors


def result(home: Path, *argv: str) -> dict[str, object]:
    """The last of the JSON lines of a command, whose exit code is that of the command."""
    code, output, errors = omni(home, *argv, "--json")
    assert errors == ""
    last: dict[str, object] = [json.loads(line) for line in output.splitlines()][-1]
    assert last["exit_code"] == code, last
    return last


def supervised(home: Path) -> str:
    """The id of a new run that waits for the approval of its specification."""
    stands = result(home, "build", REQUEST, "--yes", "--profile", "supervised", "--no-wait")
    assert (stands["exit_code"], stands["status"], stands["waits_at"]) == (3, "waiting", "spec_approval")
    return str(stands["run"])


def until(happened: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def kinds(home: Path, run: str) -> list[str]:
    lines = omni(home, "runs", "logs", run, "--json")[1].splitlines()
    return [f"{event['kind']} {event.get('stage', '')}".strip() for event in map(json.loads, lines)]


@pytest.fixture
def no_workflow() -> Iterator[None]:
    yield
    DBOS.destroy()


def test_the_whole_flow_on_each_database(settings: Settings, no_workflow: None) -> None:
    furnish(settings.home)
    engine = open_database(settings)
    run = create(engine, REQUEST, RunOptions(out=str(settings.home / "out")))
    runner = start(run.id, settings, engine)
    assert runner.stopped.wait(600)
    summary = summarize(settings, engine, run.id)
    engine.dispose()
    assert (runner.failure, summary.status, summary.verdict, summary.reasons) == (None, "ended", "pass", ())
    assert (settings.home / "out" / "manifest.json").exists()
    assert (settings.home / "workflows.sqlite").exists() is settings.database_url.startswith("sqlite")


def test_people_decide_from_other_processes(home: Path) -> None:
    run = supervised(home)
    code, told, _ = omni(home, "runs", "show", run)
    assert (code, f"omni approve {run}" in told, f"omni revise {run}" in told) == (0, True, True)
    assert omni(home, "runs", "list")[1].split()[:2] == [run, "waiting"]

    stands = result(home, "revise", run, "--because", "Each note has a rating.")
    assert (stands["status"], stands["waits_at"]) == ("waiting", "spec_approval")
    stands = result(home, "approve", run[-8:])
    assert (stands["status"], stands["waits_at"], stands["reasons"]) == ("waiting", "code_review", [])
    stands = result(home, "approve", run, "--because", "good work")
    assert (stands["status"], stands["waits_at"]) == ("waiting", "deployment")
    stands = result(home, "approve", run)
    assert (stands["exit_code"], stands["status"], stands["verdict"]) == (0, "ended", "pass")

    spec = json.loads((Path(str(stands["out"])) / "spec.json").read_text())
    assert "rating" in {field["name"] for entity in spec["entities"] for field in entity["fields"]}
    log = home / "runs" / run / "audit.jsonl"
    actions = [json.loads(json.loads(line)["body"])["action"] for line in log.read_text().splitlines()[:-1]]
    assert actions == ["run.revised", "run.approved", "run.approved", "run.approved"]
    assert omni(home, "audit", "verify", "--export", str(log))[:2] == (0, "intact: 4 entries\n")
    refused = result(home, "approve", run)
    assert (refused["exit_code"], refused["code"]) == (4, "P010")


def test_a_rejected_run_is_over(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = supervised(home)
    stands = result(home, "reject", run, "--because", "not now")
    assert (stands["exit_code"], stands["verdict"]) == (1, "rejected")
    assert stands["reasons"] == [f"spec_approval: rejected by {getpass.getuser()}: not now"]

    left = home / "tmp" / f"omni-run-{run}"  # by a process that was killed just after the end
    left.mkdir(parents=True)
    monkeypatch.setenv("TMPDIR", str(left.parent))
    assert result(home, "runs", "resume", run) == stands
    assert not left.exists()


def test_the_process_that_waits_goes_on_when_another_approves_and_ends_when_it_is_cancelled(home: Path) -> None:
    working = begin(home, "build", REQUEST, "--yes", "--profile", "supervised")
    until(lambda: " waiting " in omni(home, "runs", "list")[1])
    run = omni(home, "runs", "list")[1].split()[0]
    busy = result(home, "runs", "resume", run)
    assert (busy["exit_code"], busy["code"]) == (4, "P002")

    assert omni(home, "approve", run)[:2] == (0, "approved; the run goes on where it is being worked on\n")
    until(lambda: "stage.started implementation" in kinds(home, run))
    assert omni(home, "runs", "cancel", run)[:2] == (0, "cancelled\n")
    began = time.monotonic()
    output, _ = working.communicate(timeout=10)
    assert time.monotonic() - began < 1
    assert (working.returncode, output.startswith(f"cancelled  run {run}")) == (1, True)
    assert result(home, "runs", "resume", run)["status"] == "cancelled"
    assert result(home, "approve", run)["code"] == "P010"


def test_an_interrupted_run_can_be_taken_up(home: Path) -> None:
    working = begin(home, "build", REQUEST, "--yes", "--profile", "supervised")
    until(lambda: " waiting " in omni(home, "runs", "list")[1])
    run = omni(home, "runs", "list")[1].split()[0]
    working.send_signal(signal.SIGINT)
    _, errors = working.communicate(timeout=10)
    assert (working.returncode, f"omni runs resume {run}" in errors) == (130, True)
    assert result(home, "runs", "resume", run, "--no-wait")["waits_at"] == "spec_approval"


def test_silence_rejects(home: Path, no_workflow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = gates("supervised") | {"spec_approval": Gate(type="mandatory", timeout=1 / 3600)}
    monkeypatch.setattr(runner_module, "gates", lambda _profile: hasty)
    settings = load_settings({"home": str(home)})
    engine = open_database(settings)
    run = create(engine, REQUEST, RunOptions(profile="supervised"))
    runner = start(run.id, settings, engine)
    assert runner.stopped.wait(30)
    ended = load(engine, run.id)
    engine.dispose()
    assert (runner.failure, ended.status, ended.verdict) == (None, "ended", "rejected")


def test_what_is_not_delivered_fails_the_build_unless_it_is_waived(home: Path) -> None:
    out = home / "out"
    missing = result(home, "build", f"{REQUEST} {WORDS}", "--yes", "--out", str(out))
    assert (missing["exit_code"], missing["verdict"], missing["not_delivered"]) == (1, "fail", [WORDS])
    assert str(missing["reasons"]).count("--waive") == 1
    page = (out / "report.html").read_text()
    assert 0 < page.index("Not delivered") < page.index("How it was proved")

    waived = result(home, "build", f"{REQUEST} {WORDS}", "--yes", "--out", str(out), "--waive", WORDS)
    assert (waived["exit_code"], waived["verdict"], waived["not_delivered"]) == (0, "pass", [])
    assert "given up by name" in (out / "report.html").read_text()


def test_a_full_disk_is_one_clear_error_and_the_run_goes_on_afterwards(tmp_path: Path) -> None:
    home, filler = tmp_path / "small", tmp_path / "small" / "filler"
    home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "small-disk", str(home)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root can make a small disk")
    try:
        run = supervised(furnish(home))
        fill(home, filler, leave=600_000)
        code, output, errors = omni(home, "approve", run)
        assert (code, output, errors.splitlines()[0]) == (1, "", "omni: The disk is full [X001]")
        assert errors.count("\n") <= 4
        filler.unlink()
        stands = result(home, "runs", "resume", run, "--no-wait")
        assert (stands["waits_at"], stands["reasons"]) == ("code_review", [])
    finally:
        subprocess.run(["umount", str(home)], check=True)


def fill(folder: Path, filler: Path, leave: int) -> None:
    """Leave so many bytes of the disk."""
    disk = os.statvfs(folder)
    filler.write_bytes(bytes(disk.f_bavail * disk.f_bsize - leave))


def test_too_thin_a_request_says_what_is_missing(home: Path) -> None:
    stands = result(home, "build", "make something nice", "--yes")
    assert (stands["exit_code"], stands["verdict"], stands["files"]) == (3, "incomplete", 0)
    assert stands["reasons"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--template", "no-such"), 2, "no-such"),
        (("--out", "{full}"), 2, "it holds files that are no Omni package"),
        (("--answers", "{bad}"), 2, "is not valid YAML"),
        (("--answers", "{list}"), 2, "must map question ids to answers"),
        (("--answers", "{latin}"), 2, "is not text in UTF-8"),
    ],
)
def test_what_can_be_refused_at_once_is(home: Path, arguments: tuple[str, ...], code: int, told: str) -> None:
    full = home / "full"
    full.mkdir()
    (full / "mine.txt").write_text("keep me")
    (home / "bad.yaml").write_text("a: [")
    (home / "list.yaml").write_text("- a")
    (home / "latin.yaml").write_bytes(b"caf\xe9: yes")
    places = {"full": full, "bad": home / "bad.yaml", "list": home / "list.yaml", "latin": home / "latin.yaml"}
    given = [argument.format(**places) for argument in arguments]
    ended, output, errors = omni(home, "build", REQUEST, "--yes", *given)
    assert (ended, output) == (code, "")
    assert told in " ".join(errors.split())
    assert omni(home, "runs", "list")[1] == "", "nothing was begun"
    assert (full / "mine.txt").read_text() == "keep me"


def test_answers_and_requests_come_from_files(home: Path) -> None:
    (home / "request.txt").write_text("a todo app")
    (home / "answers.yaml").write_text("accounts: no")
    given = ["--file", str(home / "request.txt"), "--answers", str(home / "answers.yaml")]
    stands = result(home, "build", *given, "--profile", "supervised", "--no-wait")
    engine = open_database(load_settings({"home": str(home)}))
    run = load(engine, str(stands["run"]))
    assert (run.request, run.options.answers) == ("a todo app", {"accounts": "no"})
    spec = summarize(load_settings({"home": str(home)}), engine, run.id)
    engine.dispose()
    assert not [text for text in spec.assumptions if "log in" in text], "what was answered is not assumed"


@pytest.mark.parametrize(("name", "told"), [("latin.txt", "is not text in UTF-8"), ("none.txt", "No such file")])
def test_a_request_that_can_not_be_read_is_one_clear_error(home: Path, name: str, told: str) -> None:
    (home / "latin.txt").write_bytes(b"caf\xe9")
    code, output, errors = omni(home, "build", "--file", str(home / name))
    assert (code, output, told in errors) == (2, "", True)
