"""What the annotations of a handler's parameters say: in a number, or an enumeration, nothing can hide."""

import enum
import os
import typing
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

import annotations
import fastapi
import pydantic
from fastapi import Depends, FastAPI, Query, Security
from pydantic import BaseModel

import annotations

app = FastAPI()


class Colour(enum.Enum):
    RED = "red"


class Inner(BaseModel):
    name: str
    number: int


class Order(BaseModel):
    item: str
    count: int
    colour: Colour
    labels: list[str]
    notes: dict[str, str]
    numbers: dict[str, int]
    inner: Inner
    inners: list[Inner]
    other: "str | None"
    least: Optional[int]
    kind: Literal["a", "b"]
    mixed: int | str
    either: Union[int, float]


class Service:
    def __init__(self):
        self.name = "ls"


def service(q: str) -> Service:
    return Service()


def word(q: str):
    return q


def number(n: int):
    return n


def session(q: str):
    yield q


def myself(again=Depends(myself)):
    return again


@app.post("/plain/{key}/{number:int}/{rest:path}")
def plain(key, number, rest, text: str, count: int, when: uuid.UUID, flag: bool = False, *, more: float = 1.0):
    os.system(key)  # bad: command
    open(key)
    os.system(number)
    os.system(rest)  # bad: command
    open(rest)  # bad: path
    os.system(text)  # bad: command
    os.system(count)
    os.system(when)
    os.system(flag)
    os.system(more)


@app.get("/wrapped")
def wrapped(
    one: Optional[str],
    two: Optional[int],
    three: str | None,
    four: int | None,
    five: None | bytes,
    six: Annotated[str, Query()],
    seven: Annotated[int, Query()],
    eight: "str",
    nine: "int",
    ten: Union[str, None],
    eleven: Union[int, None],
    twelve: Union[int, str],
    thirteen: int | float,
    fourteen: "not valid (",
    fifteen: pydantic.PositiveInt,
    sixteen: typing.Any,
    seventeen: Path,
    eighteen: Literal["a"],
    nineteen: Colour,
    twenty: annotations.Colour,
    more: annotations.absent,
):
    os.system(one)  # bad: command
    os.system(two)
    os.system(three)  # bad: command
    os.system(four)
    os.system(five)  # bad: command
    os.system(six)  # bad: command
    os.system(seven)
    os.system(eight)  # bad: command
    os.system(nine)
    os.system(ten)  # bad: command
    os.system(eleven)
    os.system(twelve)  # bad: command
    os.system(thirteen)
    os.system(fifteen)
    os.system(sixteen)  # bad: command
    os.system(seventeen)  # bad: command
    os.system(eighteen)
    os.system(nineteen)
    os.system(twenty)
    os.system(more)  # bad: command


@app.get("/many")
def many(
    one: list[str],
    two: list[int],
    three: Sequence[str],
    four: dict[str, str],
    five: dict[str, int],
    six: tuple[str, ...],
    seven: list[list[str]],
    eight: list[list[list[list[list[str]]]]],
    nine: unknown.Generic[str],
    ten: fastapi.Request,
):
    os.system(one[0])  # bad: command
    os.system(two[0])
    os.system(three[0])  # bad: command
    os.system(four["a"])  # bad: command
    os.system(list(four)[0])  # bad: command
    os.system(six[0])  # bad: command
    os.system(seven[0][0])  # bad: command
    os.system(eight[0][0][0][0][0])  # bad: command
    os.system(ten.method)
    os.system(ten.query_params["a"])  # bad: command


@app.post("/order")
def order(order: Order, service: Service):
    os.system(order.item)  # bad: command
    os.system(order.count)
    os.system(order.colour)
    os.system(order.labels[0])  # bad: command
    os.system(order.notes["a"])  # bad: command
    os.system(order.inner.name)  # bad: command
    os.system(order.inner.number)
    os.system(order.inners[0].name)  # bad: command
    os.system(order.inners[0].number)
    os.system(order.other)  # bad: command
    os.system(order.least)
    os.system(order.kind)
    os.system(order.mixed)  # bad: command
    os.system(order.either)
    os.system(order.absent)  # bad: command
    os.system(service.name)


@app.get("/dependent")
def dependent(
    one=Depends(word),
    two=Depends(number),
    three=Security(word),
    four: Service = Depends(service),
    five: Annotated[str, Depends(word)] = "x",
    six: Annotated[int, Security(number)] = 1,
    seven=Depends(session),
    eight=Depends(),
    nine=Depends(absent),
    ten=Depends(myself),
    eleven=Query("x"),
    twelve: Annotated[str, Query("x"), Depends(number)] = "x",
):
    os.system(one)  # bad: command
    os.system(two)
    os.system(three)  # bad: command
    os.system(four.name)
    os.system(five)  # bad: command
    os.system(six)
    os.system(seven)  # bad: command
    os.system(eight)
    os.system(nine)
    os.system(ten)
    os.system(eleven)  # bad: command
    os.system(twelve)


@app.get("/loose")
def loose(*rest, **more):
    os.system(rest[0])
    os.system(more["a"])


@app.get("/shown", response_class=fastapi.responses.HTMLResponse)
def shown(name: str):
    return name


class Routes:
    name = "ls"

    @app.get("/routes")
    def get(self, name: str):
        os.system(name)  # bad: command
        os.system(self.name)

    @staticmethod
    @app.get("/static")
    def static(name: str, number: int):
        os.system(name)  # bad: command
        os.system(number)
