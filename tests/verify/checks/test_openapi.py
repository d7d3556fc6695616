from __future__ import annotations

from collections.abc import Callable

from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]

APP = """
from fastapi import APIRouter, FastAPI

router = APIRouter(prefix="/todos")

@router.get("")
def many(): ...

@router.get("/{todo_id}")
def one(todo_id: str): ...

@router.get("/page", include_in_schema=False)
def page(): ...

app = FastAPI()
app.include_router(router, prefix="/api")
"""
HEAD = 'openapi: 3.1.0\ninfo: {title: App, version: "1"}\npaths:\n'
MANY = '  /api/todos:\n    get: {responses: {"200": {description: ok}}}\n'
ONE = (
    "  /api/todos/{id}:\n    get:\n      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n"
    '      responses: {"200": {description: ok}}\n'
)


def test_true(look: Look) -> None:
    assert look("openapi", {"app.py": APP, "openapi.yaml": HEAD + MANY + ONE}).status is Status.PASS


def test_route_without_document(look: Look) -> None:
    (finding,) = look("openapi", {"app.py": APP, "docs/openapi.yaml": HEAD + MANY}).findings
    assert (finding.rule, finding.path, finding.line) == ("route-undocumented", "app.py", 9)
    assert finding.message == "GET /api/todos/{todo_id} is not in docs/openapi.yaml"


def test_document_without_route(look: Look) -> None:
    gone = '  /api/gone:\n    post: {responses: {"200": {description: ok}}}\n'
    (finding,) = look("openapi", {"app.py": APP, "openapi.yaml": HEAD + MANY + ONE + gone}).findings
    assert (finding.rule, finding.path, finding.line) == ("documented-route-missing", "openapi.yaml", 10)
    assert finding.message == "POST /api/gone is documented, and the program has no such route"


def test_invalid(look: Look) -> None:
    (finding,) = look("openapi", {"openapi.yaml": "openapi: 3.1.0\ninfo: {title: App}\npaths: {}\n"}).findings
    assert (finding.rule, finding.path) == ("invalid-document", "openapi.yaml")
    assert "'version' is a required property" in finding.message


def test_what_can_not_be_followed_is_said(look: Look) -> None:
    app = APP.replace('prefix="/api"', "prefix=settings.base")
    result = look("openapi", {"app.py": app, "openapi.yaml": HEAD + MANY})
    assert (result.status, "a path is not written out" in result.reason) == (Status.INCOMPLETE, True)


def test_routers_of_other_files(look: Look) -> None:
    files = {
        "src/app/__init__.py": "",
        "src/app/main.py": "from fastapi import FastAPI\nfrom app.api import router\n\ndef create():\n"
        "    app = FastAPI()\n    app.include_router(router)\n    return app\n",
        "src/app/api/__init__.py": "from fastapi import APIRouter\nfrom app.api import todos\n\n"
        "router = APIRouter(prefix='/api')\nrouter.include_router(todos.router)\n",
        "src/app/api/todos.py": "from fastapi import APIRouter\n\nrouter = APIRouter(prefix='/todos')\n\n"
        "@router.get('')\ndef many(): ...\n",
        "openapi.yaml": HEAD + MANY,
    }
    assert look("openapi", files).status is Status.PASS


def test_no_document(look: Look) -> None:
    assert look("openapi", {"app.py": APP}).status is Status.SKIPPED
