from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from omni.verify.analysis.installed_api import history, of_standard_library
from omni.verify.report import CheckResult, Status

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]

STANDARD = [
    ("import json\njson.loads('1', strict_mode=True)", "error invented-parameter a.py:2"),
    ("import subprocess\nsubprocess.run(['ls'], timeout_seconds=3)", "error invented-parameter a.py:2"),
    ("import json\njson.parse('1')", "error invented-name a.py:2"),
    ("from json import parse", "error invented-name a.py:1"),
    ("import os.paths", "error invented-module a.py:1"),
    ("import shutil\nshutil.copytree('a', 'b', None, False, 1, 2, 3, 4)", "error too-many-arguments a.py:2"),
    ("import threading\nworker = threading.Thread()\nworker.terminate()", "error invented-name a.py:3"),
    ("from collections import Mapping", "error removed a.py:1"),
    ("import imp", "warning removed-later a.py:1"),
    ("import datetime\ndatetime.datetime.utcnow()", "warning deprecated a.py:2"),
]


@pytest.mark.parametrize(("source", "expected"), STANDARD)
def test_what_python_does_not_have(found: Found, source: str, expected: str) -> None:
    assert found("api-use", {"a.py": source}) == [expected]


@pytest.mark.parametrize(
    "source",
    [
        "import json\njson.loads('1', strict=True, cls=None)",
        "import subprocess\nsubprocess.run(['ls'], capture_output=True, cwd='.', timeout=3, process_group=0)",
        "import os\nos.startfile('a')",  # on another system
        "import annotationlib\nannotationlib.get_annotations(f)",  # in another Python
        "import zlib\ndef f() -> zlib._Compress: ...",  # for type checkers
        "PY_3_30 = False\nif PY_3_30:\n    from json import parse",
        "import asyncio\nasyncio.WindowsSelectorEventLoopPolicy()",
        "import msvcrt\nmsvcrt.getch()",
        "import sys\nif sys.version_info >= (3, 30):\n    from json import parse",
        "try:\n    from json import parse\nexcept ImportError:\n    parse = None",
        "import json\nif hasattr(json, 'parse'):\n    json.parse('1')",
        "import json\njson = make()\njson.parse('1')",  # another thing of that name
        "def f(json):\n    json.parse('1')\nimport json",
        "import json\njson.parse = dict\njson.parse()",
        "import json\njson.parse('1')  # type: ignore[attr-defined]",
        "import pytest, json\nwith pytest.raises(AttributeError):\n    json.parse",
        "import argparse\nargs = argparse.ArgumentParser().parse_args()\nargs.anything",
        "import threading\nlocal = threading.local()\nlocal.anything",
        "import typing as t\ndef f(a: t.Iterable[int]) -> None:\n    t = Thread()\n    t.start()",
        "from xml.etree import ElementTree\nimport concurrent.futures\nconcurrent.futures.ThreadPoolExecutor(4)",
        "from pathlib import Path\nPath('a').read_text(encoding='utf-8')",
        "import itertools\nitertools.batched('abc', 2)",  # since Python 3.12, and nothing is said of older ones
    ],
)
def test_what_there_is_or_may_be(look: Look, source: str) -> None:
    manifest = '[project]\nname = "a"\nversion = "1"\n'
    files = {"a.py": source.replace("import pytest, json", "import json"), "pyproject.toml": manifest}
    assert look("api-use", files).findings == ()


def test_newer_than_the_oldest_python(found: Found) -> None:
    manifest = '[project]\nname = "a"\nrequires-python = ">=3.10"\n'
    files = {"pyproject.toml": manifest, "a.py": "import tomllib\nfrom datetime import UTC\n"}
    assert found("api-use", files) == ["warning newer-than-python a.py:1", "warning newer-than-python a.py:2"]


def test_without_an_environment_only_python_is_known(look: Look) -> None:
    result = look("api-use", {"a.py": "import json\nimport httpx\njson.dumps(1)\nhttpx.fetch()\n"})
    assert result.status is Status.INCOMPLETE
    assert "httpx" in result.reason
    assert look("api-use", {"a.py": "import json\njson.dumps(1)\n"}).status is Status.PASS


@pytest.mark.host
def test_what_packages_do_not_have(found: Found) -> None:
    source = """
import click
import httpx
from httpx import Clients
from jinja2.security import Guard
from click import option

httpx.get_json("https://example.org")
httpx.get("https://example.org", timeout_seconds=3)
def read():
    with httpx.Client(timeouts=3) as client:
        client.get_json("/")
        client.get("/", retries=3)
        client.get("/", timeout=3)

@click.command(name="a", anything_else=1)
@option("--a")
def main(): ...
"""
    files = {"src/a.py": source, "src/b.py": "import absent_package\nabsent_package.f()\n"}
    assert found("api-use", files, environment=Path(sys.prefix)) == [
        "error invented-name src/a.py:4",
        "error invented-module src/a.py:5",
        "error invented-name src/a.py:8",
        "error invented-parameter src/a.py:9",
        "error invented-parameter src/a.py:11",
        "error invented-name src/a.py:12",
        "error invented-parameter src/a.py:13",
    ]


@pytest.mark.host
def test_deprecated_by_its_package_and_absent(look: Look) -> None:
    source = "import pydantic\nclass M(pydantic.BaseModel): ...\npydantic.parse_obj_as(int, 1)\n"
    files = {"a.py": source, "b.py": "import absent_package\n"}
    result = look("api-use", files, environment=Path(sys.prefix))
    assert [(each.rule, each.line) for each in result.findings] == [("deprecated", 3)]
    assert result.status is Status.PASS
    assert result.coverage.skipped == {"b.py": "its use of absent_package was not checked: not installed"}


def test_history_agrees_with_this_python() -> None:
    """What is there until a version, or since one, of the Pythons before and after."""
    here = sys.version_info[:2]
    names = {
        name: (event.version >= here if event.what == "until" else event.version <= here)
        for name, events in history().items()
        for event in events
        if event.what in {"until", "since"} and len(events) == 1 and "(" not in name and event.version[0] == 3
    }
    facts = of_standard_library(sorted(names))
    wrong = [name for name, there in names.items() if name in facts and facts[name].kind and not there]
    wrong += [name for name, there in names.items() if name in facts and facts[name].missing == "name" and there]
    assert wrong == []


def test_what_is_said_of_each(look: Look) -> None:
    """With what was meant, and never twice: a name that its import is told about is not told about where it is used."""
    more = (
        "import json\njson.loads('1', zzz=1)",
        "from json import parse\nparse(1, 2, 3)",
        "from json import loads\nloads('1', strict_mode=True)\nloads('1', '2', '3')",
        "from datetime import UTC",
        "from imp import reload\nreload()",
        "import distutils.core",
        "import os\nos.getcwd(1)",
    )
    files = {f"a{at:02}.py": source for at, source in enumerate((*(source for source, _ in STANDARD), *more))}
    files["pyproject.toml"] = '[project]\nname = "a"\nrequires-python = ">=3.11"\n'
    result = look("api-use", {**files, "a.pyi": more[0], "broken.py": "def (\n"})
    assert [
        (each.path[1:3], each.line, each.message, each.fix.partition(" ")[0]) for each in result.findings
    ] == snapshot(
        [
            ("00", 2, "`json.loads` takes no parameter `strict_mode`", "Did"),
            ("01", 2, "`subprocess.run` takes no parameter `timeout_seconds`", "Did"),
            ("02", 2, "there is no name `parse` in `json`", "Use"),
            ("03", 1, "there is no name `parse` in `json`", "Use"),
            ("04", 1, "there is no module `os.paths` in `os`", "Did"),
            ("05", 2, "`shutil.copytree` takes 7 arguments by position, and 8 are given", "Give"),
            ("06", 3, "there is no name `terminate` in `Thread`", "Use"),
            ("07", 1, "`collections.Mapping` is there until Python 3.9 only", "Use"),
            ("08", 1, "`imp` is there until Python 3.11 only", "Use"),
            ("09", 2, "`datetime.datetime.utcnow` is deprecated", "Use"),
            ("10", 2, "`json.loads` takes no parameter `zzz`", "It"),
            ("11", 1, "there is no name `parse` in `json`", "Use"),
            ("12", 2, "`loads` takes no parameter `strict_mode`", "Did"),
            ("12", 3, "`loads` takes 1 arguments by position, and 3 are given", "Give"),
            ("14", 1, "`imp.reload` is there until Python 3.11 only", "Use"),
            ("15", 1, "`distutils.core` is there until Python 3.11 only", "Use"),
            ("16", 2, "`os.getcwd` takes 0 arguments by position, and 1 are given", "Give"),
        ]
    )
    assert list(result.coverage.failed) == ["broken.py"]


def test_a_module_of_the_projects_own_is_not_pythons(found: Found) -> None:
    assert found("api-use", {"json.py": "def parse(): ...\n", "a.py": "import json\njson.parse()\n"}) == []
