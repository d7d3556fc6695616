from __future__ import annotations

from collections.abc import Callable

import pytest

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
