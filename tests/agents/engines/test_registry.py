"""The declarations of engines, against their locks and against what is put into them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from string import Template

import pytest

from omni.agents.engines import registry
from omni.agents.engines.contract import Adapter
from omni.agents.engines.installed import LOCKS, how_to_get, installed, version
from omni.agents.engines.registry import adapter, adapters
from omni.kernel.environments import base_python
from omni.kernel.errors import OmniError

GIVEN = {"program", "url", "host", "model", "instructions", "key", "home"}


@pytest.mark.parametrize("each", adapters().values(), ids=adapters())
def test_a_declaration_names_only_what_it_is_given(each: Adapter) -> None:
    texts = [*each.argv, *each.env.values(), *each.files.values()]
    assert {name for text in texts for name in Template(text).get_identifiers()} <= GIVEN  # type: ignore[attr-defined]
    assert all(Template(text).is_valid() for text in texts)  # type: ignore[attr-defined]
    assert any("$instructions" in part for part in each.argv)
    assert any("$url" in text or "$host" in text for text in texts)
    assert each.source.startswith("https://")


@pytest.mark.parametrize("each", adapters().values(), ids=adapters())
def test_what_a_registry_carries_is_locked_by_hashes(each: Adapter, tmp_path: Path) -> None:
    if each.install == "machine":
        assert each.get
        assert each.proof == "recorded"
        return
    assert version(each)
    assert installed(each, tmp_path) is None
    lock = (LOCKS / f"{each.name}.lock") if each.install == "pypi" else (LOCKS / each.name / "package-lock.json")
    assert ("sha256:" if each.install == "pypi" else "sha512-") in lock.read_text("utf-8")


def test_what_needs_another_python_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = int(base_python().name.removeprefix("python3."))
    other = adapter("aider").model_copy(update={"pythons": (here + 20, here + 21)})
    said = how_to_get(other, tmp_path)
    assert said.startswith(f"It needs Python 3.{here + 20} to 3.{here + 21}. Type: omni tools install python; then: ")


def test_an_engine_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (registry.FOLDER / "goose.toml").read_text("utf-8")
    (tmp_path / "gander.toml").write_text(content)
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    assert adapters.__wrapped__() == {"gander": Adapter.model_validate({**tomllib.loads(content), "name": "gander"})}


@pytest.mark.parametrize("content", ["title = 1", "not toml", 'title = "x"\nunknown = 1'])
def test_a_bad_declaration_names_its_file(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.toml").write_text(content)
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    with pytest.raises(OmniError) as problem:
        adapters.__wrapped__()
    assert (problem.value.kind.code, problem.value.where) == ("A063", str(tmp_path / "bad.toml"))


def test_an_unknown_engine_is_told_with_those_that_are_known() -> None:
    with pytest.raises(OmniError) as problem:
        adapter("nobody")
    assert problem.value.kind.code == "A060"
    assert "native, aider," in problem.value.fix
