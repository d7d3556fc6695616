"""Copying the app's git repository so that nothing in the copy acts by itself, and modes are the same everywhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import open_new

UNSAFE = declare("D002", "The app can't be packaged", Exit.FAILED, "Remove what is named, commit, and build again.")

# The two checks tell git to judge by size and time, which the copy keeps: else its first `git status` would rewrite the
# index, and the package would no longer be as it was signed.
_CONFIG = b"""\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
\ttrustctime = false
\tcheckstat = minimal
"""
_LEFT_OUT = frozenset({".git/hooks", ".git/index.lock", ".git/gc.pid", ".git/COMMIT_EDITMSG"})
_REFUSED = frozenset({".git/objects/info/alternates", ".git/commondir", ".git/config.worktree"})


def copy_repository(source: Path, target: Path) -> None:
    """Copy a work tree with its `.git`, without running git: no hooks, and a configuration that names no program.

    Folders get mode 755, files 644, or 755 when their owner may execute them. Raises OmniError for a device, a link
    that leads outside, or a repository that needs another one.
    """
    target.mkdir()
    target.chmod(0o755)
    _copy(source, target, "", source.resolve())


def _copy(source: Path, target: Path, prefix: str, root: Path) -> None:
    for item in sorted(os.scandir(source), key=lambda found: found.name):
        path, place = f"{prefix}{item.name}", target / item.name
        if path in _LEFT_OUT:
            continue
        if not item.name.isprintable():
            raise OmniError(UNSAFE, "its name has characters that can't be printed", where=ascii(path))
        inner = item.name.lower() == ".git" and path != ".git"  # its configuration would name programs to git in there
        if path in _REFUSED or inner or (path == ".git" and not item.is_dir(follow_symlinks=False)):
            raise OmniError(UNSAFE, "the repository does not stand alone", where=path)
        if item.is_symlink():
            _copy_link(Path(item.path), place, path, root)
        elif item.is_dir():
            place.mkdir()
            place.chmod(0o755)
            _copy(Path(item.path), place, f"{path}/", root)
        elif item.is_file():
            content = _CONFIG if path == ".git/config" else Path(item.path).read_bytes()
            status = item.stat()
            with open_new(place, 0o755 if status.st_mode & stat.S_IXUSR else 0o644) as file:
                file.write(content)
            os.utime(place, ns=(status.st_mtime_ns, status.st_mtime_ns))
        else:
            raise OmniError(UNSAFE, "it is neither a file nor a folder", where=path)


def _copy_link(source: Path, place: Path, path: str, root: Path) -> None:
    target = source.readlink()
    if target.is_absolute() or not source.resolve().is_relative_to(root) or path.startswith(".git/"):
        raise OmniError(UNSAFE, f"it is a link to {target}", where=path)
    place.symlink_to(target)
    moment = source.lstat().st_mtime_ns
    os.utime(place, ns=(moment, moment), follow_symlinks=False)
