from __future__ import annotations

from collections.abc import Callable

import pytest
from inline_snapshot import snapshot

Told = Callable[..., str]
Found = Callable[..., list[str]]

FASTAPI = """
from typing import Annotated
from fastapi import APIRouter, Depends, HTTPException
from app.models import Note
router = APIRouter()

def current_user(token: str):
    if not token:
        raise HTTPException(401)
    return token

User = Annotated[str, Depends(current_user)]

@router.post("/notes")
def create(user: User): ...

@router.put("/notes/{note_id}")
def change(note_id: int, user: User, session):
    return session.query(Note).filter(Note.id == note_id, Note.owner_id == user.id).one()

@router.delete("/notes/{note_id}")
def remove(note_id: int, user: User, session):
    note = session.get(Note, note_id)
    if note.owner_id != user.id:
        raise HTTPException(404)

@router.post("/login")
def login(): ...
"""
OPEN = """
@router.post("/notes/{note_id}/copies")
def copy(note_id: int): ...
"""
NO_OWNER = """
@router.get("/notes/{note_id}")
def read(note_id: int, user: User, session):
    return session.get(Note, note_id)
"""
GUARDED = """
@router.post("/notes/{note_id}/copies", dependencies=[Depends(current_user)])
def copy(note_id: int): ...
@router.get("/notes/{note_id}")
def read(note_id: int, user: User, session):
    return session.query(Note).filter_by(id=note_id, owner_id=user.id).one()
"""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", []),
        (OPEN, ["error unprotected-route src/app/notes.py:30"]),
        (NO_OWNER, ["error owner-not-checked src/app/notes.py:30"]),
        (GUARDED, []),
    ],
)
def test_fastapi(found: Found, more: str, expected: list[str]) -> None:
    assert found("authorisation", {"src/app/__init__.py": "", "src/app/notes.py": FASTAPI + more}) == expected


def test_a_project_that_protects_nothing_is_no_measure(found: Found) -> None:
    open_routes = FASTAPI.replace("user: User", "user: str")
    assert found("authorisation", {"src/app/notes.py": open_routes + OPEN}) == []


def test_flask(found: Found) -> None:
    route = '@app.route("/{0}", methods=["POST"])\n{1}def {0}(): ...\n'
    head = "from flask import Flask\nfrom flask_login import login_required\napp = Flask(__name__)\n"
    guarded = [route.format(name, "@login_required\n") for name in ("notes", "tags", "files")]
    text = head + "".join(guarded) + route.format("shares", "")
    assert found("authorisation", {"app.py": text}) == ["error unprotected-route app.py:13"]
    assert found("authorisation", {"app.py": head + "".join(guarded) + route.format("signup", "")}) == []


def test_express(found: Found) -> None:
    head = "import express from 'express';\nimport { requireAuth } from './auth.js';\nconst app = express();\n"
    guarded = [f"app.post('/{name}', requireAuth, (req, res) => res.json(1));\n" for name in ("a", "b", "c")]
    text = head + "".join(guarded) + "app.delete('/d/:id', (req, res) => res.json(remove(req.params.id)));\n"
    assert found("authorisation", {"app.js": text}) == ["error unprotected-route app.js:7"]


HEAD = "from flask import Flask\nfrom flask_login import login_required\napp = Flask(__name__)\n"
GUARD = "@app.route('/{0}', methods=['POST'])\n@login_required\ndef {0}(): ...\n"
NO_GUARD = "@app.route('/{0}', methods=['{1}'])\ndef {0}(): ...\n"


def test_as_sure_as_the_routes_beside_it_are_alike(told: Told) -> None:
    """In a file with fewer than two protected routes of its own it may be another part of the program: that warns."""
    guarded = "".join(GUARD.format(name) for name in ("a", "b", "c"))
    files = {
        "one.py": HEAD + guarded + NO_GUARD.format("d", "PUT") + NO_GUARD.format("e", "GET"),
        "two.py": HEAD + GUARD.format("f") + GUARD.format("g") + NO_GUARD.format("h", "DELETE"),
        "three.py": HEAD + GUARD.format("i") + GUARD.format("j").replace("'POST'", "'PATCH'"),
        "four.py": HEAD + GUARD.format("k") + GUARD.format("l") + NO_GUARD.format("m", "POST"),
        "five.py": HEAD + GUARD.format("n") + NO_GUARD.format("o", "POST"),
        "six.py": "def (\n",
        "hooks.py": HEAD + NO_GUARD.format("r", "POST"),
    }
    more = HEAD + GUARD.format("p")
    assert told("authorisation", {**files, "more.py": more + GUARD.format("q")}) == snapshot("""\
warning unprotected-route five.py:7: POST /o asks nobody who they are; 12 of 17 routes that change data do
    @app.route('/o', methods=['POST'])
error unprotected-route four.py:10: POST /m asks nobody who they are; 12 of 17 routes that change data do
    @app.route('/m', methods=['POST'])
error unprotected-route one.py:13: PUT /d asks nobody who they are; 12 of 17 routes that change data do
    @app.route('/d', methods=['PUT'])
error unprotected-route two.py:10: DELETE /h asks nobody who they are; 12 of 17 routes that change data do
    @app.route('/h', methods=['DELETE'])
""")
    assert told("authorisation", {**files, "more.py": more}) == ""


OWNED = """
@router.{method}("/{name}/{{key}}")
def {name}(key: int, user: User, session):
    return {looked}
"""


def looked_up(*others: str) -> str:
    """A file with two routes that ask for the owner, and these beside them."""
    owned = ("session.query(Note).filter(Note.id == key, Note.owner_id == user.id)", "Note.query.get(key, owner=user)")
    every = [OWNED.format(method="get", name=f"r{at}", looked=each) for at, each in enumerate((*owned, *others))]
    return FASTAPI.partition("@router.post")[0] + "".join(every)


LOOKS_UP = (
    "session.get(Note, key)",
    "session.get_or_404(Note, key)",
    "get_object_or_404(Note, pk=key)",
    "get_object_or_404(Note, id=key)",
    "get_object_or_404(Note, note_id=key)",
    "Note.objects.get(key)",
    "Note.query.get_or_404(key)",
    "Note.objects.filter(pk=key)",
    "Note.query.filter_by(note_id=key)",
    "session.query(Note).filter(Note.id == key)",
    "session.query(Note).filter(Note.pk == key)",
)
FINE = (
    ("session.get(Note, key)", "session.get(Note, key)"),
    ("session.get(note, key)",),
    ("session.get(Note)",),
    ("session.pop(Note, key)",),
    ("Note.objects.filter(kind=key)",),
    ("session.query(Note).filter(Note.id != key)",),
    ("session.query(Note).filter(Note.kind == key)",),
    ("session.get(Other, key)",),
    ("session.get(Note, key).for_(may_read(user))",),
    ("session.get(Note, key) if user.has_permission(key) else None",),
    ("session.get(Note, key).where(tenant_id=user.team)",),
    ("session.get(Note, key) if user.account != key else None",),
)


def test_each_way_to_look_up_what_may_be_anothers(told: Told) -> None:
    """As many without an owner as with one are no exception to a rule; other calls look up nothing by identifier."""
    files = {f"app{at:02}.py": looked_up(each) for at, each in enumerate(LOOKS_UP)}
    assert told("authorisation", files | {f"fine{at}.py": looked_up(*each) for at, each in enumerate(FINE)}) == "".join(
        f"error owner-not-checked {path}:23: GET /r2/{{key}} takes any `Note` by its identifier; "
        '2 routes beside it ask whose it is\n    @router.get("/r2/{key}")\n'
        for path in files
    )


def test_administrators_reach_everything(told: Told) -> None:
    assert told("authorisation", {"app.py": looked_up("session.get(Note, key)").replace("r2", "admin_notes")}) == ""
