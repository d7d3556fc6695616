"""What each kind of statement makes of the state: which way is taken, what is forgotten, what is kept."""

import os
import sys
from contextlib import contextmanager

from flask import Flask, abort, request

app = Flask(__name__)
SHARED = "ls"
KEPT = []


@app.route("/loops")
def loops():
    data = request.args["data"]
    text = "ls"
    for _ in []:
        text = data
    os.system(text)
    for _ in []:
        pass
    os.system(data)  # bad: command
    for _ in [1]:
        text = data
    os.system(text)  # bad: command
    for _ in [1]:
        text = "ls"
    os.system(text)
    text = data
    for _ in data:
        text = "ls"
    os.system(text)  # bad: command
    one = two = "ls"
    for _ in data:
        os.system(two)  # bad: command
        two = one
        one = data
    for each in data:
        if each == "x":
            found = data
            break
    else:
        found = "ls"
    os.system(found)  # bad: command
    for each in ["x"]:
        found = "ls"
        if each == data:
            found = data
            continue
        os.system(found)
    os.system(found)
    for each in data:
        os.system("ls")
        break
        os.system(data)
    for each in data:
        continue
        os.system(data)
    return {}


@app.route("/whiles")
def whiles():
    data = request.args["data"]
    text = data
    while 1 > 2:
        os.system(data)
    os.system("ls")
    while 1 > 2:
        pass
    os.system(data)  # bad: command
    while True:
        text = "ls"
        if len(data):
            break
    os.system(text)
    text = data
    while len(data):
        text = "ls"
    os.system(text)  # bad: command
    text = data
    while text not in ("ls", "df"):
        text = "other"
    os.system(text)
    text = data
    while text != "ls":
        os.system(text)  # bad: command
        text = text[1:]
    os.system(text)
    return {}


@app.route("/endless")
def endless():
    while True:
        os.system("ls")
    os.system(request.args["data"])


@app.route("/tries")
def tries():
    data = request.args["data"]
    text = "ls"
    try:
        text = data
        text = "ls"
    except ValueError as problem:
        os.system(problem)
        return {}
    os.system(text)
    try:
        text = data
    except ValueError:
        os.system(text)  # bad: command
        text = "ls"
    else:
        text = "df"
    os.system(text)
    try:
        int(data)
    except ValueError:
        return {}
    else:
        os.system(data)  # bad: command
    try:
        text = "ls"
    finally:
        text = data
    os.system(text)  # bad: command
    try:
        raise ValueError(os.system(data))  # bad: command
    except* ValueError:
        os.system(data)  # bad: command
    try:
        return {}
    except ValueError as data:
        raise
    os.system(request.args["data"])


@app.route("/ended")
def ended():
    data = request.args["data"]
    if len(data) == 1:
        abort(404)
        os.system(data)
    if len(data) == 2:
        sys.exit()
        os.system(data)
    if len(data) == 3:
        os._exit(1)
        os.system(data)
    if len(data) == 4:
        raise ValueError from data
        os.system(data)
    assert data == "ls"
    os.system(data)
    assert False
    os.system(request.args["data"])


@app.route("/branches")
def branches():
    data = request.args["data"]
    text = data
    if len(data) > 3:
        text = "ls"
    os.system(text)  # bad: command
    if len(data) > 3:
        text = "ls"
    else:
        text = "df"
    os.system(text)
    if 1:
        text = "ls"
    else:
        text = data
    os.system(text)
    if 0 or None:
        text = data
    os.system(text)
    if len(data) > 3:
        return {}
    text = data
    os.system(text)  # bad: command
    return {}


@app.route("/matches")
def matches():
    data = request.args["data"]
    text = "ls"
    match data:
        case "ls":
            os.system(data)
        case "df" | "du":
            os.system(data)
        case other:
            os.system(other)  # bad: command
    match data:
        case "ls" as word:
            os.system(word)  # bad: command
        case [first, *rest]:
            os.system(first)  # bad: command
            os.system(rest)  # bad: command
        case {"a": value, **more}:
            os.system(value)  # bad: command
            os.system(more)  # bad: command
    match data:
        case _ if data == "ls":
            os.system(data)
        case _ if False:
            os.system(data)
        case _ if True:
            text = data
        case _:
            os.system(data)
    os.system(text)  # bad: command
    match 1:
        case 2 | 3:
            os.system(data)
        case 1 | 2:
            text = "ls"
        case _:
            text = data
    os.system(text)
    match None:
        case 1:
            os.system(data)
        case None:
            text = "ls"
        case _:
            text = data
    os.system(text)
    match len(data):
        case None:
            text = data
        case True:
            text = data
    os.system(text)  # bad: command
    match data:
        case "a":
            return {}
        case _:
            return {}
    os.system(data)


@contextmanager
def opened(text):
    yield text


class Held:
    def __init__(self, text):
        self.text = text

    def __enter__(self):
        return self.text

    async def __aenter__(self):
        return self.text


class Later:
    def __init__(self, text):
        self.text = text

    async def __aenter__(self):
        return self.text


@app.route("/held")
async def held():
    data = request.args["data"]
    with opened(data) as text:
        os.system(text)  # bad: command
    with opened("ls") as text:
        os.system(text)
    with Held(data) as text, Held("ls") as other:
        os.system(text)  # bad: command
        os.system(other)
    async with Later(data) as text:
        os.system(text)  # bad: command
    with Held(data):
        return {}
    os.system(data)


@app.route("/forgotten")
def forgotten():
    data = request.args["data"]
    table = {"a": data, "b": "ls"}
    del table["a"]
    os.system(table.get("a", "ls"))
    items = [data, "ls"]
    del items[0]
    os.system(items[0])
    del items[:]
    text = data
    del text
    os.system(text)
    held = Held(data)
    del held["x"]
    os.system(held.text)  # bad: command
    return {}


@app.route("/named")
def named():
    data = request.args["data"]
    first = second = data
    os.system(second)  # bad: command
    one, *middle, last = ["ls", data, "x", "df"]
    os.system(one)
    os.system(middle[0])  # bad: command
    os.system(middle[1])
    os.system(last)
    one, *middle = data
    os.system(one)  # bad: command
    os.system(middle[0])  # bad: command
    one, two, three = ["ls", data]
    os.system(three)  # bad: command
    one, *two, three = ["ls"]
    os.system(three)
    (one, two), [three, four] = ("ls", data), ["ls", "df"]
    os.system(one + three + four)
    os.system(two)  # bad: command
    text: str = data
    os.system(text)  # bad: command
    text: str
    os.system(text)  # bad: command
    text = "ls "
    text *= 2
    os.system(text)
    text += first
    os.system(text)  # bad: command
    items = ["ls"]
    same = items
    items += [data]
    os.system(same[1])  # bad: command
    os.system(same[0])
    same = "ls"
    os.system(items[1])  # bad: command
    table = {}
    table["a"] = table["b"] = data
    table["a"] = "ls"
    os.system(table["a"])
    os.system(table["b"])  # bad: command
    table["c"] = {"d": "ls"}
    table["c"]["d"] = data
    os.system(table["c"]["d"])  # bad: command
    items = [["ls"], ["df"]]
    items[0][0] = data
    os.system(items[0][0])  # bad: command
    os.system(items[1][0])
    items[0:1] = [data]
    os.system(items[1][0])  # bad: command
    return {}


def share(text):
    global SHARED
    SHARED = text
    os.system(SHARED)  # bad: command
    KEPT.append("ls")


@app.route("/shared")
def shared():
    share(request.args["data"])
    os.system(KEPT[0])
    return {}


@app.route("/nested")
def nested():
    data = request.args["data"]

    def run():
        later(data)
        os.system(words)

    def later(text):
        os.system(text)  # bad: command

    words = "ls"
    run()
    return {}
