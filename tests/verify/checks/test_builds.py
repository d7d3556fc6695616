"""Builds of a few lines that really run in the sandbox."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

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
