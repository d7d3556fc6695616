from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from omni.verify.report import CheckResult, Status

Told = Callable[..., str]
Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]

MANIFEST = '[project]\nname = "app"\nversion = "1"\ndependencies = ["httpx>=0.28", "PyYAML"]\n'


def test_undeclared(found: Found) -> None:
    files = {
        "pyproject.toml": MANIFEST,
        "src/app/__init__.py": "",
        "src/app/a.py": "import os\nimport httpx\nimport rich\n",
    }
    assert found("imports", files) == ["error undeclared-import src/app/a.py:3"]


@pytest.mark.parametrize(
    "source",
    [
        "import yaml",  # another name than its distribution's
        "from app import b",
        "from . import b",
        "try:\n    import ujson\nexcept ImportError:\n    ujson = None",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import rich",
        "import tomllib, asyncio",
    ],
)
def test_declared_or_not_needed(found: Found, source: str) -> None:
    files = {
        "pyproject.toml": MANIFEST,
        "src/app/__init__.py": "",
        "src/app/b.py": "import httpx\n",
        "src/app/a.py": source,
    }
    assert [each for each in found("imports", files) if "unused" not in each] == []


def test_development_dependency_in_the_program(found: Found) -> None:
    manifest = MANIFEST + '[dependency-groups]\ndev = ["pytest"]\n'
    files = {
        "pyproject.toml": manifest,
        "app/__init__.py": "import pytest, yaml, httpx\n",
        "tests/test_a.py": "import pytest\n",
    }
    assert found("imports", files) == ["warning development-dependency app/__init__.py:1"]


def test_unused(found: Found) -> None:
    manifest = '[project]\nname = "app"\ndependencies = ["httpx", "attrs-strict-thing"]\n'
    files = {"pyproject.toml": manifest, "app.py": "import httpx\n"}
    assert found("imports", files) == ["note unused-dependency pyproject.toml:3"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", "-r other.txt\nhttpx[http2]==0.28.1 \\\n    --hash=sha256:aa\n# comment\n"),
        ("setup.cfg", "[options]\ninstall_requires =\n    httpx>=0.28\n"),
        ("setup.py", "from setuptools import setup\nsetup(install_requires=['httpx'])\n"),
        ("Pipfile", '[packages]\nhttpx = "*"\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\nhttpx = "^0.28"\n'),
        ("pyproject.toml", '[project]\nname = "a"\n[project.optional-dependencies]\nhttp = ["httpx"]\n'),
    ],
)
def test_manifests(found: Found, path: str, text: str) -> None:
    files = {path: text, "app.py": "import httpx\nimport rich\n"}
    assert found("imports", files) == ["error undeclared-import app.py:2"]


def test_no_manifest(found: Found) -> None:
    assert found("imports", {"app.py": "import httpx\n"}) == ["warning no-manifest :None"]


def test_broken_manifest_is_not_passed_over(look: Look) -> None:
    result = look("imports", {"pyproject.toml": "[project\n", "app.py": "import os\n"})
    assert result.status is Status.INCOMPLETE
    assert list(result.coverage.failed) == ["pyproject.toml"]


def test_javascript(found: Found) -> None:
    files = {
        "package.json": '{"name": "web", "dependencies": {"react": "19"}, "devDependencies": {"vite": "7"}}',
        "tsconfig.json": '{"compilerOptions": {"paths": {"~app/*": ["./src/*"]}}}',
        "src/a.tsx": (
            "import React from 'react';\nimport { join } from 'node:path';\n"
            "import fs from 'fs';\nimport x from './x';\n"
            "import y from '@/y';\nimport z from '~app/z';\nimport _ from 'lodash/get';\nconst d = require('dayjs');\n"
        ),
    }
    assert found("imports", files) == ["error undeclared-import src/a.tsx:7", "error undeclared-import src/a.tsx:8"]


def test_an_import_in_a_comment_is_none(found: Found) -> None:
    files = {
        "package.json": '{"name": "app", "dependencies": {}}',
        "a.ts": "/**\n * @example\nimport z from 'zod';\n */\n"
        "// import b from 'luxon'\nconst u = 'http://x//y'; import('ky');\n",
    }
    assert found("imports", files) == ["error undeclared-import a.ts:6"]


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    import urllib3x\nexcept ImportError:\n    ssl = None\nelse:\n    import cryptography",
        "# /// script\n# dependencies = ['rich']\n# ///\nimport rich",
        "import annotationlib",
    ],
)
def test_what_may_be_absent_or_is_declared_elsewhere(found: Found, source: str) -> None:
    assert [
        each for each in found("imports", {"pyproject.toml": MANIFEST, "app.py": source}) if "unused" not in each
    ] == []


def test_what_is_said_of_python(told: Told) -> None:
    """A distribution that nobody knows may bring a module of a like name: that only warns, as beside the product."""
    manifest = (
        '[project]\nname = "app"\ndependencies = [\n  "strict-thing-kit",\n  "google-cloud-storage",\n'
        '  "zope-interface",\n  "never-named-thing",\n  "named-in-a-text",\n]\n'
        '[dependency-groups]\ndev = ["pytest", "google-auth", "unused-dev"]\n'
    )
    files = {
        "pyproject.toml": manifest,
        "requirements.txt": "unused-of-a-list\n",
        "app/__init__.py": "",
        "app/a.py": (
            "import strict_thing\nimport strict_thing_kit_more.b\nimport rich.console\nimport google.cloud.storage\n"
            "import zope\nimport pytest\n# named_in_a_text\n"
            "try:\n    import attr\nexcept ImportError:\n    attr = None\n"
        ),
        "tests/test_a.py": "import rich\nimport pytest\n",
    }
    assert told("imports", files) == snapshot("""\
warning undeclared-import app/a.py:1: `strict_thing` is imported and not declared
    import strict_thing
warning undeclared-import app/a.py:2: `strict_thing_kit_more` is imported and not declared
    import strict_thing_kit_more.b
error undeclared-import app/a.py:3: `rich` is imported and not declared
    import rich.console
warning development-dependency app/a.py:6: `pytest` is declared for development only (pytest)
    import pytest
note unused-dependency pyproject.toml:7: `never-named-thing` is declared and not imported anywhere
    "never-named-thing",
warning undeclared-import tests/test_a.py:1: `rich` is imported and not declared
    import rich
""")


def test_what_is_installed_is_known_by_its_modules(found: Found) -> None:
    """Then a like name is no hint any more, and what a distribution brings is what it really brings."""
    manifest = '[project]\nname = "app"\ndependencies = ["strict-thing-kit", "ruff"]\n'
    files = {"pyproject.toml": manifest, "app/__init__.py": "", "app/a.py": "import strict_thing\n"}
    assert found("imports", files, environment=Path(sys.prefix)) == [
        "error undeclared-import app/a.py:1",
        "note unused-dependency pyproject.toml:3",
        "note unused-dependency pyproject.toml:3",
    ]


def test_what_is_said_of_scripts(told: Told, look: Look) -> None:
    """Only below a manifest; the names of all packages of the repository are known, and aliases of TypeScript."""
    files = {
        "web/package.json": '{"name": "web", "dependencies": {"react": "1", "@types/geojson": "1"}}',
        "kit/package.json": '{"name": "kit"}',
        "tsconfig.json": '{"compilerOptions": {"paths": {"one/*": ["./src/*"]}}}',
        "web/tsconfig.app.json": '{"compilerOptions": {"paths": {"two": ["./src/two.ts"]}}}',
        "web/tsconfig.bad.json": "{",
        "web/jsconfig.json": '{"compilerOptions": {"paths": {"three": ["./src/three.ts"]}}}',
        "web/src/a.ts": "".join(
            f"import '{name}';\n" for name in ("kit", "web", "react", "geojson", "one/b", "two", "three", "dayjs")
        ),
        "web/src/a.test.ts": "import 'vitest';\n",
        "scripts/a.js": "import 'zx';\n",
        "website/a.js": "import 'zx';\n",
    }
    assert told("imports", files) == snapshot("""\
warning undeclared-import web/src/a.test.ts:1: `vitest` is imported and not declared
    import 'vitest';
error undeclared-import web/src/a.ts:7: `three` is imported and not declared
    import 'three';
error undeclared-import web/src/a.ts:8: `dayjs` is imported and not declared
    import 'dayjs';
""")
    result = look("imports", {"web/package.json": "{"})
    assert (result.status, list(result.coverage.failed)) == (Status.FAIL, ["web/package.json"])
