"""What each kind of expression makes of the data in it: all of it, a part of it, or nothing."""

import os
import subprocess
from pathlib import Path

from flask import Flask, request

app = Flask(__name__)


@app.route("/operators")
def operators():
    data = request.args["data"]
    os.system("a" + "b" + data)  # bad: command
    os.system(data * 2)  # bad: command
    os.system(["ls", data] + ["-l"])  # bad: command
    os.system((["ls"] + ["-l"])[1])
    os.system((["ls"] + [data])[0])
    os.system((["ls"] + [data])[1])  # bad: command
    os.system((data + ["ls"])[1])  # bad: command
    os.system(([data] * 2)[1])  # bad: command
    os.system((["ls"] * 2)[1])
    os.system(({"a": "ls"} | {"b": data})["b"])  # bad: command
    os.system(({"a": "ls"} | {"b": data})["a"])
    os.system(({"a": data} | {"a": "ls"})["a"])
    os.system(Path("/srv") / data)  # bad: command
    os.system(data / Path("srv"))  # bad: command
    os.system(Path("/srv") / "ls")
    os.system(-data)  # bad: command
    os.system(str(not data))
    os.system(str(data == "x"))
    os.system(data @ data)  # bad: command
    os.system(data < "x" < data)
    return {}


@app.route("/formatted")
def formatted():
    data = request.args["data"]
    os.system("ls %s" % data)  # bad: command
    os.system("ls %s %s" % ("x", data))  # bad: command
    os.system("ls %d" % data)
    os.system("ls %d %s" % (data, "x"))
    os.system("ls %d %s" % ("x", data))  # bad: command
    os.system("100%% %s" % data)  # bad: command
    os.system("ls %(name)s" % {"name": data, "other": "x"})  # bad: command
    os.system("ls %(other)s" % {"name": data, "other": "x"})
    os.system("ls %s" % tuple(data))  # bad: command
    os.system("ls" % data)
    os.system(data % "ls")  # bad: command
    os.system("ls {}".format(data))  # bad: command
    os.system("ls {} {}".format("x", data))  # bad: command
    os.system("ls {0}".format("x", data))
    os.system("ls {1}".format("x", data))  # bad: command
    os.system("ls {name}".format(name=data, other="x"))  # bad: command
    os.system("ls {other}".format(name=data, other="x"))
    os.system("ls {:d}".format(data))
    os.system("ls {:>9}".format(data))  # bad: command
    os.system("ls {0.name}".format(data))  # bad: command
    os.system("ls {}".format(*data))  # bad: command
    os.system("{data".format(data=data))
    os.system(data.format("ls"))  # bad: command
    os.system(f"ls {data}")  # bad: command
    os.system(f"ls {data!r}")  # bad: command
    os.system(f"ls {data!s}")  # bad: command
    os.system(f"ls {data:>9}")  # bad: command
    os.system(f"ls {data:d}")
    os.system(f"ls {data:.2f}")
    os.system(f"ls {'x':{data}}")  # bad: command
    os.system(" ".join(["ls", data]))  # bad: command
    os.system(" ".join(data))  # bad: command
    os.system(data.join(["ls", "x"]))  # bad: command
    os.system(" ".join(["ls", "x"]))
    return {}


@app.route("/choices")
def choices():
    data = request.args["data"]
    os.system(data or "ls")  # bad: command
    os.system("ls" or data)
    os.system("" or data)  # bad: command
    os.system("ls" and data)  # bad: command
    os.system("" and data)
    os.system(data and "ls")  # bad: command
    os.system(data and "")
    os.system(data in ("ls", "df") and data)
    os.system(data == "ls" and "x" and data)
    os.system(data if data == "ls" else "df")
    os.system("ls" if data == "ls" else data)  # bad: command
    os.system(data if data not in ("ls", "df") else "ls")  # bad: command
    os.system("df" if data not in ("ls", "df") else data)
    os.system(data if len(data) else "ls")  # bad: command
    return {}


@app.route("/parts")
def parts():
    data = request.args["data"]
    pair = ("ls", data)
    os.system(pair[0])
    os.system(pair[::-1][0])  # bad: command
    os.system("ls"[::2])
    os.system(pair[:1][0])
    os.system(pair[1:][0])  # bad: command
    os.system(pair[: len(data)][0])  # bad: command
    os.system(pair[len(data)])  # bad: command
    os.system([*pair, "x"][1])  # bad: command
    os.system([*pair, "x"][2])
    os.system(["x", *pair][1])
    os.system({**{"a": data}, "b": "ls"}["b"])
    os.system({**{"a": data}, "b": "ls"}["a"])  # bad: command
    os.system({**{"a": data}, "a": "ls"}["a"])
    os.system({"a": "ls", data: "x"}["a"])
    os.system({"a": "ls", "b": data}[data])  # bad: command
    os.system({"a": "ls", "b": "df"}[data])
    os.system({"a": "ls", ("b", 1): data}["b", 1])  # bad: command
    os.system({"ls", data}.pop())  # bad: command
    os.system((yield_ := data) + "x")  # bad: command
    os.system(yield_)  # bad: command
    return {}


@app.route("/comprehended")
def comprehended():
    values = request.args.getlist("value")
    os.system([each for each in values if each in ("ls", "df")][0])
    os.system([each for each in values if each not in ("ls", "df")][0])  # bad: command
    os.system([each for each in values if each == "ls" if len(each) > 1][0])
    os.system([number for number, _ in enumerate(values)][0])
    os.system([each for _, each in enumerate(values)][0])  # bad: command
    os.system([one for one, _ in zip(["ls"], values)][0])
    os.system([other for _, other in zip(["ls"], values)][0])  # bad: command
    os.system({each: "ls" for each in values}["a"])  # bad: command
    os.system({"a": each for each in values}["a"])  # bad: command
    os.system({number: "ls" for number in range(3)}[0])
    os.system(list({each for each in values})[0])  # bad: command
    os.system([inner for each in [values] for inner in each][0])  # bad: command
    each = "ls"
    os.system([each for each in values][0] and each)  # bad: command
    os.system(each)
    return {}


async def one(text):
    yield "ls"
    yield text


def both(text):
    yield from ["ls", text]


def none(text):
    yield from ["ls", "df"]
    yield


@app.route("/given")
async def given():
    data = request.args["data"]
    os.system([each async for each in one(data)][0])  # bad: command
    os.system(list(both(data))[0])  # bad: command
    os.system(list(none(data))[0])
    os.system(await given_later(data))  # bad: command
    os.system(await given_later("ls"))
    return {}


async def given_later(text):
    return text


@app.route("/converted")
def converted():
    data = request.args["data"]
    os.system(str(data))  # bad: command
    os.system(str(b"ls", "utf-8"))
    os.system(str(data.encode(), "utf-8"))  # bad: command
    os.system(next(iter([data])))  # bad: command
    os.system(next(iter(["ls", data])))
    os.system(next(iter([]), data))  # bad: command
    os.system(next(iter(data)))  # bad: command
    os.system(list(filter(None, [data]))[0])  # bad: command
    os.system(list(filter(str.isalpha, ["ls"]))[0])
    os.system(list(map(lambda text: text + "x", [data]))[0])  # bad: command
    os.system(list(map(lambda text: "ls", [data]))[0])
    os.system(list(map(int, [data]))[0])
    os.system(list(map(Path, [data]))[0])  # bad: command
    os.system(list(map(data, ["ls"]))[0])  # bad: command
    os.system(dict([("a", data)])["a"])  # bad: command
    os.system(dict([("a", "ls")])["a"])
    os.system(dict({"a": "ls"}, b=data)["a"])
    os.system(dict({"a": "ls"}, b=data)["b"])  # bad: command
    os.system(dict(**data)["b"])  # bad: command
    os.system(list(reversed(["ls", data]))[0])  # bad: command
    os.system(getattr(request, "args")["x"])  # bad: command
    os.system(getattr(request, "method"))
    os.system(getattr(request, data))  # bad: command
    os.system(getattr(app, "command", data))  # bad: command
    os.system(chr(data))
    os.system(data.split(",")[0])  # bad: command
    os.system("ls,df".split(",")[0])
    os.system(f"ls {data}".split()[0])  # bad: command
    os.system(data.partition(",")[2])  # bad: command
    os.system("ls".partition(data)[0])  # bad: command
    os.system(request.args.get("n", type=int))
    os.system(request.args.get("n", type=str))  # bad: command
    subprocess.run(["ls", data])
    return {}
