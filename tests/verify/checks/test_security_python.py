from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult

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


def test_in_tests_it_is_a_note(found: Found) -> None:
    assert found("security-python", {"tests/test_a.py": "eval(x)\n"}) == ["note S307 tests/test_a.py:1"]
