from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.verify import repository

Write = Callable[[Mapping[str, str | bytes]], Path]
Git = Callable[..., str]


def test_a_folder_that_is_no_repository_has_no_listing(root: Path) -> None:
    assert repository.listed_files(root) is None


def test_changed_is_what_has_other_bytes_than_the_commit(write: Write, git: Git) -> None:
    root = write({"same.py": "x\n", "edited.py": "x\n", "touched.py": "x\n"})
    git("add", ".")
    git("commit", "-qm", "one")
    write({"edited.py": "y\n", "touched.py": "x\n", "new.py": "x\n"})
    paths = ["same.py", "edited.py", "touched.py", "new.py"]
    assert repository.changed_since(root, repository.commit(root, "HEAD"), paths) == {"edited.py", "new.py"}


@pytest.mark.parametrize("revision", ["nope", "--output=/tmp/x", "HEAD:a.py", ""])
def test_what_is_no_commit_is_refused(write: Write, git: Git, revision: str) -> None:
    root = write({"a.py": "x\n"})
    git("add", ".")
    git("commit", "-qm", "one")
    with pytest.raises(OmniError, match="No such revision"):
        repository.commit(root, revision)


def test_export_gives_the_commits_bytes_modes_and_links(write: Write, git: Git, tmp_path: Path) -> None:
    root = write(
        {"a.bin": bytes(range(256)), "run": "#!/bin/sh\n", "deep/er/b": "", ".gitattributes": "* text eol=crlf\n"}
    )
    (root / "run").chmod(0o755)
    (root / "link").symlink_to("a.bin")
    git("add", ".")
    git("commit", "-qm", "one")
    write({"a.bin": "changed later"})
    into = tmp_path / "into"
    into.mkdir()
    repository.export(root, repository.commit(root, "HEAD"), into)
    found = {str(path.relative_to(into)) for path in into.rglob("*") if not path.is_dir()}
    assert found == {".gitattributes", "a.bin", "deep/er/b", "link", "run"}
    assert (into / "a.bin").read_bytes() == bytes(range(256))
    assert (into / "run").stat().st_mode & 0o777 == 0o755
    assert (into / "link").readlink() == Path("a.bin")


def test_export_of_a_subfolder_is_relative_to_it(write: Write, git: Git, tmp_path: Path) -> None:
    root = write({"app/a.py": "x\n", "other/b.py": "x\n"})
    git("add", ".")
    git("commit", "-qm", "one")
    repository.export(root / "app", repository.commit(root / "app", "HEAD"), tmp_path / "into")
    assert [path.name for path in (tmp_path / "into").rglob("*")] == ["a.py"]


def test_nothing_that_a_hostile_configuration_names_is_executed(write: Write, git: Git, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    root = write({"a.py": "x\n", ".gitattributes": "*.py filter=evil diff=evil\n"})
    git("add", ".")
    git("commit", "-qm", "one")
    evil = f"touch {mark}; cat"
    for key in ("filter.evil.clean", "filter.evil.smudge", "diff.evil.textconv", "diff.external", "core.fsmonitor"):
        git("config", key, evil)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (hooks / name).chmod(0o755)
    git("config", "core.hooksPath", str(hooks))
    write({"a.py": "y\n"})
    mark.unlink(missing_ok=True)
    head = repository.commit(root, "HEAD")
    assert repository.listed_files(root) == [".gitattributes", "a.py"]
    assert repository.changed_since(root, head, ["a.py"]) == {"a.py"}
    repository.export(root, head, tmp_path / "into")
    assert not mark.exists()


def test_a_work_tree_that_is_pointed_elsewhere_is_not_believed(write: Write, git: Git, tmp_path: Path) -> None:
    root = write({"a.py": "x\n"})
    (tmp_path / "elsewhere").mkdir()
    git("config", "core.worktree", str(tmp_path / "elsewhere"))
    assert repository.listed_files(root) is None


def test_a_tree_that_names_paths_outside_is_not_written_there(root: Path, git: Git, tmp_path: Path) -> None:
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=root, input=b"evil", capture_output=True, check=True
    ).stdout.strip()
    inner = subprocess.run(
        ["git", "hash-object", "-t", "tree", "--literally", "-w", "--stdin"],
        cwd=root,
        input=b"100644 escaped\0" + bytes.fromhex(blob.decode()),
        capture_output=True,
        check=True,
    ).stdout.strip()
    tree = subprocess.run(
        ["git", "hash-object", "-t", "tree", "--literally", "-w", "--stdin"],
        cwd=root,
        input=b"40000 ..\0" + bytes.fromhex(inner.decode()),
        capture_output=True,
        check=True,
    ).stdout.decode()
    commit = git("commit-tree", "-m", "evil", tree.strip())
    (tmp_path / "into").mkdir()
    repository.export(root, commit, tmp_path / "into")
    assert not (tmp_path / "escaped").exists()


def test_the_text_of_a_file_then(write: Write, git: Git) -> None:
    root = write({"a.py": "x\n", "deep/b.py": b"\xff\n"})
    git("add", ".")
    git("commit", "-qm", "one")
    write({"a.py": "y\n"})
    commit = repository.commit(root, "HEAD")
    assert repository.text_at(root, commit, "a.py") == "x\n"
    assert repository.text_at(root, commit, "deep/b.py") == "�\n"
    assert repository.text_at(root, commit, "c.py") == ""


def test_when_a_line_was_written(write: Write, git: Git) -> None:
    root = write({"a.py": "one\n  two\n"})
    git("add", ".")
    git("commit", "-qm", "one")
    written = repository.written(root, "a.py", 2, "two")
    assert written is not None
    assert written.timestamp() == int(git("log", "-1", "--format=%ct"))
    assert repository.written(root, "a.py", 2, "three") is None
    assert repository.written(root, "b.py", 1, "two") is None


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (b"100644 blob abc\ta b.py\x00120000 blob def\tl\0", {"a b.py": ("100644", "abc"), "l": ("120000", "def")}),
        (b"", {}),
        (None, {}),
    ],
)
def test_what_git_lists(
    monkeypatch: pytest.MonkeyPatch, listed: bytes | None, expected: dict[str, tuple[str, str]]
) -> None:
    monkeypatch.setattr(repository, "_git", lambda *_given, **_options: listed)
    assert repository.blobs(Path("/x"), "a") == expected


@pytest.mark.parametrize("said", [b"100644 blob a", b"a b c d\tx", b"\xff \xff \xff\tx"])
def test_a_listing_that_can_not_be_read(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr(repository, "_git", lambda *_given, **_options: said)
    with pytest.raises(OmniError, match="can't be read"):
        repository.blobs(Path("/x"), "a")


@pytest.mark.parametrize("said", [None, b"", b"a blob x\n", b"a\n"])
def test_contents_that_can_not_be_read(monkeypatch: pytest.MonkeyPatch, said: bytes | None) -> None:
    monkeypatch.setattr(repository, "_git", lambda *_given, **_options: said)
    with pytest.raises(OmniError, match="read"):
        list(repository._contents(Path("/x"), ["a"]))


def test_contents_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "_git", lambda *_given, **_options: b"a blob 3\nx\ny\nb blob 0\n\nc blob 1\nz\n")
    assert list(repository._contents(Path("/x"), ["a", "b", "c"])) == [b"x\ny", b"", b"z"]


def test_names_with_tabs_and_ids_of_both_kinds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(repository, "_git", lambda *_given, **_options: b"100644 blob abc\ta\tb.py\0")
    assert repository.blobs(Path("/x"), "a") == {"a\tb.py": ("100644", "abc")}
    (tmp_path / "a").write_bytes(b"x\n")
    assert repository._blob_id(tmp_path / "a", "0" * 40) == "587be6b4c3f93f93c489c0111bba5596147a26cb"
    assert len(repository._blob_id(tmp_path / "a", "0" * 64)) == 64
    assert repository._blob_id(tmp_path / "gone", "0" * 40) == ""


def test_without_git_there_is_no_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert repository._git(tmp_path, "status") is None
    assert not repository.is_repository(tmp_path)


@pytest.mark.parametrize("top", [None, b"/x\0y\n", b"/elsewhere\n"])
def test_a_work_tree_that_is_not_this_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, top: bytes | None) -> None:
    monkeypatch.setattr(repository, "_git", lambda *_given, **_options: top)
    assert repository.is_repository(tmp_path) is False


def test_several_files_of_a_commit(write: Write, git: Git) -> None:
    root = write({"a.py": "x\n", "b.py": b"\xff"})
    git("add", ".")
    git("commit", "-qm", "one")
    commit = repository.commit(root, "HEAD")
    assert repository.read(root, commit, ["b.py", "gone.py", "a.py"]) == {"b.py": b"\xff", "a.py": b"x\n"}
    assert not repository.has_unfetched_parent(root, commit)


def committed(write: Write, git: Git, files: Mapping[str, str | bytes], message: str = "one") -> tuple[Path, str]:
    root = write(files)
    git("add", "-A")
    git("commit", "-q", "-m", message)
    return root, git("rev-parse", "HEAD")


def test_the_work_tree_that_a_folder_lies_in(write: Write, git: Git, tmp_path: Path) -> None:
    root, _ = committed(write, git, {"deep/a.py": "x\n"})
    assert repository.top(root / "deep") == root.resolve()
    with pytest.raises(OmniError, match="this is not a git repository") as refused:
        repository.top(tmp_path)
    assert refused.value.fix == "Type: git init, and commit."


def test_a_linked_work_tree_shares_the_objects(write: Write, git: Git, tmp_path: Path) -> None:
    root, _ = committed(write, git, {"a.py": "x\n"})
    git("worktree", "add", "-q", str(tmp_path / "linked"))
    own = (root / ".git" / "objects").resolve()
    assert (repository.objects(root), repository.objects(tmp_path / "linked")) == (own, own)
    with pytest.raises(OmniError, match="can't be read"):
        repository.objects(tmp_path)


def test_commits_are_received_as_a_new_branch_and_nothing_else_changes(write: Write, git: Git, tmp_path: Path) -> None:
    root, first = committed(write, git, {"a.py": "x\n"})
    there = tmp_path / "there"
    subprocess.run(["git", "clone", "-q", str(root), str(there)], check=True)
    who = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "two"], cwd=there, check=True)
    second = subprocess.run(["git", "rev-parse", "HEAD"], cwd=there, check=True, capture_output=True, text=True).stdout
    second = second.strip()
    pack = subprocess.run(
        ["git", "pack-objects", "--stdout", "--revs", "-q"],
        cwd=there,
        input=f"{second}\n^{first}\n".encode(),
        check=True,
        capture_output=True,
    ).stdout
    repository.receive(root, pack, "omni/two", second)
    repository.receive(root, b"not looked at", "omni/two", second)
    assert repository.branches(root) == {"main", "omni/two"}
    assert (git("rev-parse", "omni/two"), git("rev-parse", "HEAD"), git("status", "--short")) == (second, first, "")
    with pytest.raises(OmniError, match="git could not make the branch main"):
        repository.receive(root, pack, "main", second)
    with pytest.raises(OmniError, match="git could not take the new commits"):
        repository.receive(root, b"no pack", "omni/three", second)


def test_each_line_comes_from_a_commit(write: Write, git: Git) -> None:
    root, first = committed(write, git, {"a.py": b"one\r\ntw\xff\n"})
    _, second = committed(write, git, {"a.py": b"one\r\ntw\xff\n\n\tthree\n"}, "two\n\nwhy\n")
    assert repository.blame(root, second, "a.py") == (
        (first, "one"),
        (first, "tw\ufffd"),
        (second, ""),
        (second, "\tthree"),
    )
    assert repository.blame(root, first, "a.py") == ((first, "one"), (first, "tw\ufffd"))
    assert repository.blame(root, first, "gone.py") == ()
    assert (repository.message(root, second), repository.message(root, "0" * 40)) == ("two\n\nwhy\n", "")


def test_a_shallow_clone_has_an_unfetched_parent(write: Write, git: Git, tmp_path: Path) -> None:
    root, _ = committed(write, git, {"a.py": "x\n"})
    _, second = committed(write, git, {"a.py": "y\n"}, "two\n\nparent of all\n")
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{root}", str(tmp_path / "there")], check=True)
    assert repository.has_unfetched_parent(tmp_path / "there", second)
    assert not repository.has_unfetched_parent(root, second)


def test_tracked_and_new_files_are_listed_by_their_names(write: Write, git: Git) -> None:
    root, _ = committed(write, git, {".gitignore": "*.log\n", "ä b.py": "x\n"})
    write({"new.py": "", "a.log": ""})
    assert sorted(repository.listed_files(root) or []) == [".gitignore", "new.py", "ä b.py"]


def test_a_link_or_a_module_of_another_repository_is_no_file_to_read(write: Write, git: Git, tmp_path: Path) -> None:
    root, first = committed(write, git, {"a.py": "x\n", "run": "y\n"})
    (root / "link").symlink_to("a.py")
    (root / "run").chmod(0o755)
    git("update-index", "--add", "--cacheinfo", f"160000,{first},module")
    git("add", "link", "run")
    git("commit", "-qm", "two")
    head = repository.commit(root, "HEAD")
    assert repository.read(root, head, ["link", "run", "module", "a.py"]) == {"run": b"y\n", "a.py": b"x\n"}
    repository.export(root, head, tmp_path / "into")
    found = {path.name: path.lstat().st_mode & 0o777 for path in (tmp_path / "into").iterdir()}
    assert found == {"a.py": 0o644, "run": 0o755, "link": 0o777}


@pytest.mark.parametrize(
    ("path", "inside"),
    [("a/b", True), ("a..b/.github", True), ("../a", False), ("/a", False), ("a/.GIT/config", False), ("a/..", False)],
)
def test_what_git_would_refuse_to_write_is_not_written(path: str, inside: bool) -> None:
    assert repository._inside(path) is inside
