"""Each kind of injection, with its harmless twin."""

import ast
import code
import logging
import os
import shlex
import sqlite3
import subprocess

import ldap
import ldap.filter
import ldap3
import lxml.etree
from flask import Blueprint, Flask, make_response, render_template_string, request
from ldap3.utils.conv import escape_filter_chars

app = Flask(__name__)
pages = Blueprint("pages", __name__)
logger = logging.getLogger(__name__)


@app.route("/sql")
def sql():
    name = request.args["name"]
    db = sqlite3.connect("shop.db")
    cursor = db.cursor()
    cursor.execute("SELECT * FROM users WHERE name = '" + name + "'")  # bad: sql
    cursor.execute(f"SELECT * FROM users WHERE name = '{name}'")  # bad: sql
    cursor.execute("SELECT * FROM users WHERE name = '%s'" % name)  # bad: sql
    cursor.execute("SELECT * FROM users WHERE name = '{}'".format(name))  # bad: sql
    cursor.execute("SELECT * FROM users WHERE name = '{who}'".format(who=name))  # bad: sql
    cursor.execute("SELECT * FROM users WHERE name = '{0}' OR '{1}'".format("x", name))  # bad: sql
    cursor.execute(" ".join(["SELECT * FROM users WHERE name =", name]))  # bad: sql
    cursor.execute(name)  # bad: sql
    cursor.execute("SELECT * FROM users WHERE name = ?", (name,))
    cursor.execute("SELECT * FROM users WHERE id = %d" % int(name))
    cursor.execute(f"SELECT * FROM users WHERE id = {int(name)}")
    cursor.execute(f"SELECT * FROM users WHERE id = {len(name)}")
    cursor.execute("SELECT * FROM users WHERE name = '{0}'".format("x", name))
    rows = cursor.fetchall()
    return {"rows": rows}


@app.route("/command/<host>/<int:port>")
def command(host, port):
    os.system("ping " + host)  # bad: command
    os.popen(f"ping {host}")  # bad: command
    subprocess.run(f"ping {host}", shell=True)  # bad: command
    subprocess.run(["sh", "-c", "ping " + host])  # bad: command
    subprocess.run([host, "-c", "1"])  # bad: command
    subprocess.check_output(host.split())  # bad: command
    os.system("ping " + shlex.quote(host))
    os.system(f"ping {port}")
    subprocess.run(["ping", "-c", "1", host])
    subprocess.run("ping localhost", shell=True, input=host)
    return {}


@app.post("/code")
def evaluated():
    text = request.get_json()["text"]
    eval(text)  # bad: code
    exec("x = " + text)  # bad: code
    code.InteractiveInterpreter().runsource(text)  # bad: code
    ast.literal_eval(text)
    return {}


@pages.route("/people")
def people():
    name = request.form.get("name", "")
    server = ldap3.Server("ldap.example.org")
    connection = ldap3.Connection(server)
    connection.search("ou=people", f"(uid={name})")  # bad: ldap
    connection.search(search_base="ou=people", search_filter=f"(uid={name})")  # bad: ldap
    connection.search("ou=people", f"(uid={escape_filter_chars(name)})")
    other = ldap.initialize("ldap://ldap.example.org")
    other.search_s("ou=people", ldap.SCOPE_SUBTREE, "(uid=%s)" % name)  # bad: ldap
    other.search_s("ou=people", ldap.SCOPE_SUBTREE, "(uid=%s)" % ldap.filter.escape_filter_chars(name))
    return {}


@pages.route("/tree")
def tree():
    name = request.values["name"]
    document = lxml.etree.parse("staff.xml")
    document.xpath("//user[@name='" + name + "']")  # bad: xpath
    document.xpath("//user[@name=$name]", name=name)
    document.xpath(f"//user[@name='{name.replace(chr(39), '')}']")
    if "'" in name:
        return {}
    document.xpath("//user[@name='" + name + "']")
    return {}


@pages.route("/template")
def template():
    greeting = request.args.get("greeting")
    render_template_string("<p>" + greeting)  # bad: template
    render_template_string("<p>{{ greeting }}", greeting=greeting)
    return {}


@pages.route("/header")
def header():
    language = request.args.get("language")
    response = make_response("ok")
    response.headers["Content-Language"] = language  # bad: header
    response.headers["Content-Language"] = language.replace("\n", "")
    logger.info("language %s", language)  # bad: log
    logger.info("language %r", repr(language))
    return response
