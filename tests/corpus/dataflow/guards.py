"""Conditions that let only harmless data through, and those that only look so."""

import os
import re
import sqlite3
from pathlib import Path
from urllib.parse import unquote, urlparse

import requests
from flask import Flask, redirect, request

app = Flask(__name__)
LIST = ["ls", "df"]
NUMBER = re.compile("[0-9]+")


@app.route("/equal")
def equal():
    data = request.args["data"]
    other = request.args["other"]
    if data == "ls":
        os.system(data)
    if "ls" == data:
        os.system(data)
    if data == other:
        os.system(data)  # bad: command
    if data is LIST:
        os.system(data)
    if data is not LIST:
        os.system(data)  # bad: command
    else:
        os.system(data)
    if not data != "ls":
        os.system(data)
    if not data == "ls":
        os.system(data)  # bad: command
    if data is None:
        os.system(data)  # bad: command
    if data is not None:
        os.system(data)  # bad: command
    if data < "ls":
        os.system(data)  # bad: command
    if "ls" < data < "lt":
        os.system(data)  # bad: command
    return {}


@app.route("/among")
def among():
    data = request.args["data"]
    if data in LIST:
        os.system(data)
    if data in ["ls", request.args["other"]]:
        os.system(data)  # bad: command
    if data in "ls -l":
        os.system(data)
    if data in f"ls {len(data)}":
        os.system(data)  # bad: command
    if data in None:
        os.system(data)  # bad: command
    if data not in LIST:
        os.system(data)  # bad: command
    if data not in LIST:
        os.system(data)  # bad: command
    if not data in LIST:
        os.system(data)  # bad: command
    if data in LIST:
        pass
    else:
        os.system(data)  # bad: command
    if data.lower() in LIST:
        os.system(data)
    if str(data).strip() in LIST:
        os.system(data)
    if data[1:] in LIST:
        os.system(data)  # bad: command
    if data.split() in LIST:
        os.system(data)  # bad: command
    if str(data[0]) in LIST:
        os.system(data)  # bad: command
    if unquote(data) in LIST:
        os.system(data)
    if (word := data) in LIST:
        os.system(word)  # bad: command
    return {}


@app.route("/joined")
def joined():
    data = request.args["data"]
    other = request.args["other"]
    if data == "ls" and other == "df":
        os.system(data + other)
    if data == "ls" or other == "df":
        os.system(data)  # bad: command
        os.system(other)  # bad: command
    if data == "ls" or data in LIST:
        os.system(data)
    if not (data == "ls" or data in LIST):
        os.system(data)  # bad: command
    if not (data != "ls" or other != "df"):
        os.system(data + other)
    if not (data != "ls" and data != "df"):
        os.system(data)
    if not (data != "ls" and other != "df"):
        os.system(data)  # bad: command
    return {}


@app.route("/asked")
def asked():
    data = request.args["data"]
    if data.isdigit():
        os.system(data)
        requests.get(data)  # bad: ssrf
    if not data.isalnum():
        os.system(data)  # bad: command
    if data.isspace():
        os.system(data)  # bad: command
    if data.isalpha() is True:
        os.system(data)  # bad: command
    if re.fullmatch("[a-z]+", data):
        os.system(data)
    if re.fullmatch(".*", data):
        os.system(data)  # bad: command
    if re.fullmatch(r"[a-z]+\.[a-z]+", data):
        os.system(data)
    if re.fullmatch(r"\S+", data):
        os.system(data)  # bad: command
    if re.fullmatch("[^;]+", data):
        os.system(data)  # bad: command
    if re.match("[a-z]+$", data):
        os.system(data)
    if re.match(r"[a-z]+\Z", data):
        os.system(data)
    if re.match("[a-z]+", data):
        os.system(data)  # bad: command
    if re.search("^[a-z]+$", data):
        os.system(data)
    if re.search(r"\A[a-z]+$", data):
        os.system(data)
    if re.search("[a-z]+$", data):
        os.system(data)  # bad: command
    if re.search("^[a-z]+", data):
        os.system(data)  # bad: command
    if re.fullmatch(data, "ls"):
        os.system(data)  # bad: command
    if re.fullmatch(data, data):
        os.system(data)  # bad: command
    if re.fullmatch(pattern="[a-z]+", string=data):
        os.system(data)  # bad: command
    if re.fullmatch("[a-z]+", string=data):
        os.system(data)
    if re.fullmatch("[a-z]+"):
        os.system(data)  # bad: command
    if NUMBER.fullmatch(data):
        os.system(data)
    if NUMBER.match(data):
        os.system(data)  # bad: command
    if re.fullmatch("[a-z]+", data) is not None:
        os.system(data)
    if re.fullmatch("[a-z]+", data) != None:
        os.system(data)
    if re.fullmatch("[a-z]+", data) is None:
        os.system(data)  # bad: command
    else:
        os.system(data)
    if data.isalnum() is not None:
        os.system(data)  # bad: command
    if None == re.fullmatch("[a-z]+", data):
        return {}
    os.system(data)
    return {}


def allowed(text):
    return text in LIST


@app.route("/paths")
def paths():
    data = request.args["data"]
    if data.startswith("/srv/"):
        open(data)
        os.system(data)  # bad: command
        redirect(data)
    if data.startswith(request.args["start"]):
        open(data)  # bad: path
    if not data.startswith("/srv/"):
        open(data)  # bad: path
    path = Path(data).resolve()
    if path.is_relative_to("/srv"):
        path.read_text()
    if path.is_relative_to(request.args["start"]):
        path.read_text()  # bad: path
    if os.path.realpath(data).startswith("/srv/"):
        open(data)
    if os.path.join("/srv", data).startswith("/srv/"):
        open(data)  # bad: path
    if allowed(data):
        open(data)  # bad: path
    if ".." in data:
        return {}
    open(data)
    os.system(data)  # bad: command
    return {}


@app.route("/addresses")
def addresses():
    url = request.args["url"]
    parts = urlparse(url)
    if parts.hostname in ("a.example", "b.example"):
        requests.get(url)
        os.system(url)  # bad: command
    if parts.netloc == "a.example":
        requests.get(url)
        redirect(url)
    if parts.scheme == "https":
        requests.get(url)  # bad: ssrf
    if parts.hostname != "a.example":
        requests.get(url)  # bad: ssrf
    if urlparse(url).hostname == "a.example":
        requests.get(url)
    if request.args["other"] == "a.example":
        requests.get(url)  # bad: ssrf
    return {}


@app.route("/signs")
def signs():
    data = request.args["data"]
    connection = sqlite3.connect("x.db")
    if "'" in data[1:-1]:
        return {}
    connection.execute("select " + data)
    return {}


@app.route("/signs/whole")
def signs_whole():
    data = request.args["data"]
    connection = sqlite3.connect("x.db")
    if "'" in data:
        return {}
    connection.execute("select " + data)  # bad: sql
    return {}


@app.route("/signs/other")
def signs_other():
    data = request.args["data"]
    if "/" in data:
        return {}
    open(data)  # bad: path
    if ".." not in data:
        open(data)
    if ".." in data:
        open(data)  # bad: path
    if ".." in request.args["x"]:
        return {}
    open(data)  # bad: path
    return {}
