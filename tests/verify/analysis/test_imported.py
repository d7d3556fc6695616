"""What a project imports from outside of itself."""

from __future__ import annotations

import pytest
from tests.verify.analysis.conftest import ContextOf

from omni.verify.analysis.imported import Foreign, javascript_imports, python_imports, typescript_aliases


def shown(found: Foreign) -> str:
    return f"{found.file.path}:{found.line} {found.module}" + (" optional" if found.optional else "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import os, requests.sessions\n", ["a.py:1 requests.sessions"]),
        ("import requests\nimport requests\n", ["a.py:1 requests"]),
        ("from . import x\nfrom .b import y\n", []),
        ("import distutils, cgi\n", []),
        ("try:\n    import yaml\nexcept ImportError: ...\n", ["a.py:2 yaml optional"]),
        ("import own, inner.x, script, native, beside\n", []),
        ("import pkg2\n", ["a.py:1 pkg2"]),
        ("import setuptools\n", ["a.py:1 setuptools"]),
        ("# /// script\n# ///\nimport requests\n", []),
        ("import", []),
    ],
)
def test_python(context_of: ContextOf, text: str, found: list[str]) -> None:
    own = {
        "src/own/__init__.py": "", "src/own/pkg2/__init__.py": "", "libs/x/inner/__init__.py": "", "script.py": "",
        "lib/native.cpython-311.so": "", "beside/data.py": "", "setup.py": "import setuptools, requests\n",
    }  # fmt: skip
    context = context_of({"a.py": text, **own})
    assert [shown(each) for each in python_imports(context)] == [*found, "setup.py:1 requests"]


def test_what_lies_beside_or_above_a_script_is_its_own(context_of: ContextOf) -> None:
    files = {
        "tools/x/a.py": "import helper, upper, other\n",
        "tools/x/helper.py": "",
        "tools/upper.py": "",
        "y/other.py": "",
    }
    found = list(python_imports(context_of(files)))
    assert [shown(each) for each in found] == ["tools/x/a.py:1 other"]
    assert [each.beside for each in found] == [True]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import a from 'react'\n", ["a.ts:1 react"]),
        ("import 'side'\nexport * from \"other\"\n", ["a.ts:1 side", "a.ts:2 other"]),
        ("import {\n  a,\n} from 'react'\n", ["a.ts:3 react"]),
        ("const a = require('fs'); const b = await import( 'lazy' )\n", ["a.ts:1 lazy"]),
        ("import a from '@scope/pkg/deep'\nimport b from 'pkg/deep'\n", ["a.ts:1 @scope/pkg", "a.ts:2 pkg"]),
        ("import a from 'pkg'\nimport b from 'pkg/x'\n", ["a.ts:1 pkg"]),
        ("import a from 'pkg?raw'\n", ["a.ts:1 pkg"]),
        ("// import a from 'pkg'\n/* import b from 'x' */\n", []),
        ("const s = '// no comment'; require('pkg')\n", ["a.ts:1 pkg"]),
        *((f"import a from '{start}x'\n", []) for start in ("./", "/", "node:", "#", "~", "@/", "https://", "own/")),
        ("import a from 'not a name'\n", []),
    ],
)
def test_javascript(context_of: ContextOf, text: str, found: list[str]) -> None:
    context = context_of({"a.ts": text, "b.py": "import 'x'"})
    assert [shown(each) for each in javascript_imports(context, frozenset({"own/"}))] == found


def test_aliases_of_typescript() -> None:
    assert typescript_aliases({"compilerOptions": {"paths": {"@app/*": ["x"], "*": ["y"], "one": []}}}) == {
        "@app/",
        "one",
    }
    assert typescript_aliases([]) == frozenset()
