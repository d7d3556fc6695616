"""The workspace of a run: a git repository on this machine that only Omni writes.

Each stage that changes it starts from a known commit and ends with one; a stage that is killed and done again
makes the same commit, since author, dates and content are the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from omni.kernel import processes
from omni.kernel.errors import Exit, OmniError, declare

SOURCE = (".py", ".ts", ".tsx", ".js", ".css", ".html", ".sql")
GIT_FAILED = declare("P020", "Git could not do its part", Exit.FAILED, "Look at the message; `omni doctor` checks git.")


class Workspace:
    """`at` dates every commit, so that the same content gives the same commit."""

    def __init__(self, path: Path, at: datetime) -> None:
        self.path = path
        self.at = at

    def git(self, *argv: str, stdin: bytes = b"") -> str:
        """Standard output of a git command, run without any configuration of the machine or the user."""
        stamp = self.at.strftime("%Y-%m-%dT%H:%M:%S+0000")
        done = processes.run(
            ("git", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", *argv),
            cwd=self.path,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": "/nonexistent",
                "LC_ALL": "C",
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": "/dev/null",
                "GIT_AUTHOR_NAME": "Omni",
                "GIT_AUTHOR_EMAIL": "omni@localhost",
                "GIT_AUTHOR_DATE": stamp,
                "GIT_COMMITTER_NAME": "Omni",
                "GIT_COMMITTER_EMAIL": "omni@localhost",
                "GIT_COMMITTER_DATE": stamp,
            },
            timeout=60,
            stdin=stdin,
        )
        if done.exit_code != 0:
            raise OmniError(GIT_FAILED, f"git {argv[0]}: {done.stderr.strip() or done.ended}", where=str(self.path))
        return done.stdout

    def create(self) -> None:
        """An empty repository, whatever was there before."""
        if self.path.exists():
            shutil.rmtree(self.path)
        self.path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def restore(self, commit: str) -> None:
        """Exactly the files of `commit`."""
        self.path.joinpath(".git", "index.lock").unlink(missing_ok=True)  # left by a killed git
        self.git("reset", "-q", "--hard", commit)
        self.git("clean", "-q", "-fdx")

    def lay(self, commit: str) -> None:
        """The files of `commit`, to be committed again on top of what there is."""
        self.git("read-tree", "-u", "--reset", commit)
        self.git("clean", "-q", "-fdx")

    def write(self, files: Mapping[str, tuple[bytes, bool]]) -> None:
        """Write files given as path → (bytes, executable)."""
        for name, (data, executable) in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o755 if executable else 0o644)

    def commit(self, message: str, trailers: Mapping[str, str]) -> str:
        """Commit everything; returns the commit. Without a change, the commit before."""
        self.git("add", "-A")
        if self.head() and not self.git("status", "--porcelain"):
            return self.head()
        lines = "".join(f"{name}: {value}\n" for name, value in trailers.items())
        self.git("commit", "-q", "-m", f"{message}\n\n{lines}")
        return self.head()

    def files(self) -> dict[str, bytes]:
        """Every file that a commit would hold, by path; links are left out."""
        listed = self.git("ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
        paths = {name: self.path / name for name in sorted(set(listed)) if name}
        return {name: path.read_bytes() for name, path in paths.items() if path.is_file() and not path.is_symlink()}

    def changed(self) -> tuple[str, ...]:
        """What a commit would change, by path, sorted; a file that was moved under both names."""
        self.git("add", "-A")
        return tuple(
            sorted(filter(None, self.git("diff", "--cached", "--no-renames", "--name-only", "-z").split("\0")))
        )

    def head(self) -> str:
        """The commit that is checked out; empty in a new repository."""
        reference = self.path / ".git" / "refs" / "heads" / "main"
        return reference.read_text().strip() if reference.exists() else ""


def source_lines(files: Mapping[str, bytes]) -> int:
    """Lines of code in files given as path → bytes."""
    return sum(data.count(b"\n") for path, data in files.items() if path.endswith(SOURCE))
