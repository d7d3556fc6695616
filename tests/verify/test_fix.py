"""`--fix --commit`: one commit with what was mended and nothing else, and no program of the repository's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.verify.fix import commit_mended, require_clean

Write = Callable[[Mapping[str, str | bytes]], Path]
Git = Callable[..., str]


@pytest.fixture
def root(write: Write, git: Git, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(root.parent))
    (root.parent / ".gitconfig").write_text("[user]\nname = T\nemail = t@example.org\n")
    write({"a.py": "x=1\n", "b.py": "y = 2\n", "run.sh": "echo\n"})
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("a.py")
    git("add", "-A")
    git("commit", "-qm", "one")
    return root


def test_what_was_mended_is_one_commit_that_can_be_taken_back(root: Path, write: Write, git: Git) -> None:
    require_clean(root)
    write({"a.py": "x = 1\n", "run.sh": "echo ok\n", ".omni/quarantine.toml": "", "note.txt": "mine\n"})
    made = commit_mended(root)
    assert made
    assert made.files == ("a.py", "run.sh", ".omni/quarantine.toml")
    assert "-x=1\n+x = 1" in made.diff
    assert git("status", "--porcelain") == "?? note.txt"
    assert git("ls-files", "-s", "run.sh").startswith("100755")
    assert commit_mended(root) is None
    git("revert", "--no-edit", made.id)
    assert (root / "a.py").read_text() == "x=1\n"


@pytest.mark.parametrize("staged", [False, True])
def test_other_changes_are_never_swept_in(root: Path, write: Write, git: Git, staged: bool) -> None:
    write({"b.py": "y = 3\n"})
    if staged:
        git("add", "b.py")
        write({"b.py": "y = 2\n"})
    with pytest.raises(OmniError, match=r"b\.py") as caught:
        require_clean(root)
    assert caught.value.kind.code == "V063"


def test_nothing_of_the_repository_is_executed(root: Path, write: Write, git: Git) -> None:
    write({".gitattributes": "* filter=evil diff=evil\n"})
    git("add", "-A")
    git("commit", "-qm", "two")
    mark = root.parent / "executed"
    for name in ("pre-commit", "commit-msg", "post-commit", "prepare-commit-msg"):
        hook = root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
        hook.chmod(0o755)
    for key in ("filter.evil.clean", "filter.evil.process", "diff.evil.command", "diff.evil.textconv", "gpg.program"):
        git("config", key, f"touch {mark};")
    git("config", "commit.gpgsign", "true")
    write({"a.py": "x = 1\n"})
    assert commit_mended(root)
    assert not mark.exists()
