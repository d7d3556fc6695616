"""Pages that are made from text."""

import html
import json

import markupsafe
from flask import Flask, Response, jsonify, make_response, render_template, request
from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup, escape

app = Flask(__name__)
raw = Environment(loader=FileSystemLoader("pages"))
escaping = Environment(loader=FileSystemLoader("pages"), autoescape=select_autoescape())


@app.route("/returned/<name>/<int:number>")
def returned(name, number):
    if number == 1:
        return "<b>" + name  # bad: xss
    if number == 2:
        return f"<b>{name}", 200  # bad: xss
    if number == 3:
        return "<b>" + html.escape(name)
    if number == 4:
        return f"<b>{number}"
    if number == 5:
        return {"name": name}
    if number == 6:
        return jsonify(name=name)
    if number == 7:
        return json.dumps(name), 200, {"Content-Type": "application/json"}
    if number == 8:
        return render_template("page.html", name=name)
    if number == 9:
        return escape(name)
    return "<b>" + str(markupsafe.escape(name))


@app.route("/built")
def built():
    name = request.args["name"]
    Response("<b>" + name)  # bad: xss
    Response(name, mimetype="text/plain")
    Markup("<b>" + name)  # bad: xss
    Markup("<b>{}").format(name)
    make_response(jsonify(name))
    return Response(html.escape(name))


@app.route("/rendered")
def rendered():
    return raw.get_template("page.html").render(name=request.args["name"])  # bad: xss


@app.route("/rendered/well")
def rendered_well():
    return escaping.get_template("page.html").render(name=request.args["name"])


@app.route("/undone")
def undone():
    name = html.escape(request.args["name"])
    return "<b>" + html.unescape(name)  # bad: xss


def escaped(text):
    """What it lets through as it is, are letters and digits."""
    result = ""
    for sign in text:
        if sign.isalnum() or sign in [" ", "."]:
            result += sign
        else:
            result += f"&#{ord(sign)};"
    return result


@app.route("/own")
def own():
    return "<b>" + escaped(request.args["name"])


@app.route("/passed", methods=["POST"])
def passed():
    return returned(request.form["name"], 1)
