"""The templates that are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.templates import catalog


def test_every_template_names_parts_that_exist() -> None:
    assert {template.name for template in catalog.templates()} >= {
        "web-app",
        "rest-api",
        "react-app",
        "cli-tool",
        "worker",
    }
    for template in catalog.templates():
        assert all(folder.is_dir() for folder in template.folders), template.name
        assert template.environment_lock.is_file(), template.name


def test_an_unknown_template_is_answered_with_the_known_ones() -> None:
    with pytest.raises(OmniError, match="web-app"):
        catalog.get("spaceship")


@pytest.mark.parametrize("text", ['title = "x"', "not toml", "[capabilities]\nmagic = true"])
def test_a_broken_declaration_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "template.toml").write_text(text)
    monkeypatch.setattr(catalog, "ROOT", tmp_path)
    catalog.templates.cache_clear()
    try:
        with pytest.raises(OmniError) as caught:
            catalog.templates()
    finally:
        catalog.templates.cache_clear()
    assert caught.value.where.endswith("odd/template.toml")
