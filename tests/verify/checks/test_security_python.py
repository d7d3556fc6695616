from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of, told

from omni.verify.check import Output, Unseen
from omni.verify.checks import security_python
from omni.verify.report import CheckResult, Finding

Write = Callable[[Mapping[str, str | bytes]], Path]
Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]


@pytest.mark.parametrize(
    ("source", "rule", "cwe"),
    [
        ("import subprocess\nsubprocess.run(x, shell=True)", "error S602", "CWE-78"),
        ("import subprocess\nsubprocess.run('ls', shell=True)", "note S602", "CWE-78"),
        ("eval(x)", "error S307", "CWE-95"),
        ("exec(x)", "error S102", "CWE-95"),
        ("import pickle\npickle.loads(x)", "warning S301", "CWE-502"),
        ("import yaml\nyaml.load(x)", "error S506", "CWE-502"),
        ("import hashlib\nhashlib.md5(x)", "warning S324", "CWE-327"),
        ("app.run(debug=True)", "", ""),
        ("from flask import Flask\napp = Flask('a')\napp.run(debug=True)", "error S201", "CWE-489"),
        ("import httpx\nhttpx.get(x, verify=False)", "error S501", "CWE-295"),
        ("host = '0.0.0.0'", "note S104", "CWE-605"),
        ("import tempfile\ntempfile.mktemp()", "error S306", "CWE-377"),
        ("import jinja2\njinja2.Environment(autoescape=False)", "error S701", "CWE-79"),
        ("import os\nos.system(x)", "error S605", "CWE-78"),
        ("import secrets\nsecrets.token_hex()", "", ""),
    ],
)
def test_weakness(look: Look, source: str, rule: str, cwe: str) -> None:
    findings = look("security-python", {"a.py": source + "\n"}).findings
    assert [(f"{each.severity} {each.rule}", each.cwe) for each in findings] == ([(rule, cwe)] if rule else [])
    assert all(each.why and each.fix for each in findings)


def test_syntax_newer_than_the_interpreter_is_seen(look: Look) -> None:
    source = "type Alias[T] = list[T]\n\ndef f[T](x: T) -> None:\n    eval(x)\n"
    assert [each.rule for each in look("security-python", {"a.py": source}).findings] == ["S307"]


@pytest.mark.parametrize(
    ("source", "severity"),
    [
        ('exec(compile(open("a.py").read(), "a.py", "exec"))', "warning"),
        ("def f(code: CodeType):\n    exec(code)", "warning"),
        (
            "def f(text):\n    code = compile(text, 'a', 'exec')\n    code = code.replace(co_name='b')\n    exec(code)",
            "warning",
        ),
        ("def f(code):\n    exec(code)", "error"),
        ("def f(code: str):\n    eval(code)", "error"),
        ("def f(text, code):\n    code = compile(text, 'a', 'exec')\n    exec(code)", "error"),
        ("def f(text):\n    code = compile(text, 'a', 'exec')\n    code = text\n    exec(code)", "error"),
        ("code = compile('1', 'a', 'eval'); eval(code); eval(text)", "error"),
    ],
)
def test_what_compile_made_is_no_text_taken_for_a_program(look: Look, source: str, severity: str) -> None:
    found = look("security-python", {"a.py": f"{source}\n"}).findings
    assert {each.severity.value for each in found if each.rule in {"S102", "S307"}} == {severity}


@pytest.mark.parametrize(
    ("source", "severity"),
    [
        ("import click\n@click.command()\ndef f(lang):\n    os.system('make ' + lang)", "warning"),
        ("from typer import Typer\n@app.command('a')\ndef f(lang):\n    subprocess.run(lang, shell=True)", "warning"),
        ("import click\ndef f(lang):\n    os.system('make ' + lang)", "error"),
        ("from slack_bolt import App\n@app.command('/a')\ndef f(lang):\n    os.system('make ' + lang)", "error"),
        ("import click\n@app.route('/a')\ndef f(lang):\n    os.system('make ' + lang)", "error"),
    ],
)
def test_who_types_a_command_may_run_others(look: Look, source: str, severity: str) -> None:
    found = look("security-python", {"a.py": f"import os, subprocess\n{source}\n"}).findings
    assert {each.severity.value for each in found if each.rule in {"S602", "S605"}} == {severity}


def test_in_tests_it_is_a_note(found: Found) -> None:
    assert found("security-python", {"tests/test_a.py": "eval(x)\n"}) == ["note S307 tests/test_a.py:1"]


def said(rule: str | None, path: str, message: str = "bad") -> dict[str, object]:
    return {"code": rule, "filename": path, "message": message, "location": {"row": 2, "column": 5}}


def test_what_ruff_says_is_told_with_what_it_means(write: Write) -> None:
    root = write({"a.py": "x = 1\n    eval(x)\n", "tests/test_a.py": "\n"})
    report = [
        said("S307", "a.py"),
        said("S602", str(root / "a.py"), "it seems safe"),
        said("S307", "tests/test_a.py"),
        said("S307", "gone.py"),
        said(None, "a.py"),
        said("E999", "a.py"),
    ]
    found = list(security_python.parse(context_of(root, "security-python"), Output(0, json.dumps(report), "")))
    assert told(found) == [
        "error S307 a.py:2 bad",
        "note S602 a.py:2 it seems safe",
        "note S307 tests/test_a.py:2 bad",
        "error S307 gone.py:2 bad",
    ]
    assert [(each.column, each.snippet) for each in found if isinstance(each, Finding)] == [
        (5, "eval(x)"),
        (5, "eval(x)"),
        (5, ""),
        (5, ""),
    ]
    assert told(security_python.parse(context_of(root, "security-python"), Output(0, "", ""))) == []


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("def f(c: CodeType):\n    exec(c)\ndef g(c: str):\n    exec(c)\n", [2]),
        ("def f(c: CodeType): exec(c)\ndef g(c): exec(c)\n", [1]),
        ("async def f(c: types.CodeType):\n    eval(c)\nexec(c)\n", [2, 3]),
        ("def f(c: str):\n    exec(c)\nexec(compile(c))\n", [3]),
        ("exec()\nexec(*a)\nother(compile(a))\nexec(a.b)\nexec(d)\n", []),
        ("a.c = compile(x)\nexec(c)\n", []),
        ("c = d = compile(x)\nexec(d)\nexec(c)\n", [2, 3]),
    ],
)
def test_the_lines_that_run_what_compile_made(source: str, rows: list[int]) -> None:
    tree = ast.parse(source)
    lines = range(1, source.count("\n") + 1)
    assert [row for row in lines if security_python.runs_code_object(tree, row)] == rows


def test_of_a_file_that_does_not_parse_nothing_is_known() -> None:
    assert not security_python.runs_code_object(Unseen("a.py", "why"), 1)
