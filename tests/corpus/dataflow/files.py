"""Paths, addresses, redirects."""

import os
import re
import urllib.request
from pathlib import Path
from urllib.parse import quote, urlparse, urlsplit, urlunsplit

import requests
from flask import Flask, abort, redirect, request, send_file, send_from_directory
from werkzeug.utils import secure_filename

app = Flask(__name__)
FOLDER = Path("/srv/files")
HOSTS = {"api.example.org", "www.example.org"}


@app.route("/read")
def read():
    name = request.args["name"]
    open("/srv/files/" + name)  # bad: path
    (FOLDER / name).read_text()  # bad: path
    Path("/srv/files", name).read_bytes()  # bad: path
    os.remove(os.path.join("/srv/files", name))  # bad: path
    send_file(name)  # bad: path
    send_from_directory("/srv/files", name)
    open("/srv/files/" + secure_filename(name))
    open("/srv/files/" + os.path.basename(name))
    with open(f"/srv/files/{name}") as file:  # bad: path
        return {"text": file.read()}


@app.route("/resolved")
def resolved():
    path = (FOLDER / request.args["name"]).resolve()
    if not path.is_relative_to(FOLDER):
        abort(404)
    return {"text": path.read_text()}


@app.route("/begins")
def begins():
    path = os.path.realpath(os.path.join("/srv/files", request.args["name"]))
    if not path.startswith("/srv/files/"):
        return {}, 404
    return {"text": open(path).read()}


@app.route("/refused")
def refused():
    name = request.args["name"]
    if ".." in name:
        abort(400)
    return {"text": open("/srv/files/" + name).read()}


@app.route("/narrow")
def narrow():
    name = request.args["name"]
    if not re.fullmatch(r"[a-z0-9_]+\.txt", name):
        abort(400)
    return {"text": open("/srv/files/" + name).read()}


@app.route("/wide")
def wide():
    name = request.args["name"]
    if not re.fullmatch(r".+\.txt", name):
        abort(400)
    return {"text": open("/srv/files/" + name).read()}  # bad: path


@app.route("/ask")
def ask():
    url, key = request.args["url"], request.args["key"]
    requests.get(url)  # bad: ssrf
    requests.get("https://" + url)  # bad: ssrf
    requests.request("GET", url)  # bad: ssrf
    urllib.request.urlopen(f"http://{url}/status")  # bad: ssrf
    requests.get(f"https://api.example.org/items/{key}")
    requests.get("https://api.example.org/items", params={"key": key})
    session = requests.Session()
    session.get(url)  # bad: ssrf
    if urlparse(url).hostname in HOSTS:
        requests.get(url)
    parts = urlparse(url)
    if parts.netloc not in HOSTS:
        abort(400)
    return requests.get(url).json()


@app.route("/leave")
def leave():
    target = request.args.get("next", "/")
    if target == "home":
        return redirect(target)
    if target.startswith("/account/"):
        return redirect(target)
    if request.args.get("plain"):
        return redirect("/item/" + target)
    if request.args.get("quoted"):
        return redirect("/login?next=" + quote(target))
    return redirect(target)  # bad: redirect


def on_this_site(target):
    """Without scheme and host, it leads nowhere else."""
    parts = list(urlsplit(target))
    parts[0] = ""
    parts[1] = ""
    return urlunsplit(parts)


@app.route("/leave/safely")
def leave_safely():
    target = request.args.get("next", "/")
    if request.args.get("again"):
        return redirect(urlsplit(target)._replace(scheme="", netloc="").geturl())
    if request.args.get("other"):
        return redirect(urlsplit(target).geturl())  # bad: redirect
    return redirect(on_this_site(target))


@app.route("/part/<name>")
def part(name):
    return {"text": open("/srv/files/" + name).read()}


@app.route("/whole/<path:name>")
def whole(name):
    return {"text": open("/srv/files/" + name).read()}  # bad: path
