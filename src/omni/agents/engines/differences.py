"""What an engine changed, as text: the format of `diff -u` with git's headers, which `git apply` takes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from omni.agents.folder import Folder

_NO_END = "\\ No newline at end of file"


def unified(before: Folder, after: Folder, paths: Iterable[str]) -> str:
    """The differences of these paths, sorted; a file that is not UTF-8 text is only named."""
    return "".join(_one(path, _content(before, path), _content(after, path)) for path in sorted(paths))


def _content(folder: Folder, path: str) -> tuple[bytes, int] | None:
    try:
        return folder.read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _one(path: str, old: tuple[bytes, int] | None, new: tuple[bytes, int] | None) -> str:
    if old == new:
        return ""
    head = [f"diff --git a/{path} b/{path}\n"]
    if old is None and new is not None:
        head.append(f"new file mode {_mode(new)}\n")
    elif new is None and old is not None:
        head.append(f"deleted file mode {_mode(old)}\n")
    elif old and new and _mode(old) != _mode(new):
        head.append(f"old mode {_mode(old)}\nnew mode {_mode(new)}\n")
    names = (f"a/{path}" if old else "/dev/null", f"b/{path}" if new else "/dev/null")
    before, after = (side[0] if side else b"" for side in (old, new))
    if before == after:
        return "".join(head)  # the mode alone, or an empty file
    try:
        lines = _lines(before.decode()), _lines(after.decode())
    except UnicodeDecodeError:
        return "".join([*head, f"Binary files {names[0]} and {names[1]} differ\n"])
    body = difflib.unified_diff(*lines, *names)
    return "".join([*head, *(line if line.endswith("\n") else f"{line}\n{_NO_END}\n" for line in body)])


def _lines(text: str) -> list[str]:
    """Ended by line feeds alone, as git counts them."""
    *whole, last = text.split("\n")
    return [f"{line}\n" for line in whole] + ([last] if last else [])


def _mode(file: tuple[bytes, int]) -> str:
    return "100755" if file[1] & 0o100 else "100644"
