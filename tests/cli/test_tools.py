"""`omni tools`: what a person, and a program, sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from omni.cli.tools import tools
from omni.kernel.errors import OmniError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OMNI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(tools, arguments, catch_exceptions=False)


@pytest.mark.usefixtures("home")
def test_the_list_says_of_each_tool_where_it_is_from_and_how_to_get_it() -> None:
    rows = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    by_name = {row["name"]: row for row in rows}
    ruff, trivy = by_name["ruff"], by_name["trivy"]
    assert (ruff["toolset"], ruff["installed"], ruff["get"]) == ("tools", False, "omni tools install tools")
    assert "ruff-lint" in ruff["checks"]
    assert (trivy["toolset"], trivy["checks"]) == ("path", ["trivy"])
    text = run("list").stdout
    assert "omni tools install tools" in text
    assert "trivy" in text


@pytest.mark.usefixtures("home")
def test_what_can_not_be_installed_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(OmniError) as raised:
        run("install", "trivy")
    assert (raised.value.kind.code, raised.value.fix) == ("V051", "See https://trivy.dev")
    with pytest.raises(OmniError, match="There is no such tool: “nope”"):
        run("install", "nope")


def test_a_set_is_installed_by_the_name_of_a_tool_in_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def install_sets(sets: list[str], where: Path, _offline: bool, _progress: object) -> list[Path]:
        asked.append((sets, where))
        return [where / name for name in sets]

    monkeypatch.setattr("omni.verify.toolbox.install_sets", install_sets)
    assert run("install", "ruff", "buf").stdout == f"tools {home}/tools\nprotobuf {home}/protobuf\n"
    assert asked == [(["tools", "protobuf"], home)]


@pytest.mark.usefixtures("home")
def test_the_lock_holds_versions_and_hashes(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    assert run("lock", str(project)).stdout == f"{project}/omni-tools.lock\n"
    text = (project / "omni-tools.lock").read_text()
    assert '[tools]\nsha256 = "' in text
    assert '"ruff" = "' in text
    assert str(tmp_path) not in text
