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

from omni.kernel.database import open_database
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings, load_settings
from omni.models.enabling import Wish, add
from omni.models.script import Record, Rule, Script, serve
from omni.pipeline.change.adapting import Adapter
from omni.pipeline.change.rewriting import rewritten
from omni.pipeline.change.upgrade import plan, upgrade
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
    text = "A_b[x]==1.0 \\\n  ; python_version > '3'\r\na-b==1.0.1\na-bc==1.0\n"
    assert rewritten(text, "a-b", "1.0", "1.1") == text.replace("A_b[x]==1.0 ", "A_b[x]==1.1 ")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_with_its_hashes_and_nothing_of_its_neighbours(end: str) -> None:
    text = end.join((
        "a==1.0 ; python_version > '3' \\",
        "    --hash=sha256:aa \\",
        "    --hash=sha256:ab",
        "    # via b",
        "b==1.0 --hash=sha256:ba",
        "",
    ))  # fmt: skip
    assert rewritten(text, "a", "1.0", "1.1", ("sha256:cc",)) == end.join((
        "a==1.1 ; python_version > '3' \\",
        "    --hash=sha256:cc",
        "    # via b",
        "b==1.0 --hash=sha256:ba",
        "",
    ))  # fmt: skip
    both = rewritten(text, "b", "1.0", "2.0", ("sha256:dd", "sha256:ee"))
    assert both.endswith(f"b==2.0 \\{end}    --hash=sha256:dd \\{end}    --hash=sha256:ee{end}")


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


@pytest.mark.host
@pytest.mark.slow
def test_a_model_adapts_code_that_a_new_version_breaks(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, links = tmp_path / "shop", wheels(tmp_path / "wheels")
    root.mkdir()
    (root / "shop.py").write_text("import rude\n\n\ndef kind():\n    return rude.KIND\n")
    (root / "test_shop.py").write_text("import shop\n\n\ndef test_kind():\n    assert shop.kind() == 1\n")
    (root / "requirements.txt").write_text("rude==1.0\n")
    for argv in (("init", "-q", "-b", "work"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *argv], cwd=root, check=True)
    monkeypatch.setenv("UV_FIND_LINKS", str(links))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    given = environment(tmp_path / "environment", links)
    edit = {"path": "shop.py", "edits": [{"old": "return rude.KIND", "new": "return min(rude.KIND, 1)"}]}
    rules = (
        {"match": {"turn": 1}, "reply": {"tool_calls": [{"name": "edit", "arguments": edit}]}},
        {"match": {"turn": 2}, "reply": {"tool_calls": [{"name": "finish", "arguments": {"summary": "Kinds go on."}}]}},
    )
    record, said = Record(), list[str]()
    with serve(Script(rules=tuple(Rule.model_validate(rule) for rule in rules)), record) as url:
        add(settings, Wish(name="local", base_url=url))
        adapter = Adapter("run", "auto", "50000", settings, open_database(settings), lambda: choose(settings))
        done = upgrade(root, given, settings, lambda: choose(settings), said.append, adapter)
    (rude,) = done.upgrades
    assert (rude.reasons, rude.adapted, done.left) == ((), "local/scripted", ())
    assert "test_kind passed before and fails now: " in str(record.asked[-1].request)
    tip = repository.commit(root, "omni/upgrades")
    assert repository.text_at(root, tip, "requirements.txt") == "rude==2.0\n"
    assert repository.text_at(root, tip, "shop.py").endswith("return min(rude.KIND, 1)\n")
    assert "The code was adapted by local/scripted." in repository.message(root, tip)
