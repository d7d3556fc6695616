"""Reads every file of a project into a `Codebase`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise, takewhile
from pathlib import Path, PurePosixPath

from omni.code.languages import language_of, languages
from omni.code.model import Codebase, Import, SourceFile, Symbol
from omni.code.python import read_python

LARGEST = 2 << 20
"""Bytes of a file that is read; a larger one is data."""
NOT_PROJECT = frozenset({".git", ".hg", "node_modules", "__pycache__", ".tox", ".nox"})
TEST = re.compile(
    r"(^|/)(tests?|testing|__tests__)/|(^|/)(test_[^/]*|tests?|conftest)\.py$|[._](test|spec)\.\w+$|_test\.go$"
)
KNOWN = {
    "__init__.py": "marks its folder as a package",
    "__main__.py": "what `python -m` runs",
    "conftest.py": "fixtures of the tests beside it",
    "pyproject.toml": "the project's name, dependencies and tools",
    "package.json": "the project's name, dependencies and scripts",
    "setup.py": "how the package is built",
    "setup.cfg": "the package's configuration",
    "MANIFEST.in": "what the source package holds",
    "PKG-INFO": "what the package says of itself, written by its build",
    "make.bat": "commands for people on Windows",
    "tox.ini": "how tests run in several environments",
    "Makefile": "commands for people",
    "Dockerfile": "how the container image is built",
    ".gitignore": "what git leaves out",
    "py.typed": "says that the package is typed",
}
NO_PURPOSE = re.compile(
    r"(?i)copyright|licen[cs]e|coding|^-\*-|/bin/|^(todo|fixme|xxx)\b|^(type|ruff|mypy|pylint|eslint)\b"
)
"""Comments for programs, lawyers and later."""
OTHERS = (
    (r"(^|/)(LICEN[CS]E|COPYING|NOTICE)", "the terms of its use"),
    (r"(^|/)docs?/conf\.py$", "how the documents are built"),
    (r"\.egg-info/", "written by the package's build"),
    (r"(^|/)(CHANGE|HISTORY|NEWS|RELEASE)", "what changed from version to version"),
    (r"(^|/)requirements|\.lock$|-lock\.", "versions of its dependencies"),
    (r"(^|/)\.(github|gitlab|woodpecker|circleci)", "what continuous integration does"),
    (r"(^|/)templates?/.*\.(html?|txt|jinja2?|j2)$", "a page or message, filled in by the code that renders it"),
    (r"(^|/)migrations?/", "how stored data gets from one version to the next"),
    (r"\.(po|pot|ftl)$", "texts in another language"),
    (r"\.(html?|css|scss|js)$", "a part of a page"),
    (r"(^|/)(Procfile|Vagrantfile|.*compose.*\.ya?ml|.*\.(conf|service))$", "how it is run on a machine"),
    (r"\.(png|jpe?g|gif|svg|ico|webp)$", "a picture"),
    (r"(^|/)\.[^/]+$|\.(toml|cfg|ini|ya?ml|json)$", "configuration"),
)
"""What a file is for by its place, where it says nothing of itself."""


def find_files(root: Path) -> tuple[str, ...]:
    """Every regular file below `root` that belongs to the project, sorted; links are not followed."""
    found: list[str] = []
    for folder, inner, names in os.walk(root):
        here = Path(folder)
        inner[:] = [name for name in inner if name not in NOT_PROJECT and not (here / name / "pyvenv.cfg").exists()]
        plain = (here / name for name in names if not (here / name).is_symlink() and (here / name).is_file())
        found += [path.relative_to(root).as_posix() for path in plain]
    return tuple(sorted(found))


def read_codebase(root: Path, paths: Iterable[str] | None = None) -> Codebase:
    """The files at `paths` (default: all), read and never run. Whatever can't be read says why in `problem`."""
    chosen = find_files(root) if paths is None else sorted(paths)
    return Codebase(files=tuple(_read(root, path) for path in chosen))


def _read(root: Path, path: str) -> SourceFile:
    file = SourceFile(path=path, language=language_of(path), test=bool(TEST.search(path)))
    text, problem = _text(root / path)
    if problem:
        return file.model_copy(update={"problem": problem, "purpose": _by_place(path)})
    about: dict[str, object] = {"lines": text.count("\n") + (not text.endswith("\n") and bool(text))}
    if file.language == "python":
        about |= _python(text, path)
    elif language := languages().get(file.language):
        about["imports"] = tuple(
            Import(module=found[1], line=number)
            for number, line in enumerate(text.splitlines(), 1)
            if language.imports and (found := language.imports.search(line))
        )
        about["symbols"] = tuple(_defined(text, path, language.defines))
    doc = about.pop("doc", "") or _comment(text, file.language)
    read = file.model_copy(update=about)
    return read.model_copy(update={"purpose": _purpose(read, str(doc))})


def text_of(root: Path, path: str) -> str:
    """The file's text; empty for a link, data, what is too large, and what is gone."""
    return _text(root / path)[0]


def _text(path: Path) -> tuple[str, str]:
    """(text, why there is none)"""
    try:
        if path.is_symlink():
            return "", "a link"
        if path.stat().st_size > LARGEST:
            return "", f"larger than {LARGEST >> 20} MiB"
        data = path.read_bytes()
    except OSError as error:
        return "", error.strerror or "can't be read"
    if b"\0" in data[:8192]:
        return "", "not text"
    return data.decode("utf-8", "replace"), ""


def _python(text: str, path: str) -> dict[str, object]:
    try:
        found = read_python(text.removeprefix("\ufeff"), path)
    except (SyntaxError, ValueError, RecursionError) as error:
        return {"problem": f"can't be parsed: {error}"}
    return {
        "doc": found.doc,
        "imports": found.imports,
        "symbols": found.symbols,
        "aliases": found.aliases,
        "main": found.main,
        "prefixes": found.prefixes,
    }


def _defined(text: str, path: str, pattern: re.Pattern[str] | None) -> Iterator[Symbol]:
    for number, line in enumerate(text.splitlines() if pattern else (), 1):
        if pattern and (found := pattern.search(line)):
            kind = "class" if re.search(r"\b(class|interface|struct|trait|enum|type|record)\b", line) else "function"
            yield Symbol.model_validate(
                {"name": found[1], "kind": kind, "path": path, "line": number, "end_line": number}
            )


def _comment(text: str, language: str) -> str:
    """The first heading, or the first comment that is not a licence or a line for a program."""
    lines = text.splitlines()[:40]
    if language == "markdown":
        return next((line.lstrip("# ") for line in lines if line.startswith("#")), "")
    if language == "restructuredtext":
        under = pairwise(lines)
        return next(
            (line.strip() for line, below in under if line.strip() and re.fullmatch(r"([=\-~*#^])\1{2,}", below)), ""
        )
    mark = languages()[language].comment if language in languages() else ""
    own = takewhile(lambda line: not line.strip() or line.lstrip().startswith(mark), lines if mark else ())
    said = (line.strip().removeprefix(mark).strip(" *!/") for line in own)
    return next((line for line in said if len(line) > 12 and not NO_PURPOSE.search(line)), "")


def _purpose(file: SourceFile, doc: str) -> str:
    first = " ".join(doc.strip().split("\n\n")[0].split())
    if first:
        return first[:160]
    if file.test and file.symbols:
        count = sum(symbol.last_name.startswith("test") for symbol in file.symbols)
        return f"{count} tests of {_subject(file.path)}" if count else f"helps the tests of {_subject(file.path)}"
    if known := _by_place(file.path):
        return known
    names = [symbol.name for symbol in file.symbols if symbol.kind != "method"]
    if names:
        return f"defines {', '.join(names[:4])}{f' and {len(names) - 4} more' if len(names) > 4 else ''}"
    return "empty" if not file.lines else ""


def _subject(path: str) -> str:
    pure = PurePosixPath(path)
    stem = re.sub(r"^test_|_test$|\.(test|spec)$", "", pure.stem)
    return stem if stem not in {"conftest", "__init__"} else pure.parent.name or "the project"


def _by_place(path: str) -> str:
    known = KNOWN.get(PurePosixPath(path).name, "")
    return known or next((about for pattern, about in OTHERS if re.search(pattern, path)), "")
