"""From a specification and a template to the files of a project, the same to the byte every time.

A part is a folder tree below `parts/`. Each of its files lands at the same path in the project:

- `x.py.jinja` is rendered with Jinja; `x.html.square.jinja` too, but with `[[ ]]`, `[% %]` and `[# #]`, for files whose
  own language is full of braces. Any other file is copied byte for byte.
- A path may hold `[package]` and `[entity]`; a file with `[entity]` is rendered once an entity, which it finds as
  `entity`.
- A file that renders to nothing is left out; so `{% if spec.auth %} … {% endif %}` around it all makes it optional,
  and one that only holds macros for others is no file of the project.
- Two parts may not write the same file.

What a template finds in its context: `spec`, `template`, `package`, `entity`, and the functions of `context()`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import jinja2

from omni.kernel.errors import Exit, OmniError, declare
from omni.spec.model import Entity, Specification
from omni.templates.capabilities import Undelivered, prune
from omni.templates.catalog import BROKEN_TEMPLATE, Template
from omni.templates.context import context
from omni.templates.diagrams import draw
from omni.templates.naming import kebab, package_name, settle, snake

TWICE = declare("T003", "Two parts write the same file", Exit.FAILED, "Give the file to one of the parts.")
UNTIDY = declare("T004", "A template renders Python that is not valid", Exit.FAILED, "Mend the template that is named.")

SUFFIX, SQUARE = ".jinja", ".square.jinja"
CRITERION = re.compile(r"\bcriterion\(([^)]*)\)")


@dataclass(frozen=True)
class RenderedFile:
    data: bytes
    executable: bool = False


@dataclass(frozen=True)
class Project:
    files: dict[str, RenderedFile]
    """By path with `/`, sorted."""
    trace: dict[str, tuple[str, ...]]
    """Which test files show which criterion."""
    undelivered: tuple[Undelivered, ...]
    package: str


def render(spec: Specification, template: Template) -> Project:
    """Render the project. Raises OmniError when a template is wrong."""
    delivered, undelivered = prune(spec, template)
    settled = settle(delivered)
    package = package_name(settled)
    files: dict[str, RenderedFile] = {}
    for folder in template.folders:
        for path, file in _render_folder(folder, settled, template, package):
            if path in files:
                raise OmniError(TWICE, f"{path} is written again by {folder.name}.", where=path)
            files[path] = file
    files = _tidy(files)
    drawn = draw({path: file.data for path, file in files.items()})
    files |= {path: RenderedFile(data, files[path].executable) for path, data in drawn.items()}
    files = dict(sorted(files.items()))
    trace = shown_by({path: file.data for path, file in files.items()})
    unshown = tuple(
        Undelivered(criterion.id, f"No test shows it: given {criterion.given}, when {criterion.when}.")
        for criterion in delivered.criteria
        if criterion.id not in trace
    )
    return Project(files, trace, (*undelivered, *unshown), package)


def _render_folder(
    folder: Path, spec: Specification, template: Template, package: str
) -> Iterator[tuple[str, RenderedFile]]:
    names = context(spec, template, package)
    curly, square = _environment(folder), _environment(folder, square=True)
    for source in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        relative = source.relative_to(folder).as_posix()
        executable = bool(source.stat().st_mode & 0o100)
        if not relative.endswith(SUFFIX):
            yield _target(relative, package), RenderedFile(source.read_bytes(), executable)
            continue
        environment = square if relative.endswith(SQUARE) else curly
        target = relative.removesuffix(SQUARE if relative.endswith(SQUARE) else SUFFIX)
        for entity in spec.entities if "[entity]" in target else (None,):
            try:
                text = environment.get_template(relative).render(names, **({"entity": entity} if entity else {}))
            except jinja2.TemplateError as error:
                raise OmniError(BROKEN_TEMPLATE, str(error), where=str(source)) from error
            if text.strip():
                yield _target(target, package, entity), RenderedFile(text.encode(), executable)


@cache  # nearly all the time of a rendering is that of reading the templates
def _environment(folder: Path, *, square: bool = False) -> jinja2.Environment:
    start, end = ("[", "]") if square else ("{", "}")
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        variable_start_string=start * 2,
        variable_end_string=end * 2,
        block_start_string=f"{start}%",
        block_end_string=f"%{end}",
        comment_start_string=f"{start}#",
        comment_end_string=f"#{end}",
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - what is rendered is source code; its own templates escape for the browser
        extensions=["jinja2.ext.do"],
    )


def _target(path: str, package: str, entity: Entity | None = None) -> str:
    path = path.replace("[package]", package)
    if entity is None:
        return path
    return path.replace("[entity]", snake(entity.name)).replace("[entity-kebab]", kebab(entity.name))


def _tidy(files: dict[str, RenderedFile]) -> dict[str, RenderedFile]:
    """Python files as `ruff format` and ruff's import order leave them. Raises OmniError on invalid Python."""
    python = [path for path in files if path.endswith(".py")]
    if not python:
        return files
    with TemporaryDirectory(prefix="omni-render-") as folder:
        root = Path(folder)
        for path in python:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(files[path].data)
        _ruff(root, "check", "--select", "I,F401,RUF022", "--fix")
        _ruff(root, "format")
        return files | {path: RenderedFile((root / path).read_bytes(), files[path].executable) for path in python}


def _ruff(root: Path, *arguments: str) -> None:
    command = [*_RUFF, *arguments, "--isolated", "--no-cache", "--quiet", "--line-length", "120"]
    command += ["--target-version", "py311"]
    # Templates write a comma behind every item; without the "magic" of that comma, short lists fit on one line.
    command += ["--config", "format.skip-magic-trailing-comma = true"]
    if arguments[0] == "check":
        command += ["--config", 'src = [".", "src"]']
    done = subprocess.run([*command, "."], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OmniError(UNTIDY, (done.stdout + done.stderr).strip())


_RUFF = (sys.executable, "-m", "ruff")


def shown_by(files: Mapping[str, bytes]) -> dict[str, tuple[str, ...]]:
    """Criterion → test files, read from the markers `criterion("AC1", …)` in everything below a tests folder."""
    found: dict[str, list[str]] = {}
    for path, data in sorted(files.items()):
        if "tests/" not in path and ".test." not in path:
            continue
        for marker in CRITERION.findall(data.decode(errors="replace")):
            for criterion in re.findall(r"[\"']([^\"']+)[\"']", marker):
                if path not in found.setdefault(criterion, []):
                    found[criterion].append(path)
    return {criterion: tuple(paths) for criterion, paths in sorted(found.items())}
