"""How data moves: each function takes it somewhere else, its twin lets it fall."""

import base64
import configparser
import copy
import functools
import io
import json
import os
import urllib.parse
from collections import OrderedDict, deque
from dataclasses import dataclass

from flask import Flask, request

app = Flask(__name__)
DEBUG = False


@app.route("/containers")
def containers():
    data = request.args["data"]
    table = {"bad": data, "good": "x"}
    table["also good"] = "y"
    os.system(table["bad"])  # bad: command
    os.system(table["good"])
    os.system(table["also good"])
    os.system(table.get("bad"))  # bad: command
    os.system(table.get("absent", "x"))
    os.system(table.pop("bad"))  # bad: command
    items = ["a", data, "b"]
    os.system(items[0])
    os.system(items[1])  # bad: command
    os.system(items[-1])
    items.pop(0)
    os.system(items[0])  # bad: command
    items.insert(0, "c")
    os.system(items[0])
    items.remove("c")
    del items[0]
    os.system(items[0])
    first, (second, *rest) = "x", ("y", data)
    os.system(first + second)
    os.system(rest[0])  # bad: command
    for name, value in {"n": data}.items():
        os.system(name)
        os.system(value)  # bad: command
    queue = deque([data])
    os.system(queue.popleft())  # bad: command
    ordered = OrderedDict(one=data, two="x")
    os.system(ordered["one"])  # bad: command
    os.system(ordered["two"])
    alias = items
    alias.append(data)
    os.system(items[-1])  # bad: command
    return {}


@app.route("/comprehensions")
def comprehensions():
    values = request.args.getlist("value")
    os.system(" ".join([each.strip() for each in values]))  # bad: command
    os.system(" ".join(str(int(each)) for each in values))
    os.system(" ".join(map(str.upper, values)))  # bad: command
    os.system(" ".join("?" for _ in values))
    os.system({key: key for key in values}["a"])  # bad: command
    os.system(max(values, key=len))  # bad: command
    os.system(sorted(values)[0])  # bad: command
    os.system((lambda text: text)(values[0]))  # bad: command
    os.system((lambda text: "ls")(values[0]))
    return {}


@app.route("/conditions")
def conditions():
    data = request.args["data"]
    number = 106
    if 7 * 42 - number > 200:
        os.system(data)
    os.system("ls" if 7 * 18 + number > 200 else data)
    os.system(data if number == 106 else "ls")  # bad: command
    letter = "ABC"[1]
    match letter:
        case "A":
            result = data
        case "B":
            result = "ls"
        case _:
            result = data
    os.system(result)
    while False:
        os.system(data)
    if DEBUG:
        os.system(data)
    if data in ("ls", "df"):
        os.system(data)
    if data not in {"ls": 1, "df": 2}:
        return {}
    os.system(data)
    return {}


@app.route("/compared")
def compared():
    data = request.args["data"]
    if data == "ls" or data == "df":
        os.system(data)
    if data != "ls":
        os.system(data)  # bad: command
    if data.isdigit():
        os.system("kill " + data)
    if not data.isidentifier():
        raise ValueError(data)
    os.system(data)
    return {}


@app.route("/encoded")
def encoded():
    data = request.args["data"]
    os.system(base64.b64decode(base64.b64encode(data.encode())).decode())  # bad: command
    os.system(urllib.parse.unquote(data))  # bad: command
    os.system(json.loads(data)["command"])  # bad: command
    os.system(copy.deepcopy({"a": data})["a"])  # bad: command
    os.system(data[1:].strip().lower())  # bad: command
    os.system(("help" + data + "me")[4:-2])  # bad: command
    os.system("help" + "me")
    os.system(str(bool(data)))
    text = "ls "
    text += data
    os.system(text)  # bad: command
    os.system("".join(["ls ", "-l"]))
    buffer = io.StringIO()
    buffer.write("ls ")
    os.system(buffer.getvalue())
    buffer.write(data)
    os.system(buffer.getvalue())  # bad: command
    return {}


@app.route("/settings")
def settings():
    parser = configparser.ConfigParser()
    parser.add_section("s")
    parser.set("s", "good", "ls")
    parser.set("s", "bad", request.args["data"])
    os.system(parser.get("s", "good"))
    os.system(parser.get("s", "bad"))  # bad: command
    os.system(parser["s"]["bad"])  # bad: command
    return {}


class Job:
    shell = "sh"

    def __init__(self, command, label="x"):
        self.command = command
        self.label = label

    @property
    def line(self):
        return "nice " + self.command

    @staticmethod
    def same(text):
        return text

    @classmethod
    def of(cls, text):
        return cls(text)

    def rename(self, label):
        self.label = label

    def __str__(self):
        return self.command


class Quick(Job):
    def __init__(self, command):
        super().__init__(command)
        self.quick = True


@dataclass
class Order:
    item: str
    count: int = 1


@app.route("/objects")
def objects():
    data = request.args["data"]
    job = Job(data)
    os.system(job.command)  # bad: command
    os.system(job.label)
    os.system(job.line)  # bad: command
    os.system(job.shell)
    os.system(str(job))  # bad: command
    os.system(Job.of(data).command)  # bad: command
    os.system(Job.same(data))  # bad: command
    os.system(Job.same("ls"))
    os.system(Quick(data).command)  # bad: command
    job.rename(data)
    os.system(job.label)  # bad: command
    job.rename("ls")
    os.system(job.label)
    order = Order(data, 2)
    os.system(order.item)  # bad: command
    os.system(f"make -j{order.count}")
    setattr(job, "label", data)
    os.system(getattr(job, "label"))  # bad: command
    return {}


def twice(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        function(*args, **kwargs)
        return function(*args, **kwargs)

    return wrapper


@twice
def run(command):
    os.system(command)  # bad: command


@twice
def run_nothing(command):
    os.system("ls")


def outer(text):
    def inner():
        return text

    return inner


def pieces(text):
    yield "x"
    yield text


def recursive(text, depth):
    if depth == 0:
        return text
    return recursive(text, depth - 1)


def fill(target, text):
    target.append(text)


@app.route("/functions")
async def functions():
    data = request.args["data"]
    run(data)
    run_nothing(data)
    os.system(outer(data)())  # bad: command
    for piece in pieces(data):
        os.system(piece)  # bad: command
    os.system(recursive(data, 3))  # bad: command
    target = []
    fill(target, data)
    os.system(target[0])  # bad: command
    os.system(functools.reduce(lambda one, other: one + other, [data]))  # bad: command
    try:
        text = data
    except ValueError:
        text = "ls"
    finally:
        pass
    os.system(text)  # bad: command
    if (size := len(data)) > 3:
        os.system(f"head -c {size}")
    with open("x") as file:
        os.system(file.name)
    return {}
