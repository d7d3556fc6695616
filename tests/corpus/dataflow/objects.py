"""Objects, classes and functions of the program: what they hold, what they are given, what they change in place."""

import os
import types
from dataclasses import dataclass
from functools import cached_property

import requests
from flask import Flask, request

app = Flask(__name__)


class Base:
    level = "ls"

    def __init__(self, text):
        self.text = text

    def run(self):
        return self.text

    def fill(self, target):
        target.append(self.text)

    def keep(self, text):
        self.text = text
        return self


class Middle(Base):
    pass


class Derived(Middle):
    def __init__(self, text, other):
        super().__init__(text)
        self.other = other

    def run(self):
        return super().run()

    def keep(self, text):
        super().keep("ls")
        return self


class Session(requests.Session):
    def get(self, url):
        return super().get(url)  # bad: ssrf


class Callable:
    def __init__(self, text):
        self.text = text

    def __call__(self, *_):
        return self.text

    def __getitem__(self, key):
        return self.text

    def __iter__(self):
        return iter([self.text])

    def __str__(self):
        return "ls"


class Kinds:
    shared = "ls"
    made = Base

    @staticmethod
    def plain(text):
        return text

    @classmethod
    def of(cls, text):
        return cls.plain(text)

    @cached_property
    def cached(self):
        return self.text

    @property
    def quiet(self):
        return "ls"


@dataclass
class Pair:
    one: str
    two: int = 1


@dataclass
class Triple(Pair):
    three: str = ""


class Slots:
    name: str
    number: int
    base: Base


@app.route("/objects")
def objects():
    data = request.args["data"]
    base = Base(data)
    os.system(base.text)  # bad: command
    os.system(base.level)
    os.system(base.run())  # bad: command
    os.system(Base("ls").run())
    os.system(Base.run(base))  # bad: command
    os.system(Base.level)
    os.system(Base.absent)
    base.text = "ls"
    os.system(base.run())
    base.text = data
    os.system(base.run())  # bad: command
    base.keep("ls")
    os.system(base.text)
    os.system(Base("ls").keep(data).text)  # bad: command
    derived = Derived(data, "ls")
    os.system(derived.text)  # bad: command
    os.system(derived.other)
    os.system(derived.run())  # bad: command
    derived.keep(data)
    os.system(derived.text)
    Session().get(data)
    target = []
    base.fill(target)
    os.system(target)
    base.text = data
    base.fill(target)
    os.system(target[1])  # bad: command
    bound = Base(data).run
    os.system(bound())  # bad: command
    return {}


@app.route("/special")
def special():
    data = request.args["data"]
    dirty, clean = Callable(data), Callable("ls")
    os.system(dirty())  # bad: command
    os.system(clean())
    os.system(clean(data))
    os.system(dirty["x"])  # bad: command
    os.system(clean["x"])
    os.system(clean[data])
    os.system([each for each in dirty][0])  # bad: command
    os.system([each for each in clean][0])
    os.system(list(dirty)[0])  # bad: command
    os.system(list(clean)[0])
    os.system(str(dirty))
    os.system(Kinds.plain(data))  # bad: command
    os.system(Kinds.of(data))  # bad: command
    os.system(Kinds.of("ls"))
    os.system(Kinds().of(data))  # bad: command
    os.system(Kinds.shared)
    os.system(Kinds().quiet)
    kinds = Kinds()
    kinds.text = data
    os.system(kinds.cached)  # bad: command
    os.system(Kinds().made(data).text)  # bad: command
    os.system(Kinds.made("ls").text)
    os.system(Pair(data).one)  # bad: command
    os.system(Pair("ls", data).one)
    os.system(Pair("ls", data).two)  # bad: command
    os.system(Pair(two=data, one="ls").one)
    os.system(Pair(*data).one)  # bad: command
    os.system(Triple("ls", 1, data).three)  # bad: command
    os.system(Triple("ls", 1, data).one)
    space = types.SimpleNamespace(a=data)
    os.system(space.a)  # bad: command
    space = types.SimpleNamespace(a=data, b="ls")
    os.system(space.a)  # bad: command
    space = types.SimpleNamespace(b="ls")
    os.system(space.b)
    pair = Pair("ls")
    setattr(pair, "one", data)
    os.system(pair.one)  # bad: command
    setattr(pair, data, "ls")
    os.system(getattr(pair, "one"))  # bad: command
    pair = Pair("ls")
    os.system(pair.one)
    setattr(pair, "o" + data, data)
    os.system(pair.one)  # bad: command
    setattr(types, data, data)
    os.system(types.__name__)
    nested = Pair(Pair("ls"))
    nested.one.one = data
    os.system(nested.one.one)  # bad: command
    nested.one.one = "ls"
    os.system(nested.one.one)
    return {}


def order(one, /, two="ls", *rest, three="ls", four, **more):
    os.system(one)  # bad: command
    os.system(two)
    os.system(rest[0])
    os.system(three)
    os.system(four)
    os.system(more["five"])


def second(one, two="ls", *rest, three="ls", **more):
    os.system(one)
    os.system(two)  # bad: command
    os.system(three)
    os.system(more["five"])


def others(one, *rest, **more):
    os.system(one)
    os.system(rest[0])
    os.system(rest[1])  # bad: command
    os.system(more["five"])


def third(one, *, three="ls", **more):
    os.system(one)
    os.system(three)  # bad: command
    os.system(more["five"])


def fifth(one, *, three="ls", **more):
    os.system(three)
    os.system(more["five"])  # bad: command
    os.system(more["six"])


def loose(one, two="ls", *rest, **more):
    os.system(one)
    os.system(two)  # bad: command
    os.system(rest[0])  # bad: command
    os.system(more["a"])  # bad: command


def fill(first, target, text):
    target.append(text)
    first = text
    return first


@app.route("/arguments")
def arguments():
    data = request.args["data"]
    order(data, "x", "y", three="z", four="u", five="v")
    second("x", data)
    second(two=data, one="x")
    others("x", "y", data)
    others("x", *["y", data])
    third("x", three=data)
    third(one="x", three=data)
    fifth("x", five=data, six="ls")
    fifth("x", five=data)
    loose("x", *data)
    clean, target = "ls", ["df"]
    fill(clean, target, data)
    os.system(clean)
    os.system(target[0])
    os.system(target[1])  # bad: command
    target = []
    fill(text=data, first=clean, target=target)
    return {}


def swap(one, two):
    return two, one


def picked(number):
    return {"a": lambda text: text, "b": lambda text: "ls"}[number]


def keeper():
    kept = []

    def add(text):
        kept.append(text)
        return kept

    return add


def counted(function):
    def wrapper(text):
        return function("ls")

    return wrapper


@counted
def cleaned(text):
    return text


def halved(function):
    return "no function"


@halved
def plain(text):
    return text


@app.route("/functions")
def functions():
    data = request.args["data"]
    one, two = swap(data, "ls")
    os.system(one)
    os.system(two)  # bad: command
    os.system(picked("a")(data))  # bad: command
    os.system(picked("b")(data))
    os.system(keeper()(data)[0])  # bad: command
    os.system(cleaned(data))
    os.system(plain(data))  # bad: command
    run = os.system
    run(data)  # bad: command
    run("ls")
    return {}
