from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from omni.kernel.errors import OmniError
from omni.verify import registry
from omni.verify.check import Check
from omni.verify.tools import MACHINE, versions


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    registry.checks.cache_clear()
    yield
    registry.checks.cache_clear()


def test_the_built_in_checks_are_sound() -> None:
    checks = registry.checks()
    assert len(checks) >= 16
    for check in checks:
        assert check.run or check.tool, f"{check.id}: neither a tool nor a function"
        assert check.languages or check.globs, f"{check.id}: it has no inputs"
        if check.tool and check.toolset != MACHINE:
            assert (check.package or check.tool) in versions(check.toolset), f"{check.id}: {check.tool} is not locked"


def test_a_tool_that_speaks_sarif_is_only_data(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('id = "x"\ntitle = "X"\ntier = 1\ntool = "x"\nargv = ["{files}"]\n[severities]\nA = "note"\n')
    assert registry.from_toml(path) == Check.model_validate(
        {"id": "x", "title": "X", "tier": 1, "tool": "x", "argv": ("{files}",), "severities": {"A": "note"}}
    )


@pytest.mark.parametrize(
    "text", ['id = "X!"\ntitle = "X"\ntier = 1', 'id = "x"\ntitle = "x"\ntier = 1\nnope = 1', "id ="]
)
def test_a_bad_declaration_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(OmniError, match="A check can't be loaded"):
        list(registry.built_in(tmp_path))


def plugged(monkeypatch: pytest.MonkeyPatch, loaded: object) -> None:
    entry = SimpleNamespace(load=lambda: loaded, value="package.module")
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == "omni.checks" else [])


def test_other_packages_bring_checks_by_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    check = Check(id="from-outside", title="x", tier=1)
    for loaded in (check, SimpleNamespace(CHECK=check), SimpleNamespace(CHECKS=(check,))):
        registry.checks.cache_clear()
        plugged(monkeypatch, loaded)
        assert registry.get("from-outside") == check


def test_an_id_that_is_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged(monkeypatch, Check(id="ruff-lint", title="x", tier=1))
    with pytest.raises(OmniError, match="its id is taken"):
        registry.checks()


def test_what_is_no_check_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged(monkeypatch, SimpleNamespace())
    with pytest.raises(OmniError, match="it has neither CHECK nor CHECKS"):
        registry.checks()


def test_a_plug_in_that_can_not_be_imported_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("x", "nowhere_to_be_found", "omni.checks")
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == "omni.checks" else [])
    with pytest.raises(OmniError, match="No module named 'nowhere_to_be_found'"):
        registry.checks()
