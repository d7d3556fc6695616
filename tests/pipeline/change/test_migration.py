"""A migration from Flask to FastAPI: a scripted model, everything else real, and a kill on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from omni.kernel.settings import load_settings
from omni.models.enabling import Wish, add
from omni.models.script import Record, Rule, Script, serve
from omni.pipeline.change.migration import left, migration_of, steps
from omni.verify import repository

PROJECT = yaml.safe_load(Path(__file__).with_name("library.yaml").read_text("utf-8"))
FILES: dict[str, str] = PROJECT["files"]
SCORE = {
    "dimension": "correctness",
    "score": 8,
    "because": "the routes are those of before",
    "cites": [{"path": "library/app.py", "line": 10, "quote": "def create_app() -> FastAPI:"}],
}
JUDGED = json.dumps({"feedback": "As before.", "scores": [SCORE]})
REVIEW = (
    {"match": {"model": "other", "system": "(reviewer)"}, "reply": {"text": JUDGED}, "times": 0},
    {"match": {"model": "other"}, "reply": {"text": "{}"}, "times": 0},
)


def test_the_order_is_join_then_what_others_import_then_part() -> None:
    migration = migration_of("Please migrate this from Flask to FastAPI")
    assert migration is not None
    imports = {"library/app.py": ("library/books.py", "library/loans.py"), "library/books.py": ("library/store.py",)}
    assert [step.title for step in steps(migration, FILES, imports)] == [
        "join old and new in library/app.py",
        "move library/books.py",
        "move library/loans.py",
        "take the old out of library/app.py",
    ]
    assert left(migration, FILES) == ("library/app.py", "library/books.py", "library/loans.py")
    assert left(migration, {"a.py": "import flask_login\n", "b.md": "import flask\n", "c.py": "flask = 1\n"}) == (
        "a.py",
    )


def test_what_is_in_no_table_is_told_by_its_words() -> None:
    migration = migration_of("migrate from optparse to argparse")
    assert migration is not None
    texts = {"a.py": "import optparse\n", "b.py": "from c import optparse\n", "tests/test_a.py": "import optparse\n"}
    assert [step.path for step in steps(migration, texts, {})] == ["a.py"]
    assert migration_of("migrate everything") is None


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for argv in (("init", "-q", "-b", "work"), ("add", "-A"), ("commit", "-q", "-m", "a library")):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *argv], cwd=root, check=True)
    return root


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """What the project needs as it is: Flask, and no FastAPI."""
    uv, folder = str(Path(sys.executable).with_name("uv")), tmp_path / "environment"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
    argv = [uv, "pip", "install", "-q", "--python", str(folder / "bin" / "python"), "flask>=3", "pytest"]
    subprocess.run(argv, check=True)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An Omni home of its own; the environments are those of the ordinary home."""
    shared = load_settings().home / "envs"
    shared.mkdir(parents=True, exist_ok=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "envs").symlink_to(shared)
    return tmp_path / "home"


def omni(home: Path, *argv: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMNI_")}
    return subprocess.Popen(
        [sys.executable, "-m", "omni", *argv, "--json"],
        env=environment | {"OMNI_HOME": str(home), "OMNI_TIER_DEADLINES": "1=300,2=600"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_at(stage: str, process: subprocess.Popen[str]) -> None:
    """Kill it when a stage has begun."""
    assert process.stdout is not None
    for line in process.stdout:
        said = json.loads(line)
        if said.get("kind") == "stage.started" and said.get("stage") == stage:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return
    raise AssertionError(process.communicate()[1])


@pytest.mark.slow
@pytest.mark.host
def test_flask_becomes_fastapi_file_by_file(library: Path, environment: Path, home: Path) -> None:
    record, rules = Record(), [Rule.model_validate(rule) for rule in (*PROJECT["rules"], *REVIEW)]
    with serve(Script(rules=tuple(rules), models=("scripted", "other")), record) as url:
        add(load_settings({"home": str(home)}), Wish(name="local", base_url=url))
        argv = ("build", "--repo", str(library), "--environment", str(environment), "--model", "scripted")
        kill_at("step-2", omni(home, *argv, "migrate from Flask to FastAPI"))
        run = next(each.name for each in (home / "runs").iterdir() if each.is_dir())
        resumed = omni(home, "runs", "resume", run)
        out, errors = resumed.communicate(timeout=300)
        assert out, errors
    said = [json.loads(line) for line in out.splitlines()]
    ended = [(each["stage"], each["passed"]) for each in said if each.get("kind") == "stage.ended"]
    assert ended == [
        ("comprehension", True),
        ("baseline", True),
        ("plan", True),
        ("step-0", True),
        ("step-1", True),
        ("step-2", False),
        ("step-2", True),
        ("step-3", True),
        ("step-last", True),
        ("proof", True),
        ("change-review", True),
        ("hand-over", True),
    ]
    result = said[-1]
    assert (resumed.returncode, result["verdict"], result["reasons"]) == (0, "pass", [])
    change = result["change"]
    assert (change["before"], change["after"]) == ("6 passed", "6 passed")
    tip = repository.commit(library, change["branch"])
    series = [f"{change['branch']}~{back}" for back in reversed(range(6))]
    assert [repository.message(library, repository.commit(library, each)).partition("\n")[0] for each in series] == [
        "build: what flask-to-fastapi needs",
        "refactor: join old and new in library/app.py",
        "refactor: move library/books.py",
        "refactor: move library/loans.py",
        "refactor: take the old out of library/app.py",
        "build: flask and a2wsgi are needed no more",
    ]
    assert repository.text_at(library, tip, "requirements.txt") == "pytest\nfastapi\nhttpx\n"
    assert "flask" not in repository.text_at(library, tip, "library/app.py").lower()
    assert repository.text_at(library, tip, "tests/test_loans.py") == FILES["tests/test_loans.py"]
    bodies = [json.dumps(asked.request) for asked in record.asked if asked.path.endswith("completions")]
    assert len(bodies) == len(set(bodies))  # nothing was asked twice
