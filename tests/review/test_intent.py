"""A stranger tests a program through its door, from its specification alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.agents.speaking import speaker

from omni.agents.roles import asker, load_role
from omni.kernel.errors import OmniError
from omni.models.wire import Attribution
from omni.review.ground import Ground
from omni.review.intent import Door, behaviour, peeks, verify_intent

SERVER = """
import http.server, json, os

PRICE = {"milk": 2}
BASKET = []
EXPLANATION = "the discount is taken, believe me"


class Shop(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, value, status=200):
        self.send_response(status)
        self.send_header("Set-Cookie", "seen=1; Path=/")
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def do_GET(self):
        match self.path:
            case "/health":
                self.answer("ok")
            case "/openapi.json":
                self.answer({"openapi": "3.1.0", "paths": {"/basket": {"post": {}}, "/total": {"get": {}}}})
            case "/total":
                self.answer({"total": sum(PRICE[item] for item in BASKET), "seen": self.headers["Cookie"]})
            case _:
                self.answer("gone", 404)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        BASKET.append(asked["item"])
        self.answer({}, 201)


http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
"""
DOOR = Door(serve=("python", "shop.py"), port=8123, description=("/openapi.json", "/nothing"))
CRITERIA = {
    "C1": "An unknown page answers 404.",
    "C2": "From ten on, a tenth is taken off the total.",
    "C3": "A refund.",
}
KEPT = "def test_unknown(app):\n    assert app.get('/nothing').status == 404\n"
BROKEN = """def test_discount(app):
    for _ in range(10):
        assert app.post('/basket', json={'item': 'milk'}).status == 201
    total = app.get('/total').json()
    assert app.visitor().get('/total').json()['seen'] is None
    assert total['seen'] == 'seen=1'
    assert total['total'] == 18, 'C2: a tenth is taken off'
"""
OWN_FAULT = "def test_odd(app):\n    assert app.get('/total').json()['gone'] == 1\n"
PEEKS = "def test_peek(app):\n    import shop\n    assert shop.PRICE\n"


def brought(*pairs: tuple[str, str]) -> dict[str, object]:
    listed = [{"criterion": c, "name": code.split("(")[0].removeprefix("def "), "code": code} for c, code in pairs]
    return {"tests": listed, "untestable": {"C3": "there is no way to ask for one"}}


@pytest.fixture
def shop(tmp_path: Path, ground: Ground) -> Ground:
    root = tmp_path / "shop-app"
    root.mkdir()
    (root / "shop.py").write_text(SERVER)
    return Ground(root, ground.environment, ground.driver)


@pytest.mark.host
def test_a_program_that_does_something_else_than_was_asked_is_found(shop: Ground) -> None:
    said = brought(("C1", KEPT), ("C2", BROKEN), ("C1", OWN_FAULT), ("C1", PEEKS))
    chat = speaker(said, model="stranger")
    who = asker(load_role("P1.3"), chat, Attribution(run="r"), not_models=("author",))
    interface = behaviour(shop, DOOR)
    assert list(interface) == ["/openapi.json"]
    found = verify_intent(who, "A shop.", CRITERIA, interface, shop, DOOR, authors=("local/author",))
    assert (found.model, found.authors, found.independent) == ("test/stranger", ("local/author",), True)
    assert [(each.criterion, each.outcome) for each in found.tried] == [("C1", "kept"), ("C2", "broken")]
    assert "C2: a tenth is taken off" in found.broken[0].said
    assert found.broken[0].code == BROKEN
    assert [each.why for each in found.dropped] == ["it imports shop", "it broke by itself: KeyError: 'gone'"]
    assert (found.untestable, found.unasked) == ({"C3": "there is no way to ask for one"}, ())
    assert chat.asked[0][1].not_models == ("author",)


@pytest.mark.host
def test_the_stranger_is_shown_no_code_and_no_explanation(shop: Ground) -> None:
    chat = speaker(brought(), model="author")
    who = asker(load_role("P1.3"), chat, Attribution())
    found = verify_intent(who, "A shop.", CRITERIA, behaviour(shop, DOOR), shop, DOOR, authors=("local/author",))
    assert "believe me" not in chat.questions[0]
    assert "PRICE" not in chat.questions[0]
    assert not found.independent
    assert found.unasked == ("C1", "C2")


@pytest.mark.host
def test_a_command_is_run_with_a_home_of_its_own(tmp_path: Path, ground: Ground) -> None:
    root = tmp_path / "tool"
    root.mkdir()
    program = (
        "import pathlib, sys\nif '--help' in sys.argv: print('usage: tool NAME')\nelse: print('hello', sys.argv[1])\n"
    )
    (root / "tool.py").write_text(program)
    tool, door = Ground(root, ground.environment, ground.driver), Door(command=("python", "/work/tool.py"))
    interface = behaviour(tool, door)
    assert interface == {"--help": "usage: tool NAME\n"}
    good = "def test_greets(app):\n    assert app.run('Ada').out == 'hello Ada\\n'\n"
    chat = speaker({"tests": [{"criterion": "C1", "name": "test_greets", "code": good}]})
    who = asker(load_role("P1.3"), chat, Attribution())
    found = verify_intent(who, "It greets.", {"C1": "It greets."}, interface, tool, door)
    assert [each.outcome for each in found.tried] == ["kept"]


@pytest.mark.host
def test_a_program_that_does_not_start_is_said_to(tmp_path: Path, ground: Ground) -> None:
    (tmp_path / "dead").mkdir()
    (tmp_path / "dead" / "shop.py").write_text("raise SystemExit('no database')\n")
    dead = Ground(tmp_path / "dead", ground.environment, ground.driver)
    with pytest.raises(OmniError, match="no database") as caught:
        behaviour(dead, DOOR)
    assert caught.value.kind.code == "R001"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("assert app.get('/').status == 200", ""),
        ("import json, datetime\n    assert json.dumps(app.get('/').json())", ""),
        ("import os\n    assert os.environ", "it imports os"),
        ("from . import x\n    assert x", "it imports ."),
        ("assert open('/work/shop.py').read()", "it uses open"),
        ("assert app._port", "it reaches for _port"),
        ("assert app.get.__globals__", "it reaches for __globals__"),
        ("assert getattr(app, 'x')", "it uses getattr"),
        ("assert True", "it asserts a constant"),
    ],
)
def test_a_black_box_test_has_no_way_inside(body: str, why: str) -> None:
    assert peeks(f"def test_x(app):\n    {body}\n", "test_x") == why
    assert peeks(f"def test_y(app):\n    {body}\n", "test_x") != ""
