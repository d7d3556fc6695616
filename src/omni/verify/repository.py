"""Reading a git repository that may be hostile.

Nothing that the repository's own configuration names is executed: no hooks, no file-system monitor, no filters, no
text conversion, no fetch of missing objects. That is why nothing here asks git to compare the work tree with a
commit (which would run clean filters) or to write one (smudge filters): Omni hashes and writes the files itself.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from omni.kernel.errors import Exit, OmniError, declare
from omni.verify.git import ANYBODYS, ENVIRONMENT, LISTING, SAFE

NO_REVISION = declare("V003", "No such revision", Exit.USAGE, "Name a commit, branch or tag that exists.")

SECONDS = 60


def _git(root: Path, *argv: str, stdin: bytes = b"") -> bytes | None:
    """What git prints; None when it fails or is not installed."""
    command = ["git", *SAFE, *ANYBODYS, "-C", str(root), *argv]
    environment = ENVIRONMENT | {"PATH": os.environ.get("PATH", os.defpath)}
    try:
        done = subprocess.run(command, env=environment, input=stdin, capture_output=True, timeout=SECONDS, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def is_repository(root: Path) -> bool:
    """Whether `root` lies in a work tree of git (whose `core.worktree` has not been pointed elsewhere)."""
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None or b"\0" in top:
        return False
    return root.resolve().is_relative_to(Path(os.fsdecode(top.rstrip(b"\n"))).resolve())


def top(root: Path) -> Path:
    """The work tree that `root` lies in. Raises `V003` when it lies in none."""
    said = _git(root, "rev-parse", "--show-toplevel") if is_repository(root) else None
    if said is None:
        raise OmniError(NO_REVISION, "this is not a git repository", where=str(root), fix="Type: git init, and commit.")
    return Path(os.fsdecode(said.rstrip(b"\n")))


def objects(root: Path) -> Path:
    """The folder of its objects, absolute; a linked work tree shares that of its repository. Raises `V003`."""
    said = _git(root, "rev-parse", "--git-path", "objects")
    if said is None:
        raise _not_understood(root)
    return (root / os.fsdecode(said.rstrip(b"\n"))).resolve()


def state_files(root: Path) -> Iterator[Path]:
    """What changes when a commit, a branch, a tag or the configuration does; folders and files, some may be missing."""
    said = _git(root, "rev-parse", "--absolute-git-dir", "--git-common-dir") or b""
    folders = dict.fromkeys((root / os.fsdecode(line)).resolve() for line in said.splitlines())
    for folder in folders:
        yield from (folder / name for name in ("HEAD", "config", "packed-refs", "shallow", "info/exclude"))
        for inside, _, names in os.walk(folder / "refs"):
            yield from (Path(inside), *(Path(inside, name) for name in sorted(names)))


def receive(root: Path, pack: bytes, branch: str, commit_id: str) -> None:
    """Add the objects of a pack, and a new branch at a commit of them. Nothing else changes. Raises `V003`.

    By plumbing alone: `git fetch` would run what the repository's configuration names (core.alternateRefsCommand).
    """
    known = _git(root, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
    if known and known.decode().strip() == commit_id:
        return
    if _git(root, "unpack-objects", "-q", stdin=pack) is None:
        raise OmniError(NO_REVISION, "git could not take the new commits", where=str(root))
    if _git(root, "update-ref", f"refs/heads/{branch}", commit_id, "0" * len(commit_id)) is None:
        raise OmniError(NO_REVISION, f"git could not make the branch {branch}", where=str(root))


def branches(root: Path) -> frozenset[str]:
    """The names of its branches."""
    said = _git(root, "for-each-ref", "--format=%(refname)", "refs/heads/") or b""
    return frozenset(os.fsdecode(name).removeprefix("refs/heads/") for name in said.splitlines())


def listed_files(root: Path) -> list[str] | None:
    """Tracked files and new ones that are not ignored, relative to `root`; None when it is not a repository."""
    if not is_repository(root):
        return None
    listed = _git(root, *LISTING)
    return None if listed is None else [os.fsdecode(path) for path in listed.split(b"\0") if path]


def commit(root: Path, revision: str) -> str:
    """The full id of the commit that `revision` names. Raises `V003`."""
    found = None
    if not revision.startswith("-"):
        found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not found:
        raise OmniError(NO_REVISION, f"“{revision}” is not a commit here", where=str(root))
    return found.decode().strip()


def blobs(root: Path, commit_id: str) -> dict[str, tuple[str, str]]:
    """Every file of the commit below `root`: path → (mode, blob id). Raises `V003`."""
    listed = _git(root, "ls-tree", "-r", "-z", commit_id) or b""
    found = {}
    try:
        for entry in listed.split(b"\0"):
            if entry:
                about, path = entry.split(b"\t", 1)
                mode, _kind, blob = about.decode().split()
                found[os.fsdecode(path)] = (mode, blob)
    except ValueError as problem:
        raise _not_understood(root) from problem
    return found


def _not_understood(root: Path) -> OmniError:
    return OmniError(NO_REVISION, "git said something about the commit that can't be read", where=str(root))


def changed_since(root: Path, commit_id: str, paths: Iterable[str]) -> frozenset[str]:
    """Those of `paths` whose bytes are not the commit's."""
    then = blobs(root, commit_id)
    return frozenset(
        path for path in paths if path not in then or _blob_id(root / path, then[path][1]) != then[path][1]
    )


def _blob_id(path: Path, like: str) -> str:
    """The id git would give the file's bytes, by the hash whose length `like` has (SHA-1 or SHA-256 repositories)."""
    try:
        data = path.read_bytes()
    except OSError:
        return ""
    digest = hashlib.sha1(usedforsecurity=False) if len(like) == 40 else hashlib.sha256()
    digest.update(b"blob %d\0" % len(data))
    digest.update(data)
    return digest.hexdigest()


def read(root: Path, commit_id: str, paths: Iterable[str]) -> dict[str, bytes]:
    """The commit's content of those of `paths` (relative to `root`) that are files in it."""
    then = blobs(root, commit_id)
    wanted = [path for path in paths if path in then and then[path][0] in {"100644", "100755"}]
    return dict(zip(wanted, _contents(root, [then[path][1] for path in wanted]), strict=True))


def has_unfetched_parent(root: Path, commit_id: str) -> bool:
    """It has a parent that a shallow clone left out."""
    written = _git(root, "cat-file", "commit", commit_id) or b""
    known = _git(root, "rev-parse", "--verify", "--quiet", f"{commit_id}^1")
    return b"\nparent " in written.partition(b"\n\n")[0] and not known


def export(root: Path, commit_id: str, into: Path) -> None:
    """Write the commit's files below `root` into the empty folder `into`, byte for byte; links stay links."""
    found = blobs(root, commit_id)
    wanted = [(path, mode, blob) for path, (mode, blob) in found.items() if mode != "160000" and _inside(path)]
    contents = _contents(root, [blob for _, _, blob in wanted])
    for (path, mode, _), data in zip(wanted, contents, strict=True):
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if mode == "120000":
            target.symlink_to(os.fsdecode(data))
        else:
            target.write_bytes(data)
            target.chmod(0o755 if mode == "100755" else 0o644)


def text_at(root: Path, commit_id: str, path: str) -> str:
    """The file as the commit has it, bad bytes replaced; empty when it has none."""
    entry = blobs(root, commit_id).get(path)
    return b"".join(_contents(root, [entry[1]])).decode("utf-8", "replace") if entry else ""


def written(root: Path, path: str, line: int, text: str) -> datetime | None:
    """When the line, which has this text, was last committed; None when it never was, or git can't say.

    Of the last commit and without text conversion: the work tree would be read through filters.
    """
    said = _git(root, "blame", "--no-textconv", "--porcelain", "-L", f"{line},{line}", "HEAD", "--", path) or b""
    found = re.search(rb"^committer-time (\d+)$", said, re.MULTILINE)
    if found is None or said.rstrip(b"\r\n").rpartition(b"\n\t")[2].strip() != text.strip().encode():
        return None
    return datetime.fromtimestamp(int(found[1]), UTC)


def blame(root: Path, commit_id: str, path: str) -> tuple[tuple[str, str], ...]:
    """The commit that each line of the file comes from, and the line's text; by the commit, not by the work tree.

    Empty when the commit has no such file, or git can't say.
    """
    said = _git(root, "blame", "--no-textconv", "--porcelain", commit_id, "--", path) or b""
    found, current = [], ""
    for line in said.split(b"\n"):
        if line.startswith(b"\t"):
            found.append((current, line[1:].decode("utf-8", "replace").rstrip("\r")))
        elif head := re.match(rb"([0-9a-f]{40,64}) \d+ \d+", line):
            current = head[1].decode()
    return tuple(found)


def message(root: Path, commit_id: str) -> str:
    """The commit's message; empty when there is none."""
    written = _git(root, "cat-file", "commit", commit_id) or b""
    return written.partition(b"\n\n")[2].decode("utf-8", "replace")


def _inside(path: str) -> bool:
    """A tree made by hand may name `../x` or `.git/config`; git refuses those at check-out, and so do we."""
    return not path.startswith("/") and not {"..", ".git"} & {part.lower() for part in path.split("/")}


def _contents(root: Path, ids: list[str]) -> Iterator[bytes]:
    """The bytes of each blob, in order (`git cat-file --batch`: "id type size", the bytes, a line feed)."""
    data = _git(root, "cat-file", "--batch", stdin="".join(f"{each}\n" for each in ids).encode())
    if data is None:
        raise OmniError(NO_REVISION, "git could not read the files of the base commit", where=str(root))
    at = 0
    for _ in ids:
        try:
            end = data.index(b"\n", at)
            size = int(data[at:end].split()[2])
        except (ValueError, IndexError) as problem:
            raise _not_understood(root) from problem
        yield data[end + 1 : end + 1 + size]
        at = end + 2 + size
