from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from inline_snapshot import snapshot

HEAVY = {"pydantic", "httpx", "sqlalchemy", "dbos", "alembic", "rich", "yaml", "jinja2", "playwright", "cryptography"}


def omni(*argv: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "omni", *argv]
    environment = {"PATH": "/usr/bin:/bin", "OMNI_HOME": str(home), "HOME": str(home), "NO_COLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home)


def test_version_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['omni', '--version']\n"
        "try:\n import omni.cli.main as m; m.main()\nexcept SystemExit: pass\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    version, modules = done.stdout.splitlines()
    assert version.startswith("omni ")
    assert HEAVY & set(modules.split()) == set()


@pytest.mark.parametrize(
    "command",
    [(), ("build",), ("verify",), ("runs",), ("approve",), ("config",), ("doctor",), ("audit",), ("package",)],
)
def test_every_command_has_help(command: tuple[str, ...], tmp_path: Path) -> None:
    done = omni(*command, "--help", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: omni")


def test_a_missing_run_is_one_clear_error(tmp_path: Path) -> None:
    done = omni("runs", "show", "nope", home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == snapshot(
        """\
omni: There is no such run [P001]
  why:   0 runs match 'nope', one should
  do:    Type: omni runs list
"""
    )


def test_the_same_error_as_json(tmp_path: Path) -> None:
    done = omni("runs", "show", "nope", "--json", home=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["code"] == "P001"


def test_no_request_is_a_usage_error(tmp_path: Path) -> None:
    done = omni("build", home=tmp_path)
    assert done.returncode == 2
    assert 'omni build "a todo app with user auth"' in done.stderr


def test_config_says_where_a_value_comes_from(tmp_path: Path) -> None:
    (tmp_path / "omni.toml").write_text("retries = 1\n")
    rows = [json.loads(line) for line in omni("config", "--json", home=tmp_path).stdout.splitlines()]
    values = {row["name"]: (row["value"], row["origin"]) for row in rows}
    assert values["home"] == (str(tmp_path), "environment OMNI_HOME")
    assert values["retries"][0] == "1"
    assert values["offline"] == ("false", "default")
