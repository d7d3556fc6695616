"""A request that no template knows: from sentence to package by a scripted model that errs on its way.

`OMNI_KILLS=30 .venv/bin/pytest tests/pipeline/test_model_build.py -n0 -s` kills thirty such builds at random instants;
the suite kills a few. Each goes on from a copy of the same Omni home at the same path, and has to end with the same
package, without any request that is sent again after its answer was kept.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.agents.engines.here import SMALL, require
from tests.pipeline.homes import Home

from omni.agents.log import Called, Failed, SessionLog, Told, sessions
from omni.agents.transcript import transcript
from omni.delivery.package import verify_package
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.database import open_database
from omni.kernel.tables import model_calls
from omni.models.ledger import usage
from omni.models.script import Record, Reply, Rule, Script, load, serve
from omni.models.script_rules import Call, Match
from omni.pipeline.decision import raise_budget
from omni.pipeline.handoffs import ImplementationHandoff
from omni.pipeline.run import RunOptions, stage_records
from omni.pipeline.run import load as load_run
from omni.pipeline.runner import Runner
from omni.pipeline.stages import s00_specification, s02_implementation
from omni.server.models import app, served

pytestmark = [pytest.mark.slow, pytest.mark.host]
KILLS = int(os.environ.get("OMNI_KILLS", "2"))
SCRIPT = load(Path(__file__).with_name("scripts") / "sudoku.yaml")
ALONE = (
    "what a model wrote is shown by its own tests alone: no other model than local/scripted is enabled, "
    "and a model does not approve its own work. To accept that: --waive independence"
)
OF_TIME = {"report.html", "manifest.json", "manifest.sig", "provenance.intoto.jsonl", "findings.sarif"}
"""What tells of times, or of the hashes of that; everything else must be the same to the byte."""
TRAILERS = "|".join(f"%(trailers:key={key},valueonly,separator=)" for key in ("Omni-Model", "Omni-Prompt"))
ADVISERS = ("P0.1", "P1.1")
"""The specialists that this request calls before code, where the budget is not too small for them."""
PUZZLE = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
SOLVED = "534678912\n672195348\n198342567\n859761423\n426853791\n713924856\n961537284\n287419635\n345286179\n"


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def url(record: Record) -> Iterator[str]:
    with serve(SCRIPT, record) as address:
        yield address


def test_from_a_sentence_to_a_package_wherever_it_is_killed(tmp_path: Path, url: str, record: Record) -> None:
    home = Home(tmp_path / "home", url, RunOptions(model="auto"))
    fresh = tmp_path / "fresh"
    shutil.copytree(home.path, fresh, symlinks=True)
    seconds = home.finish()
    it_is_what_was_asked_for(home)
    it_was_written_in_steps(home)
    it_reads_well(home)
    reference = content(home)
    shutil.copytree(home.path / "cache", fresh / "cache")  # what was verified once is not what the kills are about
    chance, fallen = random.Random(os.environ.get("OMNI_KILL_SEED", "1")), Counter[str]()
    while (number := fallen.total() + 1) <= KILLS:
        shutil.rmtree(home.path)
        shutil.copytree(fresh, home.path, symlinks=True)
        asked_before, at = len(record.asked), chance.uniform(0.5, seconds)
        process = home.resume()
        time.sleep(at)
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            seconds = at  # it had ended before
            continue
        where = place(home)
        fallen[where] += 1
        kept = stored(home)
        asked_then = len(record.asked)
        home.finish()
        differing = {name for name, data in content(home).items() if reference.get(name) != data}
        assert differing == set(), f"killed after {at:.2f} s, in {where}"
        assert content(home).keys() == reference.keys()
        nothing_was_asked_twice(record, asked_before, asked_then, kept)
        print(f"kill {number:>2} after {at:6.2f} s of {seconds:.2f}: {where:<32} same package", flush=True)
    for where, times in fallen.most_common():
        print(f"{times:>4} {where}")


def it_is_what_was_asked_for(home: Home, advisers: tuple[str, ...] = ADVISERS) -> None:
    """The package says who wrote what, and that nobody else judged it, and its program solves a sudoku."""
    result = home.result()
    assert (result["verdict"], result["not_delivered"], result["models"]) == (
        "incomplete",
        [],
        ["local/scripted"],
    )
    assert result["reasons"] == [ALONE]
    assert verify_package(home.path / "out").problems == ()
    page = (home.path / "out" / "report.html").read_text()
    assert "local/scripted" in page
    assert ("<strong>P1.1 Planner agent</strong>" in page) == bool(advisers)
    handed = home.path / "out" / "specialists.json"
    each = json.loads(handed.read_bytes())["each"] if handed.exists() else []
    assert [(one["role"], one["outcome"]) for one in each] == [(role, "handed over") for role in advisers]
    puzzle = home.path / "puzzle.txt"
    puzzle.write_text(PUZZLE)
    environment = next((home.path / "envs").glob("cli*"))
    solved = subprocess.run(
        [str(environment / "bin" / "python"), "-B", "-m", "app", "solve", str(puzzle)],
        env={
            "PYTHONPATH": str(home.app / "src"),
            "PATH": "/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(home.path),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert solved.stdout == SOLVED


def it_was_written_in_steps(home: Home) -> None:
    """The template's work, the model's, and the model's again; each commit says whose it is."""
    log = subprocess.run(
        ["git", "log", f"--format=%s|{TRAILERS}"],
        cwd=home.app,
        capture_output=True,
        text=True,
        check=True,
    )
    assert log.stdout.splitlines() == [
        "fix: mend what verification found|local/scripted|P1.2@1",
        "feat: deliver what no template knows|local/scripted|P1.2@1",
        "feat: build App from its specification|none|none",
        "docs: specify what was asked|none|none",
    ]


def it_reads_well(home: Home) -> None:
    """Every mistake stands in the log and in the transcript, with what Omni said about it."""
    engine = open_database(home.settings)
    first, second = sessions(engine, home.run)
    lines = SessionLog(engine, first).lines()
    engine.dispose()
    assert (first, second) == (f"{home.run}/implementation#0.0", f"{home.run}/implementation#1.0")
    entries = [line.entry for line in lines]
    assert [entry.reason for entry in entries if isinstance(entry, Told)] == ["refusal", "stuck", "failure"]
    assert [entry.call.name for entry in entries if isinstance(entry, Called) and not entry.ok] == [
        "edit",
        "write",
        "bash",
    ]
    assert ["silent for 3 s" in entry.why for entry in entries if isinstance(entry, Failed)] == [True]
    page = transcript(first, lines)
    for told in (
        "> I'm sorry, but I can't help with that.",
        "### ✗ edit path=src/app/commands/__init__.py",
        "- COMMANDS = [*UPKEEP]\n+ COMMANDS = [*PUZZLES, *UPKEEP]",
        "are no JSON: Unterminated string",
        "FAILED tests/integration/test_solve.py",
        "**Omni (stuck):** You go round in circles: the same call of read had the same result 4 times.",
        "**No answer:** No model can answer: local/scripted: silent for 3 s in mid-stream",
        "## End: done\n\n`app solve FILE` solves a sudoku; four tests show AC1. Nothing is missing.",
    ):
        assert told in page


def content(home: Home) -> dict[str, bytes]:
    """What the package holds, without what tells of times; only the names of that."""
    out = home.path / "out"
    found = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file() and ".tar.gz" not in path.name}
    found |= dict.fromkeys(OF_TIME & found.keys(), b"")
    for path in sorted(home.app.rglob("*")):
        if path.is_file() and ".git" not in path.relative_to(out).parts:
            found[str(path.relative_to(out))] = path.read_bytes()
    found["commit"] = (home.app / ".git" / "refs" / "heads" / "main").read_bytes()
    return found


def stored(home: Home) -> set[str]:
    """Calls whose answer is kept: nobody may be asked these again."""
    engine = open_database(home.settings)
    with engine.connect() as connection:
        calls = connection.execute(select(model_calls.c.call).where(model_calls.c.reply.is_not(None))).scalars().all()
    engine.dispose()
    return set(calls)


def nothing_was_asked_twice(
    record: Record, before: int, then: int, kept: set[str], advisers: tuple[str, ...] = ADVISERS
) -> None:
    """By the server's own log: a question whose answer was kept at the kill is not among those that came after it."""
    turns = {call.rpartition("#")[2] for call in kept}

    def named(number: int) -> str:
        request = record.asked[number].request
        assert isinstance(request, dict)
        messages = request["messages"]
        assert isinstance(messages, list)
        if said := next((role for role in advisers if f"({role})" in json.dumps(messages[0])), ""):
            return f"0/{said}"
        again = "Mend what verification found" in json.dumps(messages[1])
        turn = 1 + sum(isinstance(each, dict) and each["role"] == "assistant" for each in messages)
        return f"{int(again)}.0:{turn}"

    after = {named(number) for number in range(then, len(record.asked))}
    assert not turns & after
    assert set(map(named, range(before, then))) | after == {
        *(f"0.0:{turn}" for turn in range(1, 18)),
        *(f"1.0:{turn}" for turn in range(1, 3)),
        *(f"0/{role}" for role in advisers),
    }


def place(home: Home) -> str:
    """Where the run was when it was killed."""
    engine = open_database(home.settings)
    run, records = load_run(engine, home.run), stage_records(engine, home.run)
    engine.dispose()
    if not records or run.verdict:
        return "after its end" if run.verdict else "before the first stage"
    return f"{records[-1].name}#{records[-1].attempt}, {'running' if records[-1].status == 'running' else 'done'}"


def test_a_used_up_budget_leaves_a_package_and_once_it_is_raised_the_rest(
    tmp_path: Path, url: str, record: Record
) -> None:
    """What it could pay for is delivered; raised, it goes on with the very next question, as if it had never ended."""
    home = Home(tmp_path / "home", url, RunOptions(model="auto", budget="20000"))
    home.finish(code=1)
    result = home.result()
    assert (result["verdict"], result["not_delivered"]) == (
        "fail",
        ["a command line tool", "that solves sudoku puzzles from a file"],
    )
    assert verify_package(home.path / "out").problems == ()
    assert not (home.app / "src" / "app" / "sudoku.py").exists()  # half of it did not pass: the template's work does
    reasons = result["reasons"]
    assert isinstance(reasons, list)
    assert any("ended by budget" in reason for reason in reasons)
    tokens = result["tokens"]
    assert isinstance(tokens, int)
    assert tokens <= 20000
    asked = len(record.asked)
    home.finish(code=1)
    assert len(record.asked) == asked, "not raised, it stays as it ended"
    engine = open_database(home.settings)
    raise_budget(home.settings, engine, home.run, 1_000_000, "ada")
    engine.dispose()
    home.finish()
    result = home.result()
    assert (result["verdict"], result["not_delivered"], result["reasons"]) == ("incomplete", [], [ALONE])
    assert verify_package(home.path / "out").problems == ()
    assert (home.app / "src" / "app" / "sudoku.py").exists()
    assert result["turns"] == 19, "as many as in a run that was never cut off"


def test_models_that_change_nothing_are_a_failure_that_says_so(tmp_path: Path) -> None:
    """Who did a part is an author as who handed it on: it is not asked to judge, later."""
    lazy = Reply(tool_calls=(Call(name="finish", arguments={"summary": "It was all there."}),))
    part = Call(name="delegate", arguments={"instructions": "Do it.", "complexity": "simple"})
    rules = (
        Rule(match=Match(model="scripted", turn=1), reply=Reply(tool_calls=(part,)), times=0),
        Rule(reply=lazy, times=0),
    )
    with serve(Script(rules=rules)) as url:
        home = Home(tmp_path / "home", url, RunOptions(model="local", budget="100000"))
        models = home.path / "models.toml"
        models.write_text(models.read_text().replace("[{", '[{ wire_name = "small", capability = "fast" }, {'))
        made = implemented(home)
    assert not made.passed
    assert made.reasons == ("the model changed nothing; it ended by done: It was all there.",)
    assert made.undelivered.keys() == {"operation:request.p2", "AC1"}
    assert made.models == ("local/scripted", "local/small")


def test_other_hands_do_the_same_task(tmp_path: Path) -> None:
    """An engine from outside: its work is delivered, and told in the same log."""
    require(SMALL)
    test = 'import pytest\n\n\n@pytest.mark.criterion("AC1")\ndef test_it() -> None:\n    assert True\n'
    way = (f"cat > tests/unit/test_it.py <<'END'\n{test}END", "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT")
    calls = [Reply(tool_calls=(Call(name="bash", arguments={"command": command}),)) for command in way]
    with serve(Script(rules=tuple(Rule(reply=reply) for reply in calls))) as url:
        home = Home(tmp_path / "home", url, RunOptions(model="local", engine="mini-swe-agent", budget="100000"))
        made = implemented(home)
    assert made.reasons == ()
    assert (made.passed, made.undelivered, made.trace) == (True, {}, {"AC1": ("tests/unit/test_it.py",)})
    assert (made.models, made.prompt) == (("local/scripted",), f"of {SMALL}")
    engine = open_database(home.settings)
    (paid,) = usage(engine, ("run", "stage", "role", "model"), run=home.run)
    engine.dispose()
    assert (paid.key, paid.calls) == ((home.run, "implementation", "developer", "scripted"), 2)


def implemented(home: Home) -> ImplementationHandoff:
    """What stage 2 leaves, without the stages after it."""
    engine = open_database(home.settings)
    with served(app(home.settings, engine)) as endpoint:
        runner = Runner(load_run(engine, home.run), home.settings, engine, endpoint)
        for stage in (s00_specification.STAGE, s02_implementation.STAGE):
            digest = runner.stage(stage, 0)
    engine.dispose()
    return ImplementationHandoff.model_validate_json(ArtifactStore(home.path / "artifacts").get(digest))
