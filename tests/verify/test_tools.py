"""Sets of tools: where a program comes from, and what is said when a set can't be had."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from omni.kernel.environments import FAILED
from omni.kernel.errors import OmniError
from omni.verify import tools
from omni.verify.check import Check, Context, Item
from omni.verify.report import Report, Status
from omni.verify.tools import MACHINE, Tools, open_tools, toolsets, versions

Write = Callable[[Mapping[str, str | bytes]], Path]
Verify = Callable[..., Report]


def program(path: Path, script: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_every_set_is_locked() -> None:
    assert toolsets()[0] == "tools"
    for name in toolsets():
        assert versions(name), name


def test_the_machines_own_are_found_on_path_but_never_relative_to_a_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "first" / "linter")
    monkeypatch.setenv("PATH", f"bin:.:{tmp_path}/none:{tmp_path}/first")
    opened = open_tools(tmp_path, True, print, MACHINE)
    assert opened.path("linter") == tmp_path / "first" / "linter"
    assert opened.bins == (tmp_path / "none", tmp_path / "first")
    with pytest.raises(OmniError, match="other is not in the tools environment"):
        opened.path("other")


def test_a_program_that_a_package_brings_is_started_without_its_script(tmp_path: Path) -> None:
    script = program(tmp_path / "bin" / "scanner")
    assert Tools(tmp_path).path("scanner") == script
    brought = program(tmp_path / "lib" / "python3.11" / "site-packages" / "scanner" / "bin" / "scanner")
    assert Tools(tmp_path).path("scanner") == brought


def test_a_set_that_there_is_not_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OmniError, match="there is no set of tools “nope”"):
        open_tools(tmp_path, True, print, "nope")


def test_versions_come_from_the_sets_own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.lock").write_text("a==1.0 \\\n    --hash=sha256:00\n")
    (tmp_path / "two").mkdir()
    packages = {"": {"name": "x"}, "node_modules/b": {"version": "2.0"}}
    (tmp_path / "two" / "package-lock.json").write_text(json.dumps({"packages": packages}))
    monkeypatch.setattr(tools, "FOLDER", tmp_path)
    versions.cache_clear()
    try:
        assert (dict(versions("one")), dict(versions("two")), dict(versions("three"))) == (
            {"a": "1.0"},
            {"b": "2.0"},
            {},
        )
    finally:
        versions.cache_clear()


def sets(monkeypatch: pytest.MonkeyPatch, **found: Path | OmniError) -> None:
    def opened(_home: Path, _offline: bool, _progress: object, toolset: str) -> Tools:
        there = found[toolset]
        if isinstance(there, OmniError):
            raise there
        return Tools(there)

    monkeypatch.setattr("omni.verify.tools.open_tools", opened)


def test_each_check_gets_the_program_of_its_set(
    write: Write, verify: Verify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(context: Context) -> Iterator[Item]:
        yield context.finding("said", context.execute("linter").stdout.strip())

    for name in ("tools", "heavy"):
        program(tmp_path / name / "bin" / "linter", f"echo {name}")
    sets(monkeypatch, tools=tmp_path / "tools", heavy=tmp_path / "heavy")
    write({"a.py": "x = 1\n"})
    declared = {"title": "x", "tier": 1, "languages": ("python",), "tool": "linter", "run": run}
    checks = [Check.model_validate(declared | {"id": name, "toolset": name}) for name in ("tools", "heavy")]
    assert [finding.message for finding in verify(*checks).findings] == ["heavy", "tools"]


def test_a_set_that_can_not_be_had_is_incomplete_for_its_checks_alone(
    write: Write, verify: Verify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(context: Context) -> Iterator[Item]:
        context.run_in_sandbox(("linter",), toolset="heavy")
        return iter(())

    program(tmp_path / "tools" / "bin" / "linter", "echo '{\"runs\": []}'")
    sets(monkeypatch, tools=tmp_path / "tools", heavy=OmniError(FAILED, "no wheel for this machine"))
    write({"a.py": "x = 1\n"})
    declared = {"title": "x", "tier": 1, "languages": ("python",)}
    checks = [
        Check.model_validate(declared | more)
        for more in (
            {"id": "base", "tool": "linter"},
            {"id": "heavy", "tool": "linter", "toolset": "heavy"},
            {"id": "inside", "run": run},
        )
    ]
    results = {each.check: (each.status, each.reason) for each in verify(*checks).results}
    assert results == {
        "base": (Status.PASS, ""),
        "heavy": (Status.INCOMPLETE, "linter is not there: no wheel for this machine"),
        "inside": (Status.INCOMPLETE, "the tools “heavy” are not there: no wheel for this machine"),
    }


@pytest.mark.host
def test_the_sandbox_shows_a_set_read_only_and_has_it_on_path(
    write: Write, verify: Verify, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(context: Context) -> Iterator[Item]:
        done = context.run_in_sandbox(
            ("sh", "-c", "linter; touch $0/x 2>/dev/null || echo kept", heavy), toolset="heavy"
        )
        yield context.finding("said", done.stdout.strip())

    heavy = str(open_folder / "heavy")
    program(open_folder / "heavy" / "bin" / "linter", "echo heavy")
    (open_folder / "heavy" / "bin" / "python").symlink_to("/usr/bin/python3")
    sets(monkeypatch, tools=open_folder, heavy=open_folder / "heavy")
    write({"a.py": "x = 1\n"})
    check = Check.model_validate({"id": "x", "title": "x", "tier": 1, "languages": ("python",), "run": run})
    assert [each.message for each in verify(check).findings] == ["heavy\nkept"]


def test_a_set_without_wheels_for_the_newest_interpreter_is_made_with_omnis_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = Path("/opt/python/bin/python3.14")
    said: list[str] = []

    def ensure(
        _name: str, _lock: Path, home: Path, _offline: bool, _progress: object, python: Path | None = None
    ) -> Path:
        if python == newest:
            raise OmniError(FAILED, "no wheel for this interpreter")
        return home / "made"

    monkeypatch.setattr(tools, "newest_python", lambda _home: newest)
    monkeypatch.setattr(tools, "ensure", ensure)
    assert tools.install("tools", tmp_path, False, said.append).root == tmp_path / "made"
    assert "no wheel for this interpreter" in said[0]


def test_of_the_machines_tools_the_sandbox_is_shown_nothing_but_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of programs may stand in a home folder, beside what nobody else may see."""
    alone = program(tmp_path / "home" / "bin" / "linter")
    cargo = program(tmp_path / "rust" / "bin" / "cargo")
    (tmp_path / "rust" / "lib" / "rustlib").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{alone.parent}:{cargo.parent}")
    opened = open_tools(tmp_path, True, print, MACHINE)
    assert [mount.target for mount in opened.mounts(str(alone))] == [str(alone)]
    assert str(tmp_path / "rust") in [mount.target for mount in opened.mounts(str(cargo))]
    assert opened.bins_for("linter") == (alone.parent,)
