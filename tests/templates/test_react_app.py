"""The React template: what it renders for which specification, and that the result proves itself."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest
from tests.templates import workshop
from tests.templates.generated import write
from tests.templates.specs import todo

from omni.spec.model import Specification
from omni.templates.catalog import ROOT, get
from omni.templates.render import Project, render

EXAMPLES = Path(__file__).parents[1] / "spec" / "examples"
FRONT_END = ROOT / "parts" / "react" / "frontend"
TEMPLATE = get("react-app")


def example(name: str) -> Specification:
    return Specification.model_validate_json((EXAMPLES / f"{name}.json").read_text("utf-8"))


@cache
def rendered(name: str) -> Project:
    return render(example(name), TEMPLATE)


NAMES = [
    path.stem
    for path in sorted(EXAMPLES.glob("*.json"))
    if example(path.stem).template in {"web-app", "rest-api", "react-app"}
]


def text(spec: Specification, path: str) -> str:
    return render(spec, TEMPLATE).files[f"frontend/src/{path}"].data.decode()


def test_every_package_is_pinned_and_the_lock_names_no_registry() -> None:
    manifest = json.loads((FRONT_END / "package.json").read_text("utf-8"))
    lock = (FRONT_END / "package-lock.json").read_text("utf-8")
    wanted = manifest["dependencies"] | manifest["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert '"resolved"' not in lock
    packages = json.loads(lock)["packages"]
    assert packages[""]["dependencies"] | packages[""]["devDependencies"] == wanted
    missing = [
        name
        for package in packages.values()
        for name in package.get("optionalDependencies", {})
        if f"node_modules/{name}" not in packages
    ]
    assert missing == []


def test_an_entity_is_described_once() -> None:
    source = text(todo(), "entities/todo.ts")
    assert '{ name: "title", type: "string", required: true, maxLength: 120 },' in source
    assert 'user: { read: "own", create: "all", update: "own", delete: "own" },' in source
    assert 'kind: "toggle",\n      field: "done" satisfies keyof Todo,' in source


@pytest.mark.parametrize("auth", [True, False])
def test_pages_about_accounts_are_there_when_there_are_accounts(auth: bool) -> None:
    files = render(todo(auth=auth), TEMPLATE).files
    assert ("frontend/src/pages/LogInPage.tsx" in files) is auth
    assert ("SignUpPage" in files["frontend/src/App.tsx"].data.decode()) is auth


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_both_languages_have_the_same_words(name: str) -> None:
    files = rendered(name).files
    english, german = (json.loads(files[f"frontend/src/locales/{locale}.json"].data) for locale in ("en", "de"))
    assert english.keys() == german.keys()
    assert all(english.values())


def test_words_of_the_specification_can_not_break_a_message() -> None:
    spec = todo().model_copy(update={"summary": "Use {braces} & <b>tags</b> freely."})
    assert json.loads(text(spec, "locales/en.json"))["app.summary"] == "Use '{'braces'}' & <b>tags</b> freely."


def test_styles_work_from_right_to_left() -> None:
    css = (FRONT_END / "src" / "styles.css").read_text("utf-8")
    assert not re.search(r"(margin|padding|border)-(left|right)|text-align: (left|right)", css)


@pytest.mark.slow
@pytest.mark.host
@pytest.mark.parametrize("name", ["react_app", "kanban"])
def test_the_project_proves_itself(name: str, tmp_path: Path) -> None:
    project = rendered(name)
    folder = tmp_path / "app"
    write(project, folder)
    for step in (*TEMPLATE.prepare, *TEMPLATE.checks):
        result = workshop.run(TEMPLATE, project, folder, step)
        assert result.exit_code == 0, f"{step.title}: {result.stdout[-3000:]} {result.stderr[-3000:]}"
    assert '<div id="root">' in (folder / "frontend" / "dist" / "index.html").read_text("utf-8")
