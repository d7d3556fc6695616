"""Builds of a few lines that really run in the sandbox."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.verify.deep.play import Step
from omni.verify.report import CheckResult, Status
from omni.verify.tools import FOLDER

Look = Callable[..., CheckResult]

ENVIRONMENT = Path(sys.prefix)
CONFIG = '[verify]\ntiers = [3]\n\n[verify.build]\ncommand = ["python", "make.py"]\noutputs = ["dist/*"]\n'
SORTED = """\
import pathlib
import zipfile

pathlib.Path("dist").mkdir()
with zipfile.ZipFile("dist/app.zip", "w") as archive:
    for path in sorted(pathlib.Path("app").iterdir()):
        archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes())
"""
WRITES = "archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes())"
HERE = '    archive.writestr(zipfile.ZipInfo("place"), __import__("os").getcwd())\n'
FAULTS = {
    "times": (SORTED.replace(WRITES, "archive.write(path, path.name)"), "a.py (time, mode)"),
    "order": (SORTED.replace("sorted(", "("), "the order of its members"),
    "place": (SORTED + HERE, "place (content, size)"),
}


def app(make: str) -> dict[str, str]:
    return {"omni.toml": CONFIG, "make.py": make, "app/a.py": "A = 1\n", "app/b.py": "B = 1\n"}


@pytest.mark.host
@pytest.mark.slow
def test_the_same_twice(look: Look) -> None:
    for check in ("clean-build", "reproducible-build"):
        result = look(check, app(SORTED), environment=ENVIRONMENT)
        assert (check, result.status, result.reason, result.findings) == (check, Status.PASS, "", ())


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_not_the_same(look: Look, fault: str) -> None:
    make, what = FAULTS[fault]
    (finding,) = look("reproducible-build", app(make), environment=ENVIRONMENT).findings
    assert (finding.rule, finding.path, finding.line) == ("differs", "omni.toml", 4)
    assert what in finding.message


@pytest.mark.host
@pytest.mark.slow
def test_what_no_commit_has(look: Look, root: Path, git: Callable[..., str]) -> None:
    """It builds here, with a file that git does not know."""
    (root / ".gitignore").write_text("secret.txt\n")
    (root / "secret.txt").write_text("x")
    make = 'open("secret.txt")\n' + SORTED
    (finding,) = look("clean-build", app(make), environment=ENVIRONMENT).findings
    assert (finding.rule, finding.path, finding.line) == ("fails", "omni.toml", 4)
    assert "No such file or directory: 'secret.txt'" in finding.message


@pytest.mark.host
@pytest.mark.slow
def test_nothing_made(look: Look) -> None:
    (finding,) = look("clean-build", app("pass\n"), environment=ENVIRONMENT).findings
    assert finding.rule == "no-output"
    result = look("reproducible-build", app("pass\n"), environment=ENVIRONMENT)
    assert (result.status, result.reason) == (Status.INCOMPLETE, "the build made nothing that could be compared")


@pytest.mark.parametrize("line", ["requests", "-e .", "--index-url https://x.example", "requests==2.0"])
def test_a_lock_that_locks_nothing(look: Look, line: str) -> None:
    files = app(SORTED) | {"omni.toml": CONFIG + 'lock = "lock.txt"\n', "lock.txt": f"{line}\n"}
    result = look("clean-build", files)
    assert result.status is Status.INCOMPLETE
    assert "is no version with its hash" in result.reason


def test_nothing_declared(look: Look) -> None:
    for check in ("clean-build", "reproducible-build"):
        assert look(check, {"a.py": "A = 1\n"}).reason == "omni.toml declares no [verify.build]"


def locked(*names: str) -> str:
    """Entries of a lock that Omni has itself."""
    text = FOLDER.joinpath("contract.lock").read_text("utf-8")
    return "".join(re.findall(rf"^(?:{'|'.join(names)})==[^\n]*\\\n(?:    --hash[^\n]*\n)+", text, re.MULTILINE))


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "expected"), [(("iniconfig", "packaging"), []), (("iniconfig",), ["error fails omni.toml:4"])]
)
def test_only_what_is_locked_is_there(
    found: Callable[..., list[str]], names: tuple[str, ...], expected: list[str]
) -> None:
    make = "import iniconfig\nimport packaging\n" + SORTED
    files = app(make) | {"omni.toml": CONFIG + 'lock = "build.lock"\n', "build.lock": locked(*names)}
    assert found("clean-build", files) == expected


Stage = Callable[..., list[object]]


def built(stage: Stage, *rooms: dict[str, str] | None) -> list[object]:
    """As if the build had made these files in the first room, and those in the second; None: it fails."""
    left = iter(rooms)

    def does(step: Step, work: Path) -> tuple[int, str]:
        files = next(left)
        for name, text in (files or {}).items():
            path = work / "omni-deep" / step.name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return (4, "one\ntwo\nno compiler\n") if files is None else (0, "")

    return stage("deep.building", does)


@pytest.mark.parametrize(
    ("left", "rule", "message"),
    [
        (None, "fails", "`python make.py` failed with exit code 4: one / two / no compiler"),
        ({}, "no-output", "nothing that it made is under dist/*, lib/*"),
    ],
)
def test_a_build_that_fails_or_makes_nothing(
    look: Look, stage: Stage, left: dict[str, str] | None, rule: str, message: str
) -> None:
    asked = built(stage, left)
    result = look("clean-build", app("pass\n") | {"omni.toml": CONFIG.replace('"dist/*"', '"dist/*", "lib/*"')})
    assert [(each.severity, each.rule, each.path, each.line, each.message) for each in result.findings] == [
        ("error", rule, "omni.toml", 4, message)
    ]
    assert (result.status, result.reason, len(asked)) == (Status.FAIL, "", 1)


def test_what_two_builds_make(look: Look, stage: Stage) -> None:
    asked = built(stage, {"a": "1", "b": "same", "c": "x", "d/e": "12"}, {"a": "1", "b": "same", "d/e": "13", "f": ""})
    result = look("reproducible-build", app("pass\n"))
    assert [(each.severity, each.rule, each.path, each.line, each.message) for each in result.findings] == [
        ("error", "differs", "omni.toml", 4, "c was made by one of two builds only"),
        ("error", "differs", "omni.toml", 4, "f was made by one of two builds only"),
        ("error", "differs", "omni.toml", 4, "two builds of d/e differ in the content, from byte 1 on"),
    ]
    assert (result.status, result.reason, len(asked)) == (Status.FAIL, "", 2)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ({"a": "1"}, None, "the second build failed, so there is nothing to compare: one / two / no compiler"),
        (None, {"a": "1"}, "the first build failed, so there is nothing to compare: one / two / no compiler"),
        ({}, {}, "the build made nothing that could be compared"),
    ],
)
def test_nothing_to_compare(
    look: Look, stage: Stage, first: dict[str, str] | None, second: dict[str, str] | None, reason: str
) -> None:
    built(stage, first, second)
    result = look("reproducible-build", app("pass\n"))
    assert (result.status, result.reason, result.findings) == (Status.INCOMPLETE, reason, ())


def test_one_that_need_not_be_the_same_twice(look: Look, stage: Stage) -> None:
    asked = built(stage, {"a": "1"})
    files = app("pass\n") | {"omni.toml": CONFIG + "reproducible = false\n"}
    result = look("reproducible-build", files)
    assert (result.status, result.reason, asked) == (Status.SKIPPED, "omni.toml says reproducible = false", [])
    result = look("clean-build", files)
    assert (result.status, result.reason, result.findings) == (Status.PASS, "", ())
