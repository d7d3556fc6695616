"""From a specification to files."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from tests.templates.specs import todo

from omni.kernel.errors import OmniError
from omni.spec.model import Specification
from omni.templates import catalog
from omni.templates.catalog import Template, get
from omni.templates.render import Project, render

EXAMPLES = Path(__file__).parents[1] / "spec" / "examples"
SPECS = sorted(EXAMPLES.glob("*.json"))


def example(path: Path) -> Specification:
    return Specification.model_validate_json(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def project() -> Project:
    return render(todo(), get("web-app"))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_example_becomes_python_that_compiles_and_json_that_loads(path: Path) -> None:
    spec = example(path)
    files = render(spec, get(spec.template)).files
    assert list(files) == sorted(files)
    for name, file in files.items():
        assert "[[" not in name
        if name.endswith(".py"):
            ast.parse(file.data, name)
        elif name.endswith(".json"):
            json.loads(file.data)


def test_the_same_specification_gives_the_same_bytes(project: Project) -> None:
    assert render(todo(), get("web-app")) == project


def test_every_criterion_has_a_test(project: Project) -> None:
    assert project.undelivered == ()
    assert project.trace.keys() == {"AC1", "AC2"}
    assert all(path in project.files for paths in project.trace.values() for path in paths)


def test_without_accounts_there_is_no_trace_of_them() -> None:
    files = render(todo(auth=False), get("web-app")).files
    assert not [path for path in files if "account" in path or "permissions" in path or "ratelimit" in path]
    source = b"".join(file.data for path, file in files.items() if path.startswith(("src/", "migrations/", "tests/")))
    assert not re.findall(rb"\b(?:actor|password|owner_id|users)\b", source)


def part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **folders: dict[str, str]) -> Template:
    """A template made of these parts: folder → path → text."""
    for folder, files in folders.items():
        for name, text in files.items():
            path = tmp_path / "parts" / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    monkeypatch.setattr(catalog, "ROOT", tmp_path)
    return get("web-app").model_copy(update={"parts": tuple(folders)})


def texts(project: Project) -> dict[str, str]:
    return {path: file.data.decode() for path, file in project.files.items()}


def test_a_part_is_a_tree_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = part(
        tmp_path,
        monkeypatch,
        one={
            "plain.txt": "{{ as it is }}",
            "[package]/[entity].txt.jinja": "{{ entity.name }} of {{ package }}",
            "page.html.square.jinja": "{{ t }} [[ spec.title ]]",
            "never.txt.jinja": "{% if not spec.auth %}never{% endif %}",
            "code.py.jinja": "import sys, os\nx = [1,\n  2]\nprint(os, x)",
        },
    )
    assert texts(render(todo(), template)) == {
        "code.py": "import os\n\nx = [1, 2]\nprint(os, x)\n",
        "page.html": "{{ t }} Todo",
        "plain.txt": "{{ as it is }}",
        "todo/todo.txt": "Todo of todo",
    }


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ({"one": {"a.txt": "1"}, "two": {"a.txt.jinja": "2"}}, "a.txt is written again by two"),
        ({"one": {"a.txt.jinja": "{{ nonsense }}"}}, "'nonsense' is undefined"),
        ({"one": {"a.txt.jinja": "{% if %}"}}, "Expected an expression"),
        ({"one": {"a.py.jinja": "def :"}}, "invalid-syntax"),
    ],
)
def test_a_broken_template_is_said_and_nothing_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders: dict[str, dict[str, str]], message: str
) -> None:
    with pytest.raises(OmniError, match=message):
        render(todo(), part(tmp_path, monkeypatch, **folders))
