from __future__ import annotations

import base64
import os
import random
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.delivery.package import DOCUMENTS, PackageContents, assemble, refuse_foreign, verify_package
from omni.kernel import files
from omni.kernel.errors import OmniError
from omni.kernel.files import file_digest, tree_digest, write_atomic
from omni.kernel.signing import Signer

_SIGNER = Signer.generate()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small git repository with a program, a link, and things that a package must not carry."""
    root = tmp_path_factory.mktemp("workspace") / "app"
    write_atomic(root / "src/todo/__init__.py", b'"""Todo."""\n')
    write_atomic(root / "run", b"#!/bin/sh\n", mode=0o700)
    (root / "start").symlink_to("run")
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-C", str(root)]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "First"]):
        subprocess.run([*git, *arguments], check=True)
    write_atomic(root / ".git/hooks/post-checkout", b"#!/bin/sh\necho owned\n", mode=0o755)
    subprocess.run([*git, "config", "core.fsmonitor", "echo owned"], check=True)
    return root


def _contents(app: Path, run_id: str = "r1", spec: bytes = b"# Todo\n") -> PackageContents:
    documents = {name: name.encode() for name in DOCUMENTS} | {"spec.md": spec}
    return PackageContents(name="todo", version="0.1.0", run_id=run_id, verdict="pass", app=app, documents=documents)


@pytest.fixture(scope="module")
def pristine(app: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("delivered") / "out"
    assemble(out, _contents(app), _SIGNER)
    return out


@pytest.fixture
def package(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "out", symlinks=True))


def test_it_holds_what_it_promises_and_verifies(pristine: Path) -> None:
    assert sorted(path.name for path in pristine.iterdir()) == sorted(
        ["app", "manifest.json", "manifest.sig", "todo-0.1.0.tar.gz", "todo-0.1.0.tar.gz.sig", *DOCUMENTS]
    )
    assert list(pristine.parent.iterdir()) == [pristine]
    verdict = verify_package(pristine, _SIGNER.public_key_pem)
    assert (verdict.ok, verdict.problems, verdict.run_id) == (True, (), "r1")
    assert verify_package(pristine).signed_by == verdict.signed_by


def test_the_app_is_its_repository_without_what_acts_by_itself(pristine: Path) -> None:
    app = pristine / "app"
    status = subprocess.run(["git", "-C", app, "status", "--short"], check=True, capture_output=True, text=True)
    assert (status.stdout, status.stderr) == ("", "")
    assert subprocess.run(["git", "-C", app, "fsck", "--strict"], check=True, capture_output=True).stdout == b""
    assert not (app / ".git/hooks").exists()
    assert "owned" not in (app / ".git/config").read_text()
    assert stat.S_IMODE((app / "run").stat().st_mode) == 0o755
    assert (app / "start").readlink() == Path("run")
    assert verify_package(pristine).ok  # git has looked at it, and changed nothing


def test_the_archive_is_the_package_and_the_same_every_time(pristine: Path, app: Path, tmp_path: Path) -> None:
    assemble(tmp_path / "again", _contents(app), _SIGNER)
    name = "todo-0.1.0.tar.gz"
    assert file_digest(tmp_path / "again" / name) == file_digest(pristine / name)
    with tarfile.open(pristine / name) as tar:
        assert {(member.uid, member.uname, member.mtime) for member in tar} == {(0, "", 315532800)}
    subprocess.run(["tar", "-xzpf", pristine / name, "-C", tmp_path], check=True)
    unpacked = tmp_path / "todo-0.1.0"
    for file in (name, f"{name}.sig"):
        shutil.copy(pristine / file, unpacked)
    assert tree_digest(unpacked) == tree_digest(pristine)
    assert verify_package(unpacked).ok


def test_every_flipped_byte_is_found(package: Path) -> None:
    paths = [path for path in sorted(package.rglob("*")) if path.is_file() and not path.is_symlink()]
    rng = random.Random(7)
    # Every file once, then anywhere.
    targets = [(path, rng.randrange(path.stat().st_size)) for path in paths if path.stat().st_size]
    while len(targets) < 250:
        path = rng.choice(paths)
        targets.append((path, rng.randrange(max(path.stat().st_size, 1))))
    for path, position in targets:
        content = path.read_bytes()
        if not content:
            continue
        changed = bytearray(content)
        changed[position] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        assert not verify_package(package).ok, (path, position)
        path.write_bytes(content)
    assert verify_package(package).ok


def test_every_byte_of_the_signatures_counts(package: Path) -> None:
    for path in (package / "manifest.sig", package / "todo-0.1.0.tar.gz.sig"):
        content = path.read_bytes()
        for position in range(len(content)):
            for flip in (0x01, 0x20):
                changed = bytearray(content)
                changed[position] ^= flip
                path.write_bytes(changed)
                assert not verify_package(package).ok, (path, position)
        path.write_bytes(content)


def _swap(one: Path, other: Path) -> None:
    files.exchange(one, other)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda p: (p / "spec.md").unlink(), "spec.md: missing"),
        (lambda p: (p / "app/.git/HEAD").unlink(), "app/.git/HEAD: missing"),
        (lambda p: (p / "todo-0.1.0.tar.gz").unlink(), "todo-0.1.0.tar.gz: missing"),
        (lambda p: (p / "manifest.sig").unlink(), "manifest.json: its signature does not fit"),
        (lambda p: (p / "manifest.json").unlink(), "manifest.json: missing, or not a manifest"),
        (lambda p: (p / "app/new.py").write_bytes(b""), "app/new.py: added"),
        (lambda p: (p / "app/.git/hooks").mkdir(), "app/.git/hooks: added"),
        (lambda p: (p / "app/run").rename(p / "app/walk"), "app/run: missing"),
        (lambda p: (p / "app/run").chmod(0o644), "app/run: its mode was changed from 755 to 644"),
        (lambda p: (p / "app/src").chmod(0o700), "app/src: its mode was changed from 755 to 700"),
        (lambda p: (p / "app/run").chmod(0o4755), "app/run: its mode was changed from 755 to 4755"),
        (lambda p: (p / "manifest.json").chmod(0o666), "manifest.json: its mode was changed"),
        (lambda p: _swap(p / "spec.md", p / "spec.json"), "spec.json: its content was changed"),
        (lambda p: os.mkfifo(p / "app/pipe"), "app/pipe: added"),
        (
            lambda p: ((p / "app/start").unlink(), (p / "app/start").symlink_to("/bin/sh")),
            "app/start: its content was changed",
        ),
        (
            lambda p: ((p / "spec.md").rename(p.parent / "s"), (p / "spec.md").symlink_to(p.parent / "s")),
            "spec.md: its content was changed",
        ),
    ],
)
def test_any_other_change_is_found(package: Path, change: Callable[[Path], object], problem: str) -> None:
    change(package)
    verdict = verify_package(package)
    assert not verdict.ok
    assert problem in verdict.problems


def test_an_archive_of_another_package_is_found(package: Path, app: Path, tmp_path: Path) -> None:
    assemble(tmp_path / "other", _contents(app, spec=b"# Other\n"), _SIGNER)
    for name in ("todo-0.1.0.tar.gz", "todo-0.1.0.tar.gz.sig"):
        shutil.copy(tmp_path / "other" / name, package / name)
    assert verify_package(package).problems == ("todo-0.1.0.tar.gz: it is the archive of another package",)


@pytest.mark.parametrize("cut", [0, 30])
def test_a_damaged_archive_is_found_whoever_signed_it(package: Path, cut: int) -> None:
    archive = package / "todo-0.1.0.tar.gz"
    archive.write_bytes(archive.read_bytes()[:cut])
    signature = base64.b64encode(_SIGNER.sign(file_digest(archive).encode())) + b"\n"
    archive.with_name(f"{archive.name}.sig").write_bytes(signature)
    assert verify_package(package).problems == ("todo-0.1.0.tar.gz: it is the archive of another package",)


def test_a_package_signed_anew_by_somebody_else_is_found_by_the_trusted_key(app: Path, tmp_path: Path) -> None:
    assemble(tmp_path / "out", _contents(app), Signer.generate())
    assert verify_package(tmp_path / "out").ok
    assert (
        "manifest.json: its signature does not fit" in verify_package(tmp_path / "out", _SIGNER.public_key_pem).problems
    )


def test_an_older_package_is_replaced_when_the_new_one_is_whole(
    package: Path, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree_digest(package)
    with monkeypatch.context() as patched:
        patched.setattr("omni.delivery.package._pack", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(OSError, match="No space"):
            assemble(package, _contents(app, "r2", b"# New\n"), _SIGNER)
    assert tree_digest(package) == before
    assemble(package, _contents(app, "r2", b"# New\n"), _SIGNER)
    assert (package / "spec.md").read_bytes() == b"# New\n"
    assert verify_package(package).ok
    assert list(package.parent.iterdir()) == [package]


def test_a_folder_of_somebody_else_is_left_alone(app: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("years of work")
    with pytest.raises(OmniError, match="no Omni package"):
        assemble(tmp_path / "out", _contents(app), _SIGNER)
    with pytest.raises(OmniError, match="it is a file"):
        assemble(tmp_path / "out/thesis.tex", _contents(app), _SIGNER)
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "thesis.tex"]


def test_a_place_that_can_not_be_written_is_refused_before_anything_is_made(app: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file" / "out", Path("/proc/omni/out")):
        with pytest.raises(OmniError, match="can't be made") as caught:
            refuse_foreign(out)
        assert caught.value.where == str(out)


def test_an_empty_folder_is_filled(app: Path, tmp_path: Path) -> None:
    assemble(tmp_path, _contents(app), _SIGNER)
    assert verify_package(tmp_path).ok


def _detach(root: Path) -> None:
    """A work tree whose repository is elsewhere."""
    shutil.rmtree(root / ".git")
    write_atomic(root / ".git", b"gitdir: /elsewhere\n")


@pytest.mark.parametrize(
    ("plant", "why"),
    [
        (lambda root: (root / "secret").symlink_to("/etc/shadow"), "it is a link to /etc/shadow"),
        (lambda root: (root / "up").symlink_to("../.."), "it is a link to ../.."),
        (lambda root: os.mkfifo(root / "pipe"), "neither a file nor a folder"),
        (lambda root: write_atomic(root / ".git/objects/info/alternates", b"/x\n"), "does not stand alone"),
        (_detach, "does not stand alone"),
        (lambda root: write_atomic(root / "sub/.GIT/config", b"[core]\nfsmonitor = id\n"), "does not stand alone"),
        (lambda root: write_atomic(root / "a\nb", b""), "characters that can't be printed"),
    ],
)
def test_an_app_with_something_dangerous_is_refused(
    app: Path, tmp_path: Path, plant: Callable[[Path], object], why: str
) -> None:
    planted = Path(shutil.copytree(app, tmp_path / "app", symlinks=True))
    plant(planted)
    with pytest.raises(OmniError, match=why):
        assemble(tmp_path / "out", _contents(planted), _SIGNER)
    assert [path.name for path in tmp_path.iterdir()] == ["app"]


def test_documents_must_be_all_there(app: Path, tmp_path: Path) -> None:
    contents = _contents(app).model_copy(update={"documents": {"spec.md": b""}})
    with pytest.raises(ValueError, match="exactly these documents"):
        assemble(tmp_path / "out", contents, _SIGNER)
