"""A program of several modules: data goes from one to the other."""

from flask import Flask, request

from program import storage
from program.text import Cleaner, first_word, harmless

from .storage import find, find_number
from .wrapper import Wrapped

app = Flask(__name__)


@app.route("/find")
def search():
    name = first_word(request.args["name"])
    find(name)
    find_number(request.args["number"])
    find(harmless(name))
    storage.Storage("shop.db").run(name)
    wrapped = Wrapped(request)
    storage.system(wrapped.query("command"))
    storage.system(wrapped.constant("command"))
    storage.system(Cleaner().clean(name))
    return {}
