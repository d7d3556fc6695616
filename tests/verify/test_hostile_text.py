"""Files of a stranger that a parser of Python itself can't read: too deep, too many digits, bytes that are no text."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.verify import quarantine, repository, toollock
from omni.verify.analysis import manifests
from omni.verify.analysis.junit import BadReportError, read_coverage, read_junit
from omni.verify.checks import syntax
from omni.verify.config import FILE, load_config

DEEP = "[" * 100_000
DIGITS = "9" * 5000


@pytest.mark.parametrize("text", [f"a = {DEEP}", f"a = {DIGITS}", "a = " + "{b = " * 5000])
def test_omni_toml(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(OmniError, match="can't be used"):
        load_config(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("setup.py", "a\0"),
        ("setup.py", "(" * 3000),
        ("setup.py", "-" * 100_000 + "1"),
        ("pyproject.toml", f"a = {DEEP}"),
    ],
)
def test_manifests(name: str, text: str) -> None:
    with pytest.raises(manifests.BadManifestError):
        manifests.python_dependencies(name, text)


@pytest.mark.parametrize("text", [DEEP, DIGITS])
def test_package_json(text: str) -> None:
    with pytest.raises(manifests.BadManifestError):
        manifests.npm_dependencies("package.json", text)


@pytest.mark.parametrize("data", [DEEP.encode(), b"[]", b'{"totals": 1}', DIGITS.encode()])
def test_coverage(data: bytes) -> None:
    with pytest.raises(BadReportError):
        read_coverage(data)


@pytest.mark.parametrize("said", [b"100644 blob a", b"a b c d\tx", b"\xff \xff \xff\tx"])
def test_git(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "_git", lambda *_args, **_options: said)
    with pytest.raises(OmniError, match="can't be read"):
        repository.blobs(Path("/x"), "a")


@pytest.mark.parametrize("said", [b"", b"a blob x\n", b"a\n"])
def test_git_about_contents(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_root: Path, command: str, *_argv: str, **_options: bytes) -> bytes:
        return b"100644 blob " + b"a" * 40 + b"\tx\0" if command == "ls-tree" else said

    monkeypatch.setattr(repository, "_git", answer)
    with pytest.raises(OmniError, match="can't be read"):
        repository.text_at(Path("/x"), "a", "x")


def test_git_about_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "_git", lambda *_args, **_options: b"/x\0y")
    assert not repository.is_repository(Path("/x"))


@pytest.mark.parametrize("text", [f"a = {DEEP}", f"a = {DIGITS}", "test = 3", "test = [3]"])
def test_quarantine(text: str) -> None:
    with pytest.raises(OmniError):
        quarantine.load(text)


@pytest.mark.parametrize("text", [f"a = {DEEP}", f"a = {DIGITS}", "a = 3"])
def test_lock_of_tools(tmp_path: Path, text: str) -> None:
    (tmp_path / toollock.FILE).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / toollock.FILE).write_text(text)
    with pytest.raises(OmniError):
        toollock.read(tmp_path)


@pytest.mark.parametrize("name", ["f", "utf-16", "idna", "rot13", "utf-7", "punycode", "", "undefined"])
def test_the_encoding_that_a_report_names(name: str) -> None:
    report = f'<?xml version="1.0" encoding="{name}"?><testsuite><testcase name="é"/></testsuite>'.encode()
    with pytest.raises(BadReportError, match="it is not XML"):
        read_junit(report)
    assert syntax._xml(report.decode()) is not None
