"""`omni package verify`: whether a package is as it was signed, and by whom."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from omni.cli.main import omni
from omni.delivery.package import DOCUMENTS, PackageContents, assemble, verify_package
from omni.delivery.provenance import key_id
from omni.kernel.errors import OmniError
from omni.kernel.signing import Signer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OMNI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def package(folder: Path, signer: Signer) -> Path:
    app = folder / "app"
    app.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(app)], check=True)
    (app / "a.txt").write_text("a")
    git = ["git", "-C", str(app), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "a"], check=True)
    documents = dict.fromkeys(DOCUMENTS, b"x")
    contents = PackageContents(name="a", version="1", run_id="r", verdict="pass", app=app, documents=documents)
    assemble(folder / "out", contents, signer)
    return folder / "out"


def verify(*argv: str) -> tuple[int, str]:
    done = CliRunner().invoke(omni, ["package", "verify", *argv], standalone_mode=False)
    return done.return_value, done.stdout


def test_a_package_of_this_omni_passes(home: Path, tmp_path: Path) -> None:
    signer = Signer.load(home)
    out = package(tmp_path, signer)
    assert verify(str(out)) == (0, f"intact\n  signed by this Omni: {key_id(signer.public_key_pem)}\n")


def test_a_package_of_another_is_intact_but_its_signer_is_to_be_compared(home: Path, tmp_path: Path) -> None:
    Signer.load(home)
    other = Signer.generate()
    out, name = package(tmp_path, other), key_id(other.public_key_pem)
    assert verify(str(out)) == (3, f"intact\n  signed by another key than this Omni: {name}\n")
    assert verify(str(out), "--signed-by", name)[0] == 0
    assert verify(str(out), "--signed-by", "SHA256:0")[0] == 3


def test_where_there_is_no_key_none_is_made(home: Path, tmp_path: Path) -> None:
    out = package(tmp_path, Signer.generate())
    code, told = verify(str(out), "--json")
    assert (code, json.loads(told)["signer_known"]) == (3, False)
    assert not (home / "keys").exists()


def test_what_was_changed_is_named(home: Path, tmp_path: Path) -> None:
    out = package(tmp_path, Signer.load(home))
    (out / "spec.md").write_text("y")
    assert verify(str(out)) == (1, "TAMPERED\n  spec.md: its content was changed\n")


def test_a_folder_that_is_no_package_is_not_called_tampered(home: Path, tmp_path: Path) -> None:
    out = package(tmp_path, Signer.load(home))
    (out / "manifest.json").unlink()
    assert verify(str(out)) == (1, "TAMPERED\n  manifest.json: missing, or not a manifest\n")
    with pytest.raises(OmniError, match=r"neither manifest.json nor manifest.sig lies there"):
        verify_package(out / "app")
