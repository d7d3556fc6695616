"""FastAPI and Starlette: what is data is told by the annotations."""

import os
from enum import Enum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session
from starlette.endpoints import HTTPEndpoint

app = FastAPI()
router = APIRouter()


class Colour(str, Enum):
    red = "red"


class Item(BaseModel):
    name: str
    count: int
    tags: list[str] = []
    colour: Colour


def get_session() -> Session:
    return Session()


def search_text(q: str = "") -> str:
    return q.strip()


Found = Annotated[str, Depends(search_text)]


@app.get("/items/{key}")
async def items(key: str, number: int, colour: Colour, ident: UUID, session: Session = Depends(get_session)):
    session.execute(text(f"SELECT * FROM items WHERE key = '{key}'"))  # bad: sql
    session.execute(text(f"SELECT * FROM items WHERE number = {number}"))
    session.execute(text(f"SELECT * FROM items WHERE colour = '{colour}'"))
    session.execute(text(f"SELECT * FROM items WHERE id = '{ident}'"))
    session.execute(text("SELECT * FROM items WHERE key = :key"), {"key": key})
    session.execute(select(Item).where(Item.name == key))
    return {"key": key}


@router.post("/items")
def create(item: Item, q: str | None = Query(None), found: str = Depends(search_text)):
    os.system(item.name)  # bad: command
    os.system(item.tags[0])  # bad: command
    os.system(f"make -j{item.count}")
    os.system(item.colour)
    os.system(q)  # bad: command
    os.system(found)  # bad: command
    return item


@app.get("/found")
def found_by(key: str, session: Session = Depends(get_session)):
    statement = select(Item).filter(Item.name.in_([key]))
    if key:
        statement = statement.where(Item.name != key)
    session.execute(insert(Item).values(name=key))
    item = session.get(Item, key)
    os.system(item.name)
    return session.scalars(statement).all()


@app.get("/page", response_class=HTMLResponse)
def page(request: Request, name: str):
    if request.query_params.get("to"):
        return RedirectResponse(request.query_params["to"])  # bad: redirect
    return HTMLResponse(f"<b>{name}")  # bad: xss


@app.get("/json")
def plain(name: str) -> str:
    return f"<b>{name}"


@app.get("/raw")
async def raw(request: Request):
    body = await request.json()
    os.system(body["command"])  # bad: command
    os.system(request.method)
    return {}


class Home(HTTPEndpoint):
    async def get(self, request):
        os.system(request.path_params["name"])  # bad: command


def not_a_handler(command: str):
    os.system(command)
