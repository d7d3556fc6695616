"""Whether the documents speak of what is there: paths, modules, commands and links that they name."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omni.code.codebase import text_of
from omni.code.graph import module_of
from omni.code.model import Codebase, Problem

LINK = re.compile(r"\]\(([^)\s#]+)[^)]*\)")
QUOTED = re.compile(r"`+([^`\n]+)`+")
WORD = re.compile(r"[A-Za-z_]\w*")
PATH = re.compile(r"^[\w.-]+(/[\w.-]+)+\.\w{1,6}$")
HISTORY = re.compile(r"(^|/)(CHANGE|HISTORY|NEWS|RELEASE|whatsnew|changelog)", re.IGNORECASE)
"""Documents about the past, which rightly name what is gone."""


@dataclass(frozen=True)
class Accuracy:
    documents: int
    claims: int
    """Paths, links and dotted names of the project that were compared with the files."""
    wrong: tuple[Problem, ...]


def accuracy(root: Path, codebase: Codebase) -> Accuracy:
    paths = frozenset(codebase.by_path)
    folders = {posixpath.dirname(path) for path in paths}
    tops = {
        module_of(file.path).removeprefix("src.").split(".")[0] for file in codebase.code if file.language == "python"
    }
    words = _words(root, codebase)
    documents = [f for f in codebase.files if f.language in {"markdown", "restructuredtext"} and not f.problem]
    count, wrong = 0, []
    for file in documents:
        if HISTORY.search(file.path):
            continue
        for number, line in enumerate(text_of(root, file.path).splitlines(), 1):
            for kind, said in _claims(line, tops):
                count += 1
                right = said.rpartition(".")[2] in words if kind == "name" else _exists(file.path, said, paths, folders)
                if not right:
                    why = f"it names the {kind} `{said}`, which is not in the project"
                    wrong.append(Problem(kind="stale document", path=file.path, line=number, what=said, why=why))
    return Accuracy(len(documents), count, tuple(wrong))


def _claims(line: str, tops: set[str]) -> Iterator[tuple[str, str]]:
    for found in LINK.finditer(line):
        if not re.match(r"[a-z]+:|/|<", found[1]):
            yield "link", found[1]
    for found in QUOTED.finditer(line):
        said = found[1].strip().removesuffix("()").removeprefix("~").removeprefix("./")
        if PATH.match(said):
            yield "path", said
        elif re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", said) and said.split(".")[0] in tops:
            yield "name", said


def _exists(document: str, said: str, paths: frozenset[str], folders: set[str]) -> bool:
    """By the document's own folder or by the root; a link to `page.html` may be made from `page.md`."""
    for base in (posixpath.dirname(document), ""):
        path = posixpath.normpath(posixpath.join(base, said))
        stem = posixpath.splitext(path)[0]
        if path in paths or path in folders or {f"{stem}.md", f"{stem}.rst"} & paths:
            return True
    return any(path.endswith(f"/{said}") for path in paths)


def _words(root: Path, codebase: Codebase) -> frozenset[str]:
    """Every word of the code. An attribute may be set anywhere, so a dotted name is wrong if its last part is none."""
    files = (file for file in codebase.files if file.symbols or file.language == "python")
    return frozenset(word for file in files for word in WORD.findall(text_of(root, file.path)))
