"""The routes of a FastAPI program, and what makes them unclear."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from omni.verify.analysis.routes import Route, by_path, find_routes
from omni.verify.check import Context

Read = Callable[[Mapping[str, str]], tuple[list[str], list[str]]]


@pytest.fixture
def read(context_of: Callable[[Mapping[str, str]], Context]) -> Read:
    """(routes as `method path file:line`, what is unclear) of files by their path."""

    def find(files: Mapping[str, str]) -> tuple[list[str], list[str]]:
        routes = find_routes(context_of(files))
        return [f"{each.method} {each.path} {each.file}:{each.line}" for each in routes.found], routes.unclear

    return find


APP = "from fastapi import FastAPI, APIRouter\napp = FastAPI()\n"


@pytest.mark.parametrize(
    ("text", "routes", "unclear"),
    [
        ("@app.get('/a')\ndef f(): ...\n", ["get /a m0.py:3"], []),
        ("@app.post(path='/a')\nasync def f(): ...\n", ["post /a m0.py:3"], []),
        ("@app.trace()\ndef f(): ...\n", ["trace  m0.py:3"], []),
        ("@app.api_route('/a', methods=['GET', 'Put'])\ndef f(): ...\n", ["get /a m0.py:3", "put /a m0.py:3"], []),
        ("@app.api_route('/a')\ndef f(): ...\n", ["get /a m0.py:3"], []),
        ("@app.get('/a', include_in_schema=False)\ndef f(): ...\n", [], []),
        ("@app.get('/a', include_in_schema=True)\ndef f(): ...\n", ["get /a m0.py:3"], []),
        ("@app.get('/a', include_in_schema=shown)\ndef f(): ...\n", ["get /a m0.py:3"], []),
        ("@app.middleware('http')\ndef f(): ...\n", [], []),
        ("@other.get('/a')\ndef f(): ...\n", [], []),
        ("@get('/a')\n@app\ndef f(): ...\n", [], []),
        ("@app.get(PATH)\ndef f(): ...\n", ["get  m0.py:3"], ["m0.py:3: a path is not written out"]),
        ("app.add_api_route('/a', f)\n", [], ["m0.py:3: add_api_route is called"]),
        ("app.include_router()\n", [], ["m0.py:3: include_router is called"]),
        ("app.mount('/static', files)\n", [], []),
        ("other.include_router(x)\n", [], []),
        ("app.include_router(gone)\n", [], ["the router m0.gone can't be found"]),
        ("app.include_router(app)\n", [], ["the router m0.app can't be found"]),
        ("r = APIRouter(prefix='/r')\n@r.get('/a')\ndef f(): ...\n", [], ["nothing includes the router m0.r"]),
        ("r = APIRouter(prefix='/r')\n", [], []),
        ("r = APIRouter(prefix=X)\n", [], ["m0.py:3: a path is not written out"]),
        (
            "r: APIRouter = APIRouter(prefix='/r')\n@r.get('/a')\ndef f(): ...\napp.include_router(r, prefix='/v1')\n",
            ["get /v1/r/a m0.py:4"],
            [],
        ),
        (
            "def make():\n    r = APIRouter()\n    @r.get('/a')\n    def f(): ...\n    app.include_router(r)\n",
            ["get /a m0.py:5"],
            [],
        ),
        ("x.r = APIRouter()\nr = Other()\n", [], []),
    ],
)  # fmt: skip
def test_one_file(read: Read, text: str, routes: list[str], unclear: list[str]) -> None:
    assert read({"m0.py": APP + text}) == (routes, unclear)


ROUTER = "from fastapi import APIRouter\nrouter = APIRouter(prefix='/b')\n@router.get('/{id}')\ndef f(): ...\n"


@pytest.mark.parametrize(
    "included",
    [
        "from pkg.b import router\napp.include_router(router)",
        "from pkg.b import router as other\napp.include_router(other)",
        "from .b import router\napp.include_router(router)",
        "from . import b\napp.include_router(b.router)",
        "from pkg import b\napp.include_router(b.router)",
        "import pkg.b\napp.include_router(pkg.b.router)",
        "import pkg.b as c\napp.include_router(c.router)",
    ],
)
def test_a_router_is_followed_through_imports(read: Read, included: str) -> None:
    text = f"from fastapi import FastAPI\napp = FastAPI()\n{included}\n"
    assert read({"pkg/a.py": text, "pkg/b.py": ROUTER}) == (["get /b/{id} pkg/b.py:3"], [])


def test_a_package_is_followed_from_itself(read: Read) -> None:
    text = "from fastapi import FastAPI\nfrom .b import router\napp = FastAPI()\napp.include_router(router)\n"
    assert read({"pkg/__init__.py": text, "pkg/b.py": ROUTER}) == (["get /b/{id} pkg/b.py:3"], [])


def test_routers_in_routers(read: Read) -> None:
    middle = (
        "from fastapi import APIRouter\nfrom b import router\nm = APIRouter()\nm.include_router(router, prefix='/m')\n"
    )
    outer = "from fastapi import FastAPI\nimport c\napp = FastAPI()\napp.include_router(c.m, prefix='/v1')\n"
    assert read({"a.py": outer, "b.py": ROUTER, "c.py": middle}) == (["get /v1/m/b/{id} b.py:3"], [])


ROUTE = "@app.get('/a')\ndef f(): ...\n"


@pytest.mark.parametrize(
    ("path", "text", "routes"),
    [
        ("a.py", ROUTER, []),
        ("a.py", APP.replace("fastapi", "other") + ROUTE, []),
        ("a.py", APP.replace("fastapi", "fastapi.applications") + ROUTE, ["get /a a.py:3"]),
        ("a.js", APP + ROUTE, []),
        ("a.py", APP + ROUTE + "def", []),
    ],
)
def test_without_a_program_nothing_is_unclear(read: Read, path: str, text: str, routes: list[str]) -> None:
    assert read({path: text}) == (routes, [])


def test_the_names_of_parameters_and_a_last_slash_make_no_difference() -> None:
    first, second = Route("get", "/a/{id}/", "a.py", 1), Route("get", "/a/{key}", "a.py", 2)
    root, other = Route("get", "/", "a.py", 3), Route("put", "/a/{id}", "a.py", 4)
    assert by_path([first, second, root, other]) == {
        ("get", "/a/{}"): first,
        ("get", "/"): root,
        ("put", "/a/{}"): other,
    }
