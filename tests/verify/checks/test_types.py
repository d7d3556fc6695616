from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import Played, context_of, told

from omni.verify import config
from omni.verify.analysis import absent
from omni.verify.check import Failed, Output
from omni.verify.checks import types
from omni.verify.report import CheckResult, Finding, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]

WRONG = "def f(x: int) -> str:\n    return x + 1\n"
STRICT = {"pyproject.toml": "[tool.mypy]\nstrict = true\n"}


@pytest.mark.slow
def test_counts_where_the_project_checks_types(found: Found) -> None:
    assert found("types", {"a.py": WRONG}) == ["warning return-value a.py:2"]
    assert found("types", {**STRICT, "a.py": WRONG}) == ["error return-value a.py:2"]


@pytest.mark.slow
def test_options_of_the_project(found: Found) -> None:
    untyped = {"a.py": "def f(x):\n    return x\n"}
    assert found("types", untyped) == []
    assert found("types", {**STRICT, **untyped}) == ["error no-untyped-def a.py:1"]
    relaxed = '[tool.mypy]\nstrict = true\n[[tool.mypy.overrides]]\nmodule = "a"\nignore_errors = true\n'
    assert found("types", {"pyproject.toml": relaxed, **untyped}) == []


@pytest.mark.slow
def test_nothing_of_the_project_is_executed(look: Look, root: Path) -> None:
    """A plug-in and an interpreter of the project's would run outside of the sandbox."""
    files = {
        "pyproject.toml": '[tool.mypy]\nplugins = ["plugin.py"]\npython_executable = "./python"\n',
        "plugin.py": "open('ran', 'w')\n",
        "python": f"#!/bin/sh\ntouch {root}/ran\n",
        "a.py": "x: int = 1\n",
        ".venv/pyvenv.cfg": "home = /usr/bin\n",
        ".venv/bin/python": f"#!/bin/sh\ntouch {root}/ran\n",
        ".venv/lib/python3.11/site-packages/b.py": "y: int = 1\n",
        ".venv/lib/python3.11/os.py": "",
    }
    result = look("types", files, environment=root / ".venv")
    assert result.status is Status.PASS
    assert not (root / "ran").exists()


@pytest.mark.slow
def test_missing_packages_are_said(look: Look) -> None:
    """What they bring can't be checked; that is no fault of the project, and no proof either."""
    source = {"a.py": "import numpy\n\n\nclass A(numpy.ndarray): ...\n"}
    assert look("types", source).status is Status.PASS
    result = look("types", {**STRICT, **source})
    assert (result.status, result.findings) == (Status.INCOMPLETE, ())
    assert "1 imports lead to packages that are not here" in result.reason


@pytest.mark.slow
def test_keywords_of_a_class_whose_base_is_not_here_do_not_block(found: Found) -> None:
    """The base comes from a package through another file, and mypy asks `object` what the keyword is."""
    config = {
        "mypy.ini": "[mypy]\n",
        "base.py": "from pydantic import BaseModel\n\n\nclass Base(BaseModel):\n    pass\n",
    }
    derived = 'from base import Base\n\n\nclass Derived(Base, extra="ignore"):\n    pass\n'
    assert found("types", {**config, "derived.py": derived}) == ["warning call-arg derived.py:4"]
    own = 'class Base:\n    pass\n\n\nclass Derived(Base, extra="ignore"):\n    pass\n'
    assert found("types", {"mypy.ini": "[mypy]\n", "base.py": own, "derived.py": ""}) == ["error call-arg base.py:5"]


@pytest.mark.slow
def test_stubs_speak_for_their_modules(found: Found) -> None:
    files = {
        "p/__init__.pyi": "def f(x: int) -> str: ...\n",
        "p/__init__.py": "",
        "p/_made.py": "def f(x):\n    return x\n",
    }
    assert found("types", {**STRICT, **files}) == []


@pytest.mark.slow
def test_what_is_superfluous_for_one_version_does_not_block(found: Found) -> None:
    config = '[project]\nname = "a"\n[tool.mypy]\nstrict = true\n'
    code = "from typing import cast\n\n\ndef f(a: int) -> int:\n    return cast(int, a)\n"
    assert found("types", {"pyproject.toml": config, "a.py": code}) == ["warning redundant-cast a.py:5"]


def said(file: str, line: int, code: str | None, **more: object) -> str:
    """A line of mypy's JSON."""
    whole = {"file": file, "line": line, "column": 3, "message": "bad", "hint": None, "code": code, "severity": "error"}
    return json.dumps(whole | more)


def judged(write: Write, answer: Output, files: Mapping[str, str], **more: object) -> list[str]:
    return told(types.parse(context_of(write(files), "types", **more), answer))


ONE_IMPORT = "incomplete: 1 imports lead to packages that are not here, so their use was not checked. Type:"
FILES = {"mypy.ini": "[mypy]\nstrict = True\n", "a.py": "x = 1\n\ny = 2\n", "b.py": "", "tests/test_a.py": ""}


def test_what_mypy_says_is_judged(write: Write, tmp_path: Path) -> None:
    """What a missing package may be to blame for, tests and matters of a version do not block."""
    lines = [
        "Success is no JSON",
        said("a.py", 3, "arg-type", hint="Do it."),
        said("a.py", 1, None),
        said("a.py", 1, "misc", severity="note"),
        said("a.py", 1, "redundant-cast"),
        said("a.py", 1, "unused-ignore"),
        said("b.py", 1, "arg-type"),
        said("b.py", 1, "import-not-found", message="no numpy"),
        said("b.py", 2, "import-untyped", message="no numpy"),
        said("a.py", 1, "call-arg", message=f"x {types.OF_OBJECT}"),
        said("elsewhere/c.py", 1, "arg-type"),
        said("tests/test_a.py", 1, "arg-type"),
    ]
    context = context_of(write(FILES), "types")
    items = list(types.parse(context, Output(1, "\n".join(lines), "")))
    assert told(items) == [
        "error arg-type a.py:3 bad",
        "error syntax a.py:1 bad",
        "warning redundant-cast a.py:1 bad",
        "warning unused-ignore a.py:1 bad",
        "warning arg-type b.py:1 bad",
        f"warning call-arg a.py:1 x {types.OF_OBJECT}",
        "warning arg-type tests/test_a.py:1 bad",
        f"{ONE_IMPORT} {absent.MAKE} -e .",
    ]
    (first, second) = [each for each in items if isinstance(each, Finding)][:2]
    assert (first.column, first.fix, first.snippet) == (4, "Do it.", "y = 2")
    assert (second.fix, second.snippet) == (types.CHECK.advice, "x = 1")
    with_packages = context_of(context.root, "types", environment=tmp_path)
    assert told(types.parse(with_packages, Output(1, "\n".join(lines), ""))) == [
        "error arg-type a.py:3 bad",
        "error syntax a.py:1 bad",
        "warning redundant-cast a.py:1 bad",
        "warning unused-ignore a.py:1 bad",
        "error arg-type b.py:1 bad",
        f"error call-arg a.py:1 x {types.OF_OBJECT}",
        "warning arg-type tests/test_a.py:1 bad",
    ]


STUBS = 'Library stubs not installed for "yaml"'
OF_ANY = 'Returning Any from function declared to return "str"'
DECLARED = {
    "pyproject.toml": '[tool.mypy]\nstrict = true\n[dependency-groups]\ndev = ["types-PyYAML>=6", "pytest"]\n',
    "a.py": "import yaml\n",
    "b.py": "from a import load\n",
    "c.py": "",
}


def test_what_only_a_missing_stub_brings_does_not_block(write: Write, tmp_path: Path) -> None:
    """It is declared and not installed. What is no matter of it, or in a file that does not use it, counts."""
    lines = [
        said("a.py", 1, "import-untyped", message=STUBS),
        said("a.py", 1, None, severity="note", message='Hint: "python3 -m pip install types-PyYAML"'),
        said("a.py", 2, "no-any-return", message=OF_ANY),
        said("a.py", 3, "misc", message='Class cannot subclass "Dumper" (has type "Any")'),
        said("a.py", 4, "arg-type"),
        said("b.py", 2, "no-any-return", message=OF_ANY),
        said("b.py", 3, "call-arg", message='Too many arguments for "f"'),
        said("c.py", 2, "no-any-return", message=OF_ANY),
    ]
    output = Output(1, "\n".join(lines), "")
    packages = tmp_path / "env" / "lib" / "python3.12" / "site-packages"
    packages.mkdir(parents=True)
    why = "(perhaps only for want of types-pyyaml)"
    begin = "incomplete: types-pyyaml: declared and not installed, so what is used of yaml was not checked, "
    first = write(DECLARED)
    assert told(types.parse(context_of(first, "types", environment=tmp_path / "env"), output)) == [
        f"warning no-any-return a.py:2 {OF_ANY} {why}",
        f'warning misc a.py:3 Class cannot subclass "Dumper" (has type "Any") {why}',
        "error arg-type a.py:4 bad",
        f"warning no-any-return b.py:2 {OF_ANY} {why}",
        'error call-arg b.py:3 Too many arguments for "f"',
        f"error no-any-return c.py:2 {OF_ANY}",
        f"{begin}and 3 warnings may come of that alone. Type: {tmp_path}/env/bin/python -m pip install types-pyyaml",
    ]
    own = config.ProjectConfig(tests=config.Tests(setup="make dev"))
    *_, gap = told(types.parse(context_of(first, "types", environment=tmp_path / "env", project=own), output))
    assert gap == f"{begin}and 3 warnings may come of that alone. Type: make dev"
    (packages / "types_PyYAML-6.0.dist-info").mkdir()
    here = told(types.parse(context_of(first, "types", environment=tmp_path / "env"), output))
    assert here[0] == f"error no-any-return a.py:2 {OF_ANY}"
    assert len(here) == 6


@pytest.mark.parametrize("declared", ["types-PyYAML; python_version < '3'", "requests"])
def test_what_nobody_asked_for_here_is_not_missing(write: Write, tmp_path: Path, declared: str) -> None:
    pyproject = f'[project]\ndependencies = ["{declared}"]\n[tool.mypy]\nstrict = true\n'
    context = context_of(write({**DECLARED, "pyproject.toml": pyproject}), "types", environment=tmp_path)
    lines = [said("a.py", 1, "import-untyped", message=STUBS), said("a.py", 2, "no-any-return", message=OF_ANY)]
    assert told(types.parse(context, Output(1, "\n".join(lines), ""))) == [f"error no-any-return a.py:2 {OF_ANY}"]


def test_where_the_project_does_not_check_types_nothing_blocks(write: Write) -> None:
    lines = [said("a.py", 1, "arg-type"), said("a.py", 1, "import")]
    assert judged(write, Output(1, "\n".join(lines), ""), {"a.py": ""}) == ["warning arg-type a.py:1 bad"]
    blamed = [said("a.py", 1, "call-arg", message=f"x {types.OF_OBJECT}")]
    assert judged(write, Output(1, "\n".join(blamed), ""), FILES) == [f"error call-arg a.py:1 x {types.OF_OBJECT}"]


def test_mypy_that_gave_up_saw_nothing(write: Write) -> None:
    broken = Output(2, f"{said('a.py', 3, 'syntax')}\n{said('b.py', 1, 'misc')}\n", "")
    assert judged(write, broken, FILES) == [
        "unseen a.py: line 3: bad",
        "incomplete: mypy looks at nothing while a file does not parse",
    ]
    with pytest.raises(Failed, match=r"^mypy gave up: one two$"):
        judged(write, Output(2, " one ", "two\n"), FILES)


@pytest.mark.parametrize(
    ("paths", "sources"),
    [
        (["a.py", "a.pyi"], ["a.pyi"]),
        (["a.py", "b.pyi"], ["a.py", "b.pyi"]),
        (["p/__init__.pyi", "p/__init__.py", "p/a.py", "p/q/a.py", "q/a.py"], ["p/__init__.pyi", "p/q/a.py", "q/a.py"]),
        (["setup.py", "a/setup.py", "mysetup.py", "b.py"], ["b.py"]),
        (["__init__.pyi", "a.py", "b/c.py"], ["__init__.pyi", "b/c.py"]),
    ],
)
def test_a_stub_speaks_for_its_module(write: Write, paths: list[str], sources: list[str]) -> None:
    assert types._sources(context_of(write(dict.fromkeys(paths, "")), "types")) == sources


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ({}, []),
        (
            {"mypy.ini": "[mypy]\nstrict = True\nplugins = p.py\nexclude = a|b\n[mypy-x.*]\nignore_errors = 1\n"},
            ["exclude = a|b", "strict = True", "[mypy-x.*]", "ignore_errors = 1"],
        ),
        ({"mypy.ini": "[other]\na = 1\n", "setup.cfg": "[mypy]\nstrict = 1\n"}, ["strict = 1"]),
        ({"mypy.ini": "no section\n", ".mypy.ini": "[mypy]\nstrict = 1\n"}, ["strict = 1"]),
        ({".mypy.ini": "[mypy]\nstrict = 1\n", "setup.cfg": "[mypy]\nstrict = 0\n"}, ["strict = 1"]),
        (
            {
                "pyproject.toml": '[tool.mypy]\nexclude = ["a/", "b"]\ndisable_error_code = ["x", "y"]\nstrict = true\n'
                'python_executable = "./p"\nplatform = "linux\\n[mypy-a]\\nplugins=p"\n'
                '[[tool.mypy.overrides]]\nmodule = ["a", "b"]\nignore_errors = true\nexclude = "c"\n'
                '[[tool.mypy.overrides]]\nmodule = "b"\nfollow_imports = "skip"\n'
            },
            [
                "disable_error_code = x, y",
                "exclude = a/|b",
                "platform = linux [mypy-a] plugins=p",
                "strict = True",
                "[mypy-a]",
                "ignore_errors = True",
                "[mypy-b]",
                "follow_imports = skip",
                "ignore_errors = True",
            ],
        ),
    ],
)
def test_what_is_taken_over_of_the_projects_configuration(
    write: Write, tmp_path: Path, files: dict[str, str], lines: list[str]
) -> None:
    """Strictness only, each option on one line: what mypy would execute is left out."""
    context = context_of(write(files), "types", environment=tmp_path)
    head = ["[mypy]", "no_error_summary = True", "show_column_numbers = True"]
    assert types.configuration(types._options(context), context).splitlines() == head + lines


def test_without_packages_what_speaks_of_them_is_off(write: Write) -> None:
    ini = "[mypy]\nwarn_return_any = True\nstrict = True\n[mypy-a]\nwarn_return_any = True\n"
    context = context_of(write({"mypy.ini": ini}), "types")
    off = [f"{name} = False" for name in sorted(types.ABOUT_PACKAGES)]
    assert types.configuration(types._options(context), context).splitlines()[3:] == [
        "strict = True",
        *off,
        "[mypy-a]",
        *off,
    ]


def test_imports_are_found_without_the_projects_interpreter(write: Write, tmp_path: Path) -> None:
    root = write({})
    (tmp_path / "cache").mkdir()
    assert types._search(context_of(root, "types")) == ["--no-site-packages"]
    assert types._search(context_of(root, "types", environment=tmp_path / "none")) == ["--no-site-packages"]
    packages = tmp_path / "a b" / "lib" / "python3.12" / "site-packages"
    packages.mkdir(parents=True)
    option, answer = types._search(context_of(root, "types", environment=tmp_path / "a b"))
    assert (option, answer) == ("--python-executable", str(tmp_path / "cache" / "python"))
    for argument, expected in (("-c", "(3, 12)"), ("pyinfo.py", repr(([], [str(packages)])))):
        assert subprocess.run([answer, argument], capture_output=True, text=True).stdout == f"{expected}\n"


@pytest.mark.parametrize(
    ("config", "checked"),
    [
        ("", ["app/a.py", "src/lib/c.py", "tests/test_a.py", "tool.py"]),
        ("[tool.mypy]\nstrict = true\n", ["app/a.py", "src/lib/c.py", "tests/test_a.py", "tool.py"]),
        ('[tool.mypy]\nfiles = ["app/", "tool.py"]\n', ["app/a.py", "tool.py"]),
        ('[tool.mypy]\npackages = "lib"\n', ["src/lib/c.py"]),
        ('[tool.mypy]\npackages = ["none"]\n', ["app/a.py", "src/lib/c.py", "tests/test_a.py", "tool.py"]),
        ('[tool.mypy]\nfiles = "ap"\n', ["app/a.py", "src/lib/c.py", "tests/test_a.py", "tool.py"]),
        ('[tool.mypy]\npackages = "src.lib"\nfiles = "./tests"\n', ["src/lib/c.py", "tests/test_a.py"]),
    ],
)
def test_what_is_checked_is_what_the_project_names(write: Write, config: str, checked: list[str]) -> None:
    sources = ["app/a.py", "src/lib/c.py", "tests/test_a.py", "tool.py"]
    root = write({**dict.fromkeys(sources, ""), "pyproject.toml": config})
    played = Played([Output(0, "", "")])
    assert told(types.run(context_of(root, "types", played))) == []
    ((tool, *argv),) = played.asked
    cache = root.parent / "cache"
    assert (tool, argv) == (
        "mypy",
        [
            *("--config-file", str(cache / "mypy.ini"), "--cache-dir", str(cache / "mypy"), "--no-sqlite-cache"),
            *("-O", "json", "--no-site-packages", "--", *checked),
        ],
    )


def test_without_a_source_mypy_is_not_asked(write: Write) -> None:
    assert told(types.run(context_of(write({"setup.py": ""}), "types"))) == []
