"""Specialists at work in a build: they hand over, change, are taken back, talk nonsense; the build goes on."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from pydantic import JsonValue
from sqlalchemy import Engine
from tests.pipeline.homes import Home

from omni.agents.handoffs import Change, ProductSpec, unpack
from omni.agents.log import Replied, SessionLog
from omni.agents.roles import Role, load_role
from omni.agents.session import Outcome
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.database import open_database
from omni.kernel.settings import Settings
from omni.models.script import Asked, Record, Reply, Rule, Script, load, serve
from omni.models.script_rules import Call, Match
from omni.models.wire import Chat, ChatReply, Message, Usage
from omni.pipeline import refining, verification
from omni.pipeline.budget import open_budget
from omni.pipeline.credits import specialists
from omni.pipeline.handoffs import ImplementationHandoff, VerificationHandoff
from omni.pipeline.refining import untrue
from omni.pipeline.run import RunOptions, create, end_stage, start_stage
from omni.pipeline.run import load as load_run
from omni.pipeline.runner import Runner
from omni.pipeline.specialists import Contributions, Desk, to_write
from omni.pipeline.stage import Work
from omni.pipeline.stages import s00_specification, s02_implementation, s04_fast
from omni.pipeline.steps import project_environment
from omni.pipeline.workspace import Workspace
from omni.sandbox import choose
from omni.spec.adopt import adopt
from omni.spec.compiler import compile_request
from omni.spec.model import Assumption
from omni.spec.request import parse_request
from omni.verify.check import Tier
from omni.verify.plan import Options

ROLES = ("P0.1", "P1.1", "P1.2", "P3.1", "P3.2", "P3.3", "P6.5")
SUDOKU = load(Path(__file__).with_name("scripts") / "sudoku.yaml").rules
WRONG, RIGHT = "column - column % SIZE", "column - column % BOX"
SOLVER = "src/app/sudoku.py"
CELLS, MORE = "81 cells, row by row; 0 is empty.", "81 cells, row by row; 0 is an empty cell."
PLAN = {"steps": [{"id": "1", "do": "the solver and its command", "files": [SOLVER], "criteria": ["AC1"]}]}
LOOK = f"grep -c 'empty cell' {SOLVER}"
CHANGE: dict[str, JsonValue] = {
    "summary": "The solver says what an empty cell is.",
    "files": [{"path": SOLVER, "why": "what a cell is"}],
    "checked": [f"{LOOK}: 1"],
    "self_score": {"score": 8, "why": "it is small"},
}


def says(role: str, *replies: object, anywhere: str = "") -> list[Rule]:
    """What a role answers at its first turn, its second, …: a Reply, a text, or a document."""
    given = [
        each if isinstance(each, Reply) else Reply(text=each if isinstance(each, str) else json.dumps(each))
        for each in replies
    ]
    return [
        Rule(match=Match(system=f"({role})", anywhere=anywhere, turn=turn), reply=reply, times=0)
        for turn, reply in enumerate(given, 1)
    ]


def calls(*named: tuple[str, dict[str, JsonValue]]) -> Reply:
    return Reply(tool_calls=tuple(Call(name=name, arguments=arguments) for name, arguments in named))


def edit(old: str, new: str) -> tuple[str, dict[str, JsonValue]]:
    return "edit", {"path": SOLVER, "old": old, "new": new}


def finish(summary: str) -> Reply:
    return calls(("finish", {"summary": summary}))


def written() -> Reply:
    """All of the sudoku at once, and nothing of its mistakes."""
    made = [call for rule in SUDOKU for call in rule.reply.tool_calls if call.name in {"write", "edit"}]
    given = [(call.name, call.arguments) for call in made if isinstance(call.arguments, dict)]
    mistakes = {"COMMANDS = [*UPKEEP]", WRONG}
    wanted = [(name, arguments) for name, arguments in given if arguments.get("old") not in mistakes]
    mended = [
        (
            name,
            arguments | {"content": str(arguments["content"]).replace(WRONG, RIGHT)} if name == "write" else arguments,
        )
        for name, arguments in wanted
    ]
    return calls(*mended, ("bash", {"command": "python scripts/diagrams.py"}))


SCRIPT = Script(
    rules=(
        *says("P0.1", "I would rather talk about something else.", "And I mean it."),
        *says("P1.1", {"steps": [{**PLAN["steps"][0], "criteria": ["C9"]}]}, PLAN),
        *says("P1.2", written(), finish("`app solve FILE` solves a sudoku.")),
        *says("P3.1", {**CHANGE, "files": []}, CHANGE, anywhere="hand over this change"),
        *says("P3.1", calls(edit(CELLS, MORE), ("bash", {"command": LOOK})), finish("It says what a cell is.")),
        *says("P3.2", finish("Nothing reaches across.")),
        *says("P3.3", calls(edit(RIGHT, WRONG)), finish("Types are stricter now.")),
        Rule(match=Match(system="(P6.5)"), reply=Reply(status=400, text="I can't read that."), times=0),
    )
)


class KilledError(BaseException):
    """The process is gone."""


def only_its_tests(work: Work, tier: Tier, *, fix: bool = False) -> Options:
    """The project's own tests, and of the other checks none: what is proved here hangs on no other."""
    return Options(
        tiers=(tier,),
        fix=fix,
        only=("tests", "ruff-format"),
        environment=project_environment(work),
        trusted=work.trusted,
    )


@pytest.mark.slow
@pytest.mark.host
def test_one_is_kept_one_taken_back_one_malformed_and_none_asked_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, verified = Record(), Counter[str]()

    def killed_in_the_third(work: Work) -> tuple[str, ...]:
        verified["times"] += 1
        if verified["times"] == 3:
            raise KilledError
        return verification.faults(work)

    monkeypatch.setattr(verification, "_options", only_its_tests)
    monkeypatch.setattr(refining, "faults", killed_in_the_third)
    with serve(SCRIPT, record) as url:
        home = Home(tmp_path / "home", url, RunOptions(model="local", budget="1000000"))
        engine = open_database(home.settings)
        runner = Runner(load_run(engine, home.run), home.settings, engine)
        runner.stage(s00_specification.STAGE, 0)
        with pytest.raises(KilledError):
            runner.stage(s02_implementation.STAGE, 0)
        digest = Runner(load_run(engine, home.run), home.settings, engine).stage(s02_implementation.STAGE, 0)
        found = specialists(home.settings, engine, home.run)
        refused = refused_afterwards(home, engine)
        engine.dispose()
    made = ImplementationHandoff.model_validate_json(ArtifactStore(home.path / "artifacts").get(digest))
    assert [(each.role, each.outcome, each.why.partition(": ")[0]) for each in found] == snapshot(
        [
            ("P0.1", "failed", "A model did not write the document that it was asked for"),
            ("P1.1", "handed over", "Plan"),
            ("P1.2", "wrote the code", ""),
            ("P3.1", "kept", "The solver says what an empty cell is."),
            ("P3.2", "nothing to do", "Nothing reaches across."),
            ("P3.3", "taken back", "verification did not pass any more"),
            ("P6.5", "failed", "No model can answer"),
        ]
    )
    assert (made.passed, set(made.trace), made.unrefined != made.commit) == (True, {"AC1"}, True)
    solver = told(home, "show", f"{made.commit}:{SOLVER}")
    assert (MORE in solver, RIGHT in solver, WRONG in solver) == (True, True, False)
    log = told(home, "log", "--format=%s|%(trailers:key=Omni-Role,valueonly,separator=)", made.commit)
    assert log.splitlines() == snapshot(
        [
            "refactor: architecture|P3.1",
            "feat: deliver what no template knows|P1.2",
            "feat: build App from its specification|implementation",
            "docs: specify what was asked|specification",
        ]
    )
    assert told(home, "diff", made.unrefined, refused.commit) == ""
    assert (refused.changed, refused.unrefined) == (True, "")
    asked = Counter(map(question, record.asked))
    assert [name for name, times in asked.items() if times > 1 and name[0] != "P6.5"] == []
    assert sorted(asked) == snapshot(
        [
            ("P0.1", "work", 1),
            ("P0.1", "work", 2),
            ("P1.1", "work", 1),
            ("P1.1", "work", 2),
            ("P1.2", "work", 1),
            ("P1.2", "work", 2),
            ("P3.1", "hand over", 1),
            ("P3.1", "hand over", 2),
            ("P3.1", "work", 1),
            ("P3.1", "work", 2),
            ("P3.2", "work", 1),
            ("P3.3", "work", 1),
            ("P3.3", "work", 2),
            ("P6.5", "work", 1),
            ("P6.5", "work", 2),
            ("P6.5", "work", 3),
        ]
    )


def refused_afterwards(home: Home, engine: Engine) -> ImplementationHandoff:
    """Verification refuses the whole: what the next attempt leaves."""
    runner, fast = Runner(load_run(engine, home.run), home.settings, engine), s04_fast.STAGE
    store = ArtifactStore(home.path / "artifacts")
    refusal = VerificationHandoff(passed=False, reasons=("types: no",), tier=2, verdict="fail", report="", seconds=1)
    start_stage(engine, home.run, fast, 0)
    end_stage(engine, home.run, fast, 0, store.put(refusal.model_dump_json().encode()), refusal)
    made = ImplementationHandoff.model_validate_json(store.get(runner.stage(s02_implementation.STAGE, 1)))
    each = Contributions.model_validate_json(store.get(made.specialists)).each
    assert next((one.role, one.why) for one in each if one.outcome == "taken back") == (
        "P3.1",
        "verification refused the whole afterwards: types: no",
    )
    return made


def told(home: Home, *argv: str) -> str:
    workspace = home.path / "runs" / home.run / "workspace"
    return subprocess.run(["git", *argv], cwd=workspace, capture_output=True, text=True, check=True).stdout


def question(asked: Asked) -> tuple[str, str, int]:
    """Who is asked, for what, for the how many-th time."""
    assert isinstance(asked.request, dict)
    messages = asked.request["messages"]
    assert isinstance(messages, list)
    told = [json.dumps(each) for each in messages]
    role = next(role for role in ROLES if f"({role})" in told[0])
    what = "hand over" if any("hand over this change" in each for each in told) else "work"
    return role, what, sum('"role": "assistant"' in each for each in told) + 1


def test_what_is_left_to_write_is_what_no_template_delivers() -> None:
    """Only that, in lines that a document takes; nothing where the template delivers all."""
    assert to_write(adopt(compile_request(parse_request("a todo app with user auth")))) is None
    spec = adopt(compile_request(parse_request("a todo app that folds cranes out of very thin paper")))
    assumed = (*spec.assumptions, Assumption(id="A99", text="thin " * 400))
    left = to_write(spec.model_copy(update={"assumptions": assumed}))
    assert left is not None
    document = unpack(left, ProductSpec)
    assert all("paper" in each.when for each in document.criteria)
    assert len(document.criteria) < len(spec.criteria)
    assert left.role == "specification"


def test_a_document_has_to_be_true_to_its_change() -> None:
    said = Change.model_validate({**CHANGE, "trace": {"AC1": ["tests/test_a.py"]}})
    assert untrue(said, [SOLVER], [LOOK, "verify"], ["tests/test_a.py"]) == ""
    assert untrue(said, ["README.md"], ["ls"], []).split("; ") == snapshot(
        [
            "it touches files that are not named: README.md",
            "it does not touch: src/app/sudoku.py",
            "there is no test: tests/test_a.py",
            "this was not run: grep -c 'empty cell' src/app/sudoku.py: 1",
        ]
    )


@pytest.mark.parametrize(
    ("checked", "ran", "believed"),
    [
        ("pytest tests/test_a.py::test_it: 1 passed", "pytest tests/test_a.py::test_it", True),
        ("verify: it passes", "verify", True),
        ("pytest -q: 1 passed", " pytest -q\n", True),
        ("e: all tests pass", "verify", False),
        ("pytest: 40 passed", "grep pytest README.md", False),
        ("pytest: 40 passed", "pytest tests/test_a.py", False),
        ("pytest tests: 40 passed", "pytest", False),
        ("verify passes", "verify", False),
        (": 40 passed", "", False),
    ],
)
def test_only_a_command_as_it_was_run_was_run(checked: str, ran: str, believed: bool) -> None:
    said = Change.model_validate({**CHANGE, "checked": [checked]})
    assert untrue(said, [SOLVER], ["ls", ran], []) == ("" if believed else f"this was not run: {checked}")


def test_who_changed_the_code_is_named_and_not_who_wrote_the_document(
    engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session by two models, what it hands over by a third: the commit is of the two."""

    def answer(model: str, text: str) -> ChatReply:
        message = Message(role="assistant", content=text)
        return ChatReply(message=message, finish="stop", usage=Usage(), provider="local", model=model)

    def changed(found: Desk, role: Role, made: object, log: SessionLog, tokens: int | None) -> Outcome:
        for turn, model in enumerate(("small", "large", "small"), 1):
            log.append(Replied(turn=turn, reply=answer(model, "")))
        found.work.workspace.write({"README.md": (b"# Other words", False)})
        return Outcome(ended="done", summary="", steps=3, usage=Usage())

    document = {**CHANGE, "files": [{"path": "README.md", "why": "words"}], "checked": []}
    chat: Chat = lambda *_: answer("clerk", json.dumps(document))  # noqa: E731
    run = create(engine, "a todo app", RunOptions(model="local"))
    workspace = Workspace(tmp_path / "workspace", run.created_at)
    workspace.create()
    workspace.write({"README.md": (b"# App", False)})
    commit = workspace.commit("feat: all of it", {})
    monkeypatch.setattr(refining, "_worked", changed)
    monkeypatch.setattr(refining, "apply_fixes", lambda _: None)
    monkeypatch.setattr(refining, "faults", lambda _: ())
    driver, store = lambda: choose(settings), ArtifactStore(tmp_path / "artifacts")
    work = Work(run, "implementation", 0, settings, engine, store, workspace, driver)
    open_budget(work)
    spec = adopt(compile_request(parse_request("a todo app")))
    made = ImplementationHandoff(
        spec="", commit=commit, changed=True, files=1, lines=1, package="app", trace={}, undelivered={}
    )
    said = refining._refined(Desk(work, spec, chat), load_role("P3.1"), made)
    assert (said.outcome, said.model, said.why) == ("kept", "local/large, local/small", CHANGE["summary"])
    assert said.envelope is not None
    assert said.envelope.model == "local/clerk"
    assert workspace.git("log", "-1", "--format=%(trailers:key=Omni-Model,valueonly)").split("\n")[0] == said.model
