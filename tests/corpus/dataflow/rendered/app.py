"""Templates that show some of their variables as they are."""

import markdown
from flask import Flask, render_template, request
from jinja2 import Environment, FileSystemLoader
from markupsafe import escape

app = Flask(__name__)
pages = Environment(loader=FileSystemLoader("templates"), autoescape=True)


@app.route("/show")
def show():
    text = request.args["text"]
    if request.args.get("a"):
        return render_template("users/show.html", title=text)
    if request.args.get("b"):
        return render_template("users/show.html", title="x", about=text)  # bad: xss
    if request.args.get("c"):
        return render_template("users/show.html", motto=markdown.markdown(text))  # bad: xss
    if request.args.get("d"):
        return render_template("users/show.html", about=escape(text))
    if request.args.get("e"):
        return pages.get_template("users/show.html").render(about=text)  # bad: xss
    return pages.get_template("users/show.html").render(title=text)
