"""What is kept, guessed, loaded, hashed, set as a cookie."""

import hashlib
import json
import marshal
import pickle
import random
import secrets
import uuid
import xml.sax
import xml.sax.handler
from xml.dom import minidom

import defusedxml.ElementTree
import lxml.etree
import yaml
from Crypto.Cipher import AES, DES
from flask import Flask, make_response, request, session

app = Flask(__name__)
SEED = hashlib.md5(b"x", usedforsecurity=False)


@app.route("/load", methods=["POST"])
def load():
    data = request.data
    pickle.loads(data)  # bad: deserialization
    marshal.loads(data)  # bad: deserialization
    yaml.load(data, Loader=yaml.Loader)  # bad: deserialization
    yaml.load(data, yaml.UnsafeLoader)  # bad: deserialization
    yaml.load(data, Loader=yaml.SafeLoader)
    yaml.safe_load(data)
    json.loads(data)
    with open("cache.bin", "rb") as file:
        pickle.load(file)
    return {}


@app.route("/xml", methods=["POST"])
def parse():
    data = request.data
    open_parser = xml.sax.make_parser()
    open_parser.setFeature(xml.sax.handler.feature_external_ges, True)
    minidom.parseString(data, open_parser)  # bad: xxe
    closed_parser = xml.sax.make_parser()
    closed_parser.setFeature(xml.sax.handler.feature_external_ges, False)
    minidom.parseString(data, closed_parser)
    minidom.parseString(data)
    lxml.etree.fromstring(data, lxml.etree.XMLParser(resolve_entities=True))  # bad: xxe
    lxml.etree.fromstring(data, lxml.etree.XMLParser(resolve_entities=False))
    defusedxml.ElementTree.fromstring(data)
    return {}


@app.route("/keep")
def keep():
    session["name"] = request.args["name"]  # bad: trust-boundary
    session[request.args["name"]] = 1  # bad: trust-boundary
    session["number"] = int(request.args["number"])
    if request.args["name"] in ("light", "dark"):
        session["theme"] = "dark"
    return {}


@app.route("/guess")
def guess():
    token = random.randint(0, 10**9)  # bad: weak-randomness
    password = "".join(random.choice("abc") for _ in range(9))  # bad: weak-randomness
    session["csrf"] = random.random()  # bad: weak-randomness
    reset_token = str(uuid.uuid1())  # bad: weak-randomness
    session["csrf"] = secrets.token_hex(16)
    token = random.SystemRandom().randint(0, 10**9)
    colour = random.choice(["red", "blue"])
    return {"colour": colour, "token": token, "password": password, "reset": reset_token}


@app.route("/hash")
def digest():
    name = "md5"
    hashlib.md5(b"x")  # bad: weak-hash
    hashlib.new("sha1", b"x")  # bad: weak-hash
    hashlib.new(name)  # bad: weak-hash
    hashlib.new("sha256", b"x")
    hashlib.sha256(b"x")
    hashlib.sha1(b"x", usedforsecurity=False)
    DES.new(b"12345678", DES.MODE_ECB)  # bad: weak-cipher
    AES.new(b"1234567812345678", AES.MODE_ECB)  # bad: weak-cipher
    AES.new(b"1234567812345678", AES.MODE_GCM)
    return {}


@app.route("/cookie")
def cookie():
    response = make_response("ok")
    response.set_cookie("a", "b")  # bad: insecure-cookie
    response.set_cookie("a", "b", secure=False)  # bad: insecure-cookie
    response.set_cookie("a", "b", secure=True, httponly=True, samesite="Lax")
    response.set_cookie("a", "b", secure=app.config["SECURE"])
    return response
