"""The search itself, run as a program: the folder as argument, what to look for as JSON on standard input.

Files are only read; links are not followed. Uses nothing but the standard library, so that it starts at once.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

LEFT_OUT = frozenset({".git", "__pycache__", "node_modules", ".mypy_cache", ".ruff_cache", ".pytest_cache"})
MATCHES = 200
WIDTH = 300
LARGEST = 32 << 20
"""Bytes."""


def files(root: str) -> Iterator[str]:
    """Every regular file, relative to `root`, sorted by folder."""
    for folder, folders, names in os.walk(root):
        if "pyvenv.cfg" in names and folder != root:
            folders.clear()
            continue
        folders[:] = sorted(set(folders) - LEFT_OUT)
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), root)  # noqa: PTH118 - Path costs ten times as much here


def wanted(path: str, glob: str) -> bool:
    """`*.py` is any file of that name; with a slash, from the top, where `**/` is any number of folders."""
    if "/" not in glob:
        return fnmatchcase(path.rpartition("/")[2], glob)
    return any(fnmatchcase(path, each) for each in (glob, glob.replace("**/", "")))


def read(path: str) -> str | None:
    """The text; None for what is not a regular file, too large, or binary."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(file, "rb") as reader:
        about = os.fstat(file)
        if about.st_mode & 0o170000 != 0o100000 or about.st_size > LARGEST:
            return None
        data = reader.read()
    return None if b"\0" in data[:8192] else data.decode("utf-8", "replace")


def main() -> None:
    asked = json.load(sys.stdin)
    root = sys.argv[1]
    pattern = re.escape(asked["pattern"]) if asked["literal"] else asked["pattern"]
    try:
        regex = re.compile(pattern, re.IGNORECASE if asked["ignore_case"] else 0)
    except (re.error, RecursionError, OverflowError) as problem:
        print(json.dumps({"wrong": str(problem)}))  # noqa: T201 - the answer
        return
    shown: list[str] = []
    found = looked_at = 0
    glob = asked["files"].removeprefix("./")
    for path in files(root):
        if wanted(path, glob) and (text := read(str(Path(root, path)))) is not None:
            looked_at += 1
            lines = text.split("\n")
            hits = [number for number, line in enumerate(lines) if regex.search(line)]
            if found < MATCHES:
                shown += rows(path, lines, hits[: MATCHES - found], asked["around"])
            found += len(hits)
    if not found:
        shown = [f"No match in {looked_at} files."]
    elif found > MATCHES:
        shown.append(f"… {found - MATCHES} more matches: narrow the pattern or `files`.")
    print(json.dumps({"text": "\n".join(shown)}))  # noqa: T201 - the answer


def rows(path: str, lines: list[str], hits: list[int], around: int) -> list[str]:
    """`path:number:line`, with `-` for the lines around."""
    matched = set(hits)
    near = sorted({each for hit in hits for each in range(max(hit - around, 0), min(hit + around + 1, len(lines)))})
    return [
        f"{path}{mark}{number + 1}{mark}{lines[number].rstrip()[:WIDTH]}"
        for number in near
        for mark in (":" if number in matched else "-",)
    ]


if __name__ == "__main__":
    main()
