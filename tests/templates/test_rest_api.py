"""The REST API template: what it renders for which specification, and that the result proves itself."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest
from tests.templates import workshop
from tests.templates.generated import write
from tests.templates.specs import todo

from omni.spec.model import Operation, OperationKind, Specification
from omni.templates.catalog import Step, get
from omni.templates.render import Project, render

EXAMPLES = Path(__file__).parents[1] / "spec" / "examples"
TEMPLATE = get("rest-api")


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


def routes(project: Project, module: str) -> list[str]:
    """Method and path of each route of a module of the API, in order."""
    source = project.files[f"src/{project.package}/api/{module}.py"].data.decode()
    return re.findall(r'@(?:router|public)\.(\w+ ?\(\s*"[^"]*")', source)


def test_a_specification_becomes_one_module_for_each_entity() -> None:
    project = render(todo(), TEMPLATE)
    modules = sorted(path for path in project.files if path.startswith("src/todo/api/"))
    assert [Path(path).name for path in modules] == [
        "__init__.py",
        "accounts.py",
        "document.py",
        "examples.py",
        "identity.py",
        "responses.py",
        "sessions.py",
        "todo.py",
    ]
    assert routes(project, "todo") == [
        'get(""',
        'post(""',
        'get("/{todo_id}"',
        'patch("/{todo_id}"',
        'delete("/{todo_id}"',
        'post("/{todo_id}/complete"',
    ]


def test_without_accounts_nothing_speaks_of_them() -> None:
    project = render(todo(auth=False), TEMPLATE)
    api = {path: file.data.decode() for path, file in project.files.items() if path.startswith("src/todo/api/")}
    assert not {"src/todo/api/accounts.py", "src/todo/api/sessions.py", "src/todo/api/identity.py"} & api.keys()
    assert not [path for path, source in api.items() if "actor" in source or "Unauthenticated" in source]


def test_only_what_may_be_done_has_a_route() -> None:
    spec = todo()
    kept = tuple(o for o in spec.operations if o.kind not in {OperationKind.DELETE, OperationKind.UPDATE})
    project = render(spec.model_copy(update={"operations": kept}), TEMPLATE)
    assert not [route for route in routes(project, "todo") if route.startswith(("patch", "delete"))]


def test_files_and_summaries_come_before_the_keys_that_would_swallow_them() -> None:
    found = routes(rendered("rest_api"), "invoice")
    assert found.index('get("/export"') < found.index('get("/{invoice_id}"')
    assert found.index('get("/by-status"') < found.index('get("/{invoice_id}"')


def test_a_short_address_lies_outside_of_the_api() -> None:
    assert 'get("/s/{slug}"' in routes(rendered("url_shortener"), "link")


def test_an_entity_keeps_out_of_the_way_of_the_log_in() -> None:
    spec = todo()
    entity = spec.entities[0].model_copy(update={"plural": "sessions"})
    project = render(spec.model_copy(update={"entities": (entity,)}), TEMPLATE)
    assert 'prefix="/sessions-list"' in project.files["src/todo/api/todo.py"].data.decode()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_example_renders_to_python_with_no_trace_of_the_template(name: str) -> None:
    project = rendered(name)
    for path, file in project.files.items():
        if path.endswith(".py"):
            ast.parse(file.data, path)
            assert b"{%" not in file.data, path


def test_the_same_specification_gives_the_same_bytes() -> None:
    assert render(example("polls"), TEMPLATE).files == rendered("polls").files


def test_what_no_template_can_do_is_named() -> None:
    spec = todo()
    custom = Operation(
        id="todo.read_handwriting",
        kind=OperationKind.CUSTOM,
        name="read_handwriting",
        label="Read handwriting",
        description="Recognises handwriting.",
        entity="Todo",
    )
    project = render(spec.model_copy(update={"operations": (*spec.operations, custom)}), TEMPLATE)
    assert "operation:todo.read_handwriting" in {item.ref for item in project.undelivered}


@pytest.mark.slow
@pytest.mark.host
@pytest.mark.parametrize("name", ["rest_api", "polls", "url_shortener"])
def test_the_project_proves_itself(name: str, tmp_path: Path) -> None:
    project = rendered(name)
    folder = tmp_path / "app"
    write(project, folder)
    for step in TEMPLATE.prepare:
        result = workshop.run(TEMPLATE, project, folder, step)
        assert result.exit_code == 0, result.stderr
    assert (folder / "docs" / "openapi.yaml").read_text("utf-8").startswith('openapi: "3.1.0"\n')
    types = workshop.run(
        TEMPLATE, project, folder, Step(title="types", argv=("python", "-m", "mypy", "--strict", "src"))
    )
    assert types.exit_code == 0, types.stdout
    tests = Step(title="tests", argv=TEMPLATE.test, makes=("reports/coverage.json",))
    result = workshop.run(TEMPLATE, project, folder, tests)
    assert result.exit_code == 0, result.stdout[-3000:]
    totals = json.loads((folder / "reports" / "coverage.json").read_text("utf-8"))["totals"]
    assert totals["percent_covered"] >= 90
