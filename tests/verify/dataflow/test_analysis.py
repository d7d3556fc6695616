"""What the analysis of a project says: each place in order with its column, and the way that the data took there."""

from __future__ import annotations

from omni.verify.dataflow.analysis import analyse
from omni.verify.parsing import parse_python

APP = """from flask import Flask, request, session
import hashlib, os, random
from tools import run
app = Flask(__name__)
@app.route("/")
def page():
    data = request.args["data"]
    run(data)
    session["a"] = data
    token = random.random()
    hashlib.md5(b"x")
    os.system(data); os.system("-" + data)
    return "<b>" + data
"""
TOOLS = "import os\ndef run(command):\n    os.system(command)\n"


def test_places_in_order_with_their_columns_and_ways() -> None:
    trees = [(path, parse_python(text)) for path, text in (("tools.py", TOOLS), ("app.py", APP))]
    analysis = analyse([*trees, ("tests/test_app.py", parse_python(APP))])
    found = [
        (
            f"{hit.sink.path}:{hit.sink.line}:{hit.column}",
            hit.weakness,
            hit.sink.what,
            [f"{step.line} {step.what}" for step in (hit.taint.origin, *hit.taint.steps)],
        )
        for hit in analysis.hits
    ]
    way = ["7 request.args"]
    assert found == [
        ("app.py:9:5", "trust-boundary", "session['a']", way),
        ("app.py:10:5", "weak-randomness", "token", ["10 random.random()"]),
        ("app.py:11:5", "weak-hash", "hashlib.md5(…)", ["11 hashlib.md5(…)"]),
        ("app.py:12:5", "command", "os.system(…)", way),
        ("app.py:12:22", "command", "os.system(…)", way),
        ("app.py:13:5", "xss", "the page that is returned", way),
        ("tools.py:3:5", "command", "os.system(…)", [*way, "8 run(…)"]),
    ]
    assert analysis.unseen == {}


def test_a_module_in_a_package_is_found_by_its_name() -> None:
    """From the folder that holds the package, and neither from above it nor from within."""
    app = "import os, tools.shell, {name}\nfrom flask import request\n{name}.run(request.args['a'])\n"
    run = "import os\ndef run(text):\n    os.system(text)\n"
    for name, found in (("tools.shell", True), ("src.tools.shell", False), ("shell", False), ("other", False)):
        files = {"app.py": app.format(name=name), "src/tools/__init__.py": "", "src/tools/shell.py": run}
        hits = analyse([(path, parse_python(text)) for path, text in files.items()]).hits
        assert [hit.sink.path for hit in hits] == (["src/tools/shell.py"] if found else []), name


def test_a_list_stands_whole_in_one_place_of_a_template() -> None:
    """A tuple gives each place its own; the first of a list is not all that is shown."""
    for given, found in (
        ("['x', data]", True),
        ("{'x', data}", True),
        ("[data]", True),
        ("['x', 'y']", False),
        ("('x', data)", True),
        ("(data, 'x')", True),
        ("('x', 'y')", False),
    ):
        places = "echo %s" if given[0] != "(" else "%s; %s"
        app = f"import os\nfrom flask import request\ndata = request.args['a']\nos.system({places!r} % {given})\n"
        assert bool(analyse([("app.py", parse_python(app))]).hits) is found, given
