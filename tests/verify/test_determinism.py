"""The same input gives the same answer: any order of files, any number of workers, warm or cold, here or in a clone."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from omni.kernel.settings import Settings, load_settings
from omni.verify import repository
from omni.verify.engine import verify
from omni.verify.plan import Options
from omni.verify.report import Report
from omni.verify.tools import BASE, Tools, open_tools
from omni.verify.watch import watch

pytestmark = [pytest.mark.host, pytest.mark.slow]

SECRET = "gh" + "p_" + "x7Kd93jfLsQ2mVb8Nc4Tz6Wp1Rg5Yh0AeUiO"
FILES: Mapping[str, str] = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n',
    "README.md": "# Shop\n\n[missing](nowhere.md)\n",
    "src/shop/__init__.py": "",
    "src/shop/orders.py": (
        "import requests\nimport reqeusts\n\n\ndef find(connection, name):\n"
        "    return connection.execute(f\"SELECT * FROM orders WHERE name = '{name}'\")\n\n\n"
        "def total(lines):\n    try:\n        return sum(lines)\n    except Exception:\n        pass\n\n\n"
        "def unfinished():\n    # TODO: write it\n    return undefined_name\n"
    ),
    "src/shop/settings.py": f'TOKEN = "{SECRET}"\nDEBUG = True\n',
    "src/shop/copy.py": "def find(connection, name):\n    return None\n\n\nx = undefined_name\nx = undefined_name\n",
    "tests/test_orders.py": "from shop.orders import find\n\n\ndef test_nothing():\n    find(None, None)\n",
    "web/app.js": "var x = 1\nif (x = 2) { debugger }\nrequire('left-padd')\n",
    "deploy/Dockerfile": "FROM python:latest\nRUN apt-get install curl\n",
    "deploy/start.sh": "#!/bin/sh\ncd $1\nrm -rf $2/*\n",
    "db/001_add.sql": "ALTER TABLE orders ADD COLUMN note text NOT NULL;\nCREATE INDEX i ON orders (note);\n",
    "ci/.github/workflows/a.yml": "on: pull_request_target\njobs: {a: {runs-on: x, steps: [{run: 'echo'}]}}\n",
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    here = load_settings()
    base = open_tools(here.home, here.offline, print)

    def opened(home: Path, offline: bool, progress: object, toolset: str = BASE) -> Tools:
        return base if toolset == BASE else open_tools(here.home, here.offline, print, toolset)

    monkeypatch.setattr("omni.verify.tools.open_tools", opened)
    return Settings(home=tmp_path / "home", database_url="sqlite://", offline=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return made(tmp_path / "project", list(FILES))


def made(root: Path, order: list[str]) -> Path:
    """The files, written in this order, as a repository."""
    for path in order:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(FILES[path], "utf-8")
    for argv in (("init", "-q"), ("add", "-A"), ("-c", "user.name=T", "-c", "user.email=t@x", "commit", "-qm", "one")):
        subprocess.run(["git", *argv], cwd=root, check=True)
    return root


def answer(report: Report) -> list[dict[str, object]]:
    """All of it but how long it took and what was known already."""
    return [result.model_dump(exclude={"seconds", "cached"}) for result in report.results]


def run(root: Path, settings: Settings, **options: object) -> list[dict[str, object]]:
    return answer(verify(root, Options(**{"tiers": (1, 2), **options}), settings))  # type: ignore[arg-type]


def test_the_same_input_gives_the_same_answer(
    project: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fresh(name: str) -> Settings:
        return settings.model_copy(update={"home": tmp_path / name})

    expected = run(project, settings, jobs=1)
    found = [finding for result in expected for finding in result["findings"]]  # type: ignore[attr-defined]
    assert len({finding["rule"] for finding in found}) > 12
    assert len({finding["fingerprint"] for finding in found}) == len(found)
    assert run(project, settings) == expected  # warm
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(project), str(clone)], check=True)
    assert run(clone, fresh("second"), jobs=8) == expected  # cold, with other workers, in another place
    assert run(clone, settings) == expected  # another place, what was learnt here
    listed = repository.listed_files

    def shuffled(root: Path) -> list[str] | None:
        paths = listed(root) or []
        random.Random(7).shuffle(paths)
        return paths

    monkeypatch.setattr(repository, "listed_files", shuffled)
    shutil.rmtree(clone)
    assert run(made(tmp_path / "backwards", list(FILES)[::-1]), fresh("third")) == expected


def test_a_round_of_the_warm_server_is_the_answer_of_a_cold_run(
    project: Path, settings: Settings, tmp_path: Path
) -> None:
    rounds: Iterator[object] = watch(project, Options(tiers=(1,)), settings, lambda _event: None)
    next(rounds)
    (project / "src" / "shop" / "copy.py").write_text("def find(connection, name):\n    return undefined_name\n")
    second = next(rounds)
    cold = settings.model_copy(update={"home": tmp_path / "cold"})
    assert answer(second.report) == run(project, cold, tiers=(1,))  # type: ignore[attr-defined]
