"""The list of tools, and the lock that a project carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.verify import machine, toolbox, toollock
from omni.verify.check import Check
from omni.verify.config import ProjectConfig
from omni.verify.machine import Program
from omni.verify.registry import checks
from omni.verify.report import NOT_INSTALLED, Report, Status
from omni.verify.toolbox import known_tools, sets_to_install
from omni.verify.tools import MACHINE, toolsets

Write = Callable[[Mapping[str, str | bytes]], Path]
Verify = Callable[..., Report]
AddTool = Callable[[str, str], None]


def check(tool: str, toolset: str = MACHINE, **more: object) -> Check:
    declared = {"id": tool, "title": f"{tool} is content", "tier": 1, "languages": ("python",), "argv": ("{files}",)}
    return Check.model_validate(declared | {"tool": tool, "toolset": toolset} | more)


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddTool:
    """Put a program on PATH, where there is little else."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def add(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return add


def test_every_tool_of_a_check_is_listed_and_says_how_to_get_it(settings: Settings) -> None:
    found = known_tools(checks(), settings.home)
    listed = {(tool.toolset, tool.name) for tool in found}
    assert {(each.toolset, each.tool) for each in checks() if each.tool} <= listed
    for tool in found:
        assert tool.installed or tool.get, f"{tool.name} is not here, and nothing says how to get it"
        assert tool.what or tool.toolset != MACHINE, f"{tool.name}: what is it for?"
    assert {tool.installed for tool in found if tool.toolset == "tools"} == {False}


def test_a_tool_of_the_machine_says_its_version_itself(settings: Settings, on_path: AddTool) -> None:
    on_path("lynx", "echo 'lynx version 2.9.1, of today'")
    (tool,) = (each for each in known_tools([check("lynx")], settings.home) if each.name == "lynx")
    assert (tool.installed, tool.version, tool.checks, tool.get) == (True, "2.9.1", ("lynx",), "")


def test_names_lead_to_sets(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "programs", lambda: {"trivet": Program(what="x", get="See trivet.example.org")})
    found = known_tools(checks(), settings.home)
    assert sets_to_install(["ruff", "mypy", "tools"], found) == ["tools"]
    with pytest.raises(OmniError) as unknown:
        sets_to_install(["no-such"], found)
    assert unknown.value.kind.code == "V050"
    with pytest.raises(OmniError) as by_hand:
        sets_to_install(["trivet"], found)
    assert (by_hand.value.kind.code, by_hand.value.fix) == ("V051", "See trivet.example.org")


def test_what_a_new_lock_would_change(monkeypatch: pytest.MonkeyPatch) -> None:
    def compiled(_name: str, _source: Path, folder: Path) -> Path:
        (folder / "x.lock").write_text("a==2.0 \\\n    --hash=sha256:00\nb==1.0\n")
        return folder / "x.lock"

    monkeypatch.setattr(toolbox, "compile_lock", compiled)
    monkeypatch.setattr(toolbox, "versions", lambda _name: {"a": "1.0", "b": "1.0", "c": "3.0"})
    changes, lock = toolbox.update("tools")
    assert [(each.package, each.before, each.after) for each in changes] == [("a", "1.0", "2.0"), ("c", "3.0", "")]
    assert lock.startswith("a==2.0")


def test_what_was_asked_to_be_in_a_set() -> None:
    assert "ruff" in toolbox.wanted("tools")
    for name in toolsets():
        assert toolbox.wanted(name)


def results(report: Report) -> dict[str, tuple[Status, str]]:
    return {each.check: (each.status, each.reason) for each in report.results}


def test_a_tool_that_nobody_has_to_have_is_skipped_unless_the_project_requires_it(
    write: Write, verify: Verify, on_path: AddTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "programs", lambda: {"trivet": Program(what="x", get="See trivet.example.org")})
    write({"a.py": "x = 1\n"})
    reason = NOT_INSTALLED + "trivet is not on PATH. See trivet.example.org"
    assert results(verify(check("trivet"))) == {"trivet": (Status.SKIPPED, reason)}
    required = ProjectConfig(require=("trivet",))
    assert results(verify(check("trivet"), config=required)) == {"trivet": (Status.INCOMPLETE, reason)}
    with pytest.raises(OmniError, match=r"verify\.require: there is no check “nope”"):
        verify(check("trivet"), config=ProjectConfig(require=("nope",)))
    on_path("trivet", "echo '{\"runs\": []}'")
    assert results(verify(check("trivet"))) == {"trivet": (Status.PASS, "")}


def test_a_large_set_is_not_installed_by_itself(write: Write, verify: Verify) -> None:
    write({"a.py": "x = 1\n"})
    reason = NOT_INSTALLED + "ruff is not here. Type: omni tools install tools"
    assert results(verify(check("ruff", "tools", optional=True))) == {"ruff": (Status.SKIPPED, reason)}


def test_the_lock_of_a_project_is_kept_to(
    write: Write, verify: Verify, add_tool: AddTool, settings: Settings, root: Path
) -> None:
    add_tool("ruff", "echo '{\"runs\": []}'")
    write({"a.py": "x = 1\n"})
    ruff = check("ruff", "tools")
    path = toollock.write(root, [tool for tool in known_tools([ruff], settings.home) if tool.checks])
    assert results(verify(ruff)) == {"ruff": (Status.PASS, "")}
    locked = path.read_text()
    here = known_tools([ruff], settings.home)[0].version
    path.write_text(locked.replace(here, "0.0.1"))
    assert results(verify(ruff)) == {
        "ruff": (
            Status.INCOMPLETE,
            f"omni-tools.lock wants ruff 0.0.1, and here is {here}. Take it over: omni tools lock",
        )
    }
    path.write_text(locked.replace('sha256 = "', 'sha256 = "0'))
    assert "wants other packages beside ruff" in results(verify(ruff))["ruff"][1]
    path.write_text("[tools]\nnope = 1\n")
    with pytest.raises(OmniError, match=r"omni-tools\.lock can't be used"):
        verify(ruff)
