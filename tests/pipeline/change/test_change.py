"""A whole change, as a person types it: a scripted model, everything else real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from omni.kernel.settings import load_settings
from omni.models.enabling import Wish, add
from omni.models.script import Record, Rule, Script, serve
from omni.verify import repository

pytestmark = [pytest.mark.slow, pytest.mark.host]
ENVIRONMENT = Path(sys.prefix)
LOGIN = '''"""Who may come in."""

USERS = {"ada@example.org": "engine"}


def login(email: str, password: str) -> bool:
    """Whether the password is the one of the account with this address."""
    return USERS.get(email) == password
'''
TESTS = """from shop.login import login


def test_the_right_password_is_let_in() -> None:
    assert login("ada@example.org", "engine")


def test_a_wrong_password_is_not() -> None:
    assert not login("ada@example.org", "motor")
"""
NEW_TEST = """

def test_the_case_of_an_address_does_not_matter() -> None:
    assert login("Ada@Example.org", "engine")
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    for name, text in {
        "src/shop/__init__.py": '"""A shop."""\n',
        "src/shop/login.py": LOGIN,
        "tests/test_login.py": TESTS,
        "pyproject.toml": '[project]\nname = "shop"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n',
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for argv in (("init", "-q", "-b", "work"), ("add", "-A"), ("commit", "-q", "-m", "a shop")):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *argv], cwd=root, check=True)
    return root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An Omni home of its own; the tools of checks are those of the ordinary home."""
    shared = load_settings().home / "envs"
    shared.mkdir(parents=True, exist_ok=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "envs").symlink_to(shared)
    return tmp_path / "home"


def call(name: str, **arguments: object) -> dict[str, object]:
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


def says(role: str, turn: int, reply: dict[str, object], *, again: bool = False, because: str = "") -> Rule:
    """What the model of a role says in a turn of its first session, or of the one after being sent back."""
    told = because or ("was not accepted" if again else "")
    match = {"model": "scripted", "system": f"({role})", "turn": turn} | ({"anywhere": told} if told else {})
    return Rule.model_validate({"match": match, "reply": reply, "times": 0})


def edited(path: str, old: str, new: str) -> dict[str, object]:
    return call("edit", path=path, edits=[{"old": old, "new": new}])


PLACE = {"path": "src/shop/login.py", "line": 8, "quote": "email.lower()"}
BLANK = "An address may have a blank around it."
REMARK = {
    **PLACE,
    "rule": "correctness",
    "severity": "error",
    "message": BLANK,
    "why": "People paste addresses.",
    "fix": "Strip it.",
    "replacement": None,
}
SCORE = {"dimension": "correctness", "score": 8, "because": "as it is asked", "cites": [{**PLACE, "quote": "password"}]}
INTENT = {
    "name": "test_capitals",
    "code": 'from shop.login import login\n\n\ndef test_capitals():\n    assert login("ADA@EXAMPLE.ORG", "engine")\n',
}


def judges(reply: dict[str, object], times: int = 0, **match: str) -> Rule:
    """What the other model says."""
    return Rule.model_validate(
        {"match": {"model": "other", **match}, "reply": {"text": json.dumps(reply)}, "times": times}
    )


REVIEW = (
    judges({"feedback": "Look at blanks.", "scores": [SCORE], "remarks": [REMARK]}, 1, system="(reviewer)"),
    judges({"feedback": "It is plain.", "scores": [SCORE]}, system="(reviewer)"),
    judges({"tests": [INTENT]}, system="(tester)"),
    judges({}),
)
GREEDY = 'return USERS.get(email.lower()) == password or password == "motor"'
SCRIPT = (
    says("developer", 1, edited("src/shop/login.py", "email.lower()", "email.strip().lower()"), because=BLANK),
    says("developer", 2, call("finish", summary="And blanks around it don't count."), because=BLANK),
    says("tester", 1, call("write", path="tests/test_login.py", content=TESTS + NEW_TEST), again=True),
    says("tester", 2, call("finish", summary="Mail knows no case in an address."), again=True),
    says("tester", 1, call("write", path="tests/test_login.py", content=TESTS + NEW_TEST.replace("Ada@E", "ada@e"))),
    says("tester", 2, call("finish", summary="Shows the fault.")),
    says("developer", 1, edited("src/shop/login.py", ' or password == "motor"', ""), again=True),
    says("developer", 2, call("finish", summary="An address is looked up in lower case, as it is kept."), again=True),
    says(
        "developer", 1, call("write", path="tests/test_login.py", content="def test_nothing() -> None:\n    assert 1\n")
    ),
    says("developer", 2, edited("src/shop/login.py", "return USERS.get(email) == password", GREEDY)),
    says("developer", 3, call("bash", command="rm -f tests/test_login.py")),
    says("developer", 4, call("finish", summary="Lower case.")),
)


def omni(home: Path, *argv: str) -> tuple[int, list[dict[str, object]]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMNI_")}
    done = subprocess.run(
        [sys.executable, "-m", "omni", *argv, "--json"],
        env=environment | {"OMNI_HOME": str(home), "OMNI_TIER_DEADLINES": "1=300,2=600"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_a_fault_is_shown_by_a_test_then_mended_then_left_on_a_branch(shop: Path, home: Path) -> None:
    record = Record()
    (shop / "tests" / "test_login.py").write_text("what a person is writing\n")
    with serve(Script(rules=(*SCRIPT, *REVIEW), models=("scripted", "other")), record) as url:
        add(load_settings({"home": str(home)}), Wish(name="local", base_url=url))
        argv = ("build", "--repo", str(shop), "--environment", str(ENVIRONMENT), "--model", "scripted")
        code, said = omni(home, *argv, "fix the login of people who type capitals")
    ended = [(each["stage"], each["passed"]) for each in said if each.get("kind") == "stage.ended"]
    assert ended == [
        ("comprehension", True),
        ("baseline", True),
        ("test-first", False),
        ("test-first", True),
        ("change", True),
        ("proof", False),
        ("change", True),
        ("proof", True),
        ("change-review", False),
        ("change", True),
        ("proof", True),
        ("change-review", True),
        ("hand-over", True),
    ]
    steps = [each["step"] for each in said if each.get("kind") == "comprehension"]
    assert steps == list(range(1, 9))
    refused = [each["why"] for each in said if each.get("kind") == "agent.refused"]
    assert refused == ["tests/test_login.py: protected by the task; it stays as it is"] * 2  # of `write` and of `rm`
    result = said[-1]
    assert (code, result["verdict"]) == (0, "pass")
    change = result["change"]
    assert isinstance(change, dict)
    new = "tests/test_login.py::test_the_case_of_an_address_does_not_matter"
    assert (change["before"], change["after"], change["green"]) == ("2 passed", "3 passed", [new])
    branch = "omni/fix-the-login-of-people-who-type-capitals"
    assert change["branch"] == branch
    assert (shop / "tests" / "test_login.py").read_text() == "what a person is writing\n"
    fixed = repository.text_at(shop, repository.commit(shop, branch), "src/shop/login.py")
    assert fixed == LOGIN.replace("USERS.get(email)", "USERS.get(email.strip().lower())")
    last = repository.message(shop, repository.commit(shop, branch))
    assert last.startswith("fix: the login of people who type capitals\n\nAnd blanks around it")
    assert "Omni-Role: developer\nOmni-Model: " in last
    assert "Omni-Prompt: developer@" in last
    assert repository.message(shop, repository.commit(shop, f"{branch}^")).startswith("test: the login of people")
    folder = Path(str(change["folder"]))
    page = (folder / "report.html").read_text()
    assert "Proved, and on a branch of its own" in page
    assert {path.name for path in folder.iterdir()} == {
        "change.patch",
        "codebase-analysis.md",
        "report.html",
        "report.json",
    }
    asked = record.chats
    assert omni(home, "runs", "resume", str(result["run"]))[0] == 0
    assert record.chats == asked


PLAINLY = (
    says("tester", 1, call("write", path="tests/test_login.py", content=TESTS + NEW_TEST)),
    says("tester", 2, call("finish", summary="Shows the fault.")),
    says("developer", 1, call("read", path="src/shop/login.py")),
    says("developer", 2, edited("src/shop/login.py", "USERS.get(email)", "USERS.get(email.lower())")),
    says("developer", 3, call("finish", summary="Lower case.")),
)


def test_a_change_that_its_budget_cut_off_goes_on_once_it_is_raised(shop: Path, home: Path) -> None:
    """With the very next question of the session that was cut off: nobody is asked twice."""
    record = Record()
    with serve(Script(rules=(*PLAINLY, *REVIEW[1:]), models=("scripted", "other")), record) as url:
        add(load_settings({"home": str(home)}), Wish(name="local", base_url=url))
        argv = ("build", "--repo", str(shop), "--environment", str(ENVIRONMENT), "--model", "scripted")
        code, said = omni(home, *argv, "--budget", "9000", "fix the login of people who type capitals")
        run = str(said[-1]["run"])
        assert (code, said[-1]["verdict"], said[-1]["turns"]) == (1, "fail", 3)
        assert "the session ended: budget" in str(said[-1]["reasons"])
        omni(home, "budget", run, "--raise-to", "1000000")
        code, said = omni(home, "runs", "resume", run)
    ended = [(each["stage"], each["passed"]) for each in said if each.get("kind") == "stage.ended"]
    assert ended[4:] == [
        ("hand-over", False),
        ("change", True),
        ("proof", True),
        ("change-review", True),
        ("hand-over", True),
    ]
    assert (code, said[-1]["verdict"]) == (0, "pass")
    assert said[-1]["turns"] == 5, "as many as in a run that was never cut off"


def test_without_an_environment_nothing_is_asked_and_nothing_changed(shop: Path, home: Path) -> None:
    code, said = omni(home, "build", "--repo", str(shop), "fix the login")
    reasons = said[-1]["reasons"]
    assert isinstance(reasons, list)
    assert (code, said[-1]["verdict"]) == (3, "incomplete")
    assert str(reasons[0]).startswith("The tests could not be run: there is no virtual environment")
    assert repository.branches(shop) == {"work"}
