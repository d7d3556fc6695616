"""Vulnerable pins: what holds becomes a commit, what breaks the tests leaves nothing behind."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings, load_settings
from omni.pipeline.change.upgrade import Upgrade, plan, rewritten, upgrade
from omni.sandbox import choose
from omni.verify import repository
from omni.verify.analysis.osv import take
from omni.verify.checks.vulnerabilities import snapshot_path

OLD = {"tiny": 1, "rude": 1, "gone": 1}
"""What version 1.0 of each says of itself."""
NEW = {("tiny", "1.0.1"): 1, ("rude", "2.0"): 2}
PINS = b"# pins\r\nTiny == 1.0 ; python_version > '3'\nrude==1.0\ngone==1.0\nsafe==1.0\n"
TESTS = """\
def test_tiny():
    import tiny

    assert tiny.KIND == 1


def test_rude():
    import rude

    assert rude.KIND == 1
"""
RUNNER = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home whose snapshot knows a vulnerability of each package."""
    found = load_settings({"home": str(tmp_path / "home")})
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as into:
        for name, fixed in (("tiny", "1.0.1"), ("rude", "2.0"), ("gone", "")):
            events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
            affected = {
                "package": {"ecosystem": "PyPI", "name": name},
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
            }
            entry = {"id": f"OSV-{name}", "modified": "2026-01-01T00:00:00Z", "affected": [affected]}
            into.writestr(f"{name}.json", json.dumps(entry))
    take([archive], snapshot_path(found.home))
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "tests").mkdir(parents=True)
    (root / "requirements.txt").write_bytes(PINS)
    (root / "tests" / "test_kinds.py").write_text(TESTS)
    for argv in (("init", "-q", "-b", "work"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *argv], cwd=root, check=True)
    return root


def wheels(folder: Path) -> Path:
    folder.mkdir()
    for (name, version), kind in ({(name, "1.0"): kind for name, kind in OLD.items()} | NEW).items():
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}.py", f"KIND = {kind}\n")
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            wheel.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return folder


def environment(folder: Path, links: Path) -> Path:
    """A virtual environment with the old versions, and the test runner that this one has."""
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
    argv = [
        uv,
        "pip",
        "install",
        "-q",
        "--no-index",
        "--find-links",
        str(links),
        "--python",
        str(folder / "bin/python"),
    ]
    subprocess.run([*argv, *(f"{name}==1.0" for name in OLD)], check=True)
    ours, theirs = Path(sysconfig.get_path("purelib")), next(folder.glob("lib/python3*/site-packages"))
    for name in RUNNER:
        for path in (ours / name, *ours.glob(f"{name}-*.dist-info")):
            if path.is_dir():
                shutil.copytree(path, theirs / path.name)
    shutil.copy(ours / "py.py", theirs)
    return folder


def test_the_plan_is_the_lowest_version_without_one_smallest_step_first(project: Path, settings: Settings) -> None:
    assert [(each.name, each.old, each.new, each.because) for each in plan(project, settings)] == [
        ("tiny", "1.0", "1.0.1", ("OSV-tiny",)),
        ("rude", "1.0", "2.0", ("OSV-rude",)),
        ("gone", "1.0", "", ("OSV-gone",)),
    ]


def test_only_the_version_changes() -> None:
    each = Upgrade(name="a-b", old="1.0", new="1.1", files=(), because=())
    text = "A_b[x]==1.0 \\\n  ; python_version > '3'\r\na-b==1.0.1\na-bc==1.0\n"
    assert rewritten(text, each) == text.replace("A_b[x]==1.0 ", "A_b[x]==1.1 ")


def test_without_a_snapshot_nothing_is_said_to_be_safe(project: Path, tmp_path: Path) -> None:
    with pytest.raises(OmniError, match="there is no snapshot"):
        plan(project, load_settings({"home": str(tmp_path / "other")}))


@pytest.mark.host
@pytest.mark.slow
def test_what_holds_is_a_commit_each_and_what_breaks_is_told(
    project: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = wheels(tmp_path / "wheels")
    monkeypatch.setenv("UV_FIND_LINKS", str(links))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    said: list[str] = []
    given = environment(tmp_path / "environment", links)
    done = upgrade(project, given, settings, lambda: choose(settings), said.append)
    tiny, rude, gone = done.upgrades
    assert (tiny.reasons, rude.commit, gone.commit) == ((), "", "")
    assert rude.reasons == (
        "tests/test_kinds.py::test_rude passed before and fails now: AssertionError: assert 2 == 1",
    )
    assert gone.reasons == ("there is no version without a known vulnerability: replace it",)
    assert (done.before, done.after, done.branch) == ("2 passed", "2 passed", "omni/upgrades")
    assert done.left == ("OSV-rude rude 1.0", "OSV-gone gone 1.0")
    made = repository.read(project, repository.commit(project, "omni/upgrades"), ["requirements.txt"])
    assert made["requirements.txt"] == PINS.replace(b"Tiny == 1.0 ", b"Tiny == 1.0.1 ")
    assert repository.commit(project, "omni/upgrades^") == repository.commit(project, "work")
    assert list((settings.home / "upgrades").iterdir()) == []
