"""The files as ast-grep can read them: most as they are, some as a copy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from omni.verify.check import Unseen

if TYPE_CHECKING:
    from omni.verify.check import Context
    from omni.verify.files import File

LARGEST = 3_000_000
"""Bytes; ast-grep passes over larger files without a word."""
IGNORE = "ast-grep-ignore"
"""A comment with this hides a line from ast-grep without a reason. Omni's own way asks for one; this has no effect."""
LONGEST_ARGUMENTS = 100_000
"""Bytes of names on one command line."""

KNOWN = {
    "c": r"\.(c|h)",
    "cpp": r"\.(cc|hpp|cpp)",
    "css": r"\.(css|scss|less)",
    "dockerfile": r"(^|/)(Dockerfile(\..+)?|Containerfile)|\.[dD]ockerfile",
    "go": r"\.go",
    "html": r"\.html?",
    "java": r"\.java",
    "javascript": r"\.([cm]?js|jsx)",
    "jinja": r"\.(jinja|j2)",
    "python": r"\.pyi?",
    "rust": r"\.rs",
    "shell": r"\.(sh|bash|ksh|zsh)|(^|/)\.bashrc",
    "terraform": r"\.tf",
    "typescript": r"\.([cm]?ts|tsx)",
    "yaml": r"\.ya?ml",
}
"""Language → the names by which ast-grep knows it."""
ENDING = {
    "python": ".py",
    "shell": ".sh",
    "javascript": ".js",
    "dockerfile": ".dockerfile",
    "c": ".c",
    "cpp": ".cpp",
    "yaml": ".yaml",
    "html": ".html",
    "css": ".css",
    "go": ".go",
    "java": ".java",
    "jinja": ".jinja",
    "rust": ".rs",
    "terraform": ".tf",
    "typescript": ".ts",
}
"""Language → an ending for the copy of a file whose name does not tell it: a script, `Main.PY`."""


def readable(context: Context, folder: Path) -> Iterator[tuple[File, str] | Unseen]:
    """Each input with the name to give to ast-grep. Copies go into the folder."""
    for file in context.files:
        if file.size > LARGEST:
            yield Unseen(file.path, f"larger than {LARGEST // 1_000_000} MB, which ast-grep passes over")
            continue
        try:
            text = context.text(file)
        except (OSError, ValueError, SyntaxError) as problem:
            yield Unseen(file.path, f"can't be read as text: {problem}")
            continue
        known = re.search(f"({KNOWN[file.language]})$", file.path)
        if known and IGNORE not in text and (file.language != "python" or _utf8(context, file)):
            yield file, file.path
        else:
            copy = folder / (file.path if known else file.path + ENDING[file.language])
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text.replace(IGNORE, "ast.grep.ignore"), "utf-8")
            yield file, str(copy)


def _utf8(context: Context, file: File) -> bool:
    """Python may be in another coding, which its first lines name; ast-grep passes over such a file."""
    try:
        (context.root / file.path).read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def parts(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The names, as many at a time as a command line takes."""
    part: list[str] = []
    size = 0
    for name in names:
        if part and size + len(name.encode()) > LONGEST_ARGUMENTS:
            yield tuple(part)
            part, size = [], 0
        part.append(name)
        size += len(name.encode()) + 1
    if part:
        yield tuple(part)
