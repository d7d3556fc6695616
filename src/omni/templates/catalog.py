"""The project templates that are installed: one folder with a `template.toml` each."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from omni.kernel.errors import Exit, OmniError, declare

ROOT = Path(__file__).parent

UNKNOWN_TEMPLATE = declare("T001", "No such template", Exit.USAGE, "Run `omni templates` to see their names.")
BROKEN_TEMPLATE = declare("T002", "A template is broken", Exit.FAILED, "Mend the file that is named.")


class Capabilities(BaseModel):
    """What a template can do. A spec item outside of it is reported as not delivered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: frozenset[str] = frozenset()
    relations: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    ownership: frozenset[str] = frozenset()
    operations: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()
    """What an operation of kind `run` may be made of."""
    pages: frozenset[str] = frozenset()
    triggers: frozenset[str] = frozenset()
    effects: frozenset[str] = frozenset()
    integrations: frozenset[str] = frozenset()
    qualities: frozenset[str] = frozenset()
    sign_up: frozenset[str] = frozenset({"open", "none"})


class Step(BaseModel):
    """A command in the rendered project, in `folder` of it, in the sandbox, without network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    argv: tuple[str, ...]
    """`{package}` stands for the name of the project's Python package."""
    folder: str = "."
    runtime: Literal["python", "node"] = "python"
    """With `python` of the environment first on PATH; or with `node`, and `node_modules` mounted in `folder`."""
    makes: tuple[str, ...] = ()
    """What it writes, by path in the project."""
    instead_of: str = ""
    """Id of the check of the verification that it does, which could not be run on the project without its packages."""


class Template(BaseModel):
    """A kind of project. Commands are run in the project's folder with `python` of its environment first on PATH."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    description: str
    parts: tuple[str, ...]
    """Folders below `parts/`, in the order in which they are laid down."""
    auth: Literal["yes", "no", "both"]
    environment: str
    """Name of the part whose `requirements-dev.lock` makes the environment of the project."""
    port: int | None = None
    health_path: str = ""
    serve: tuple[str, ...] = ()
    """`{package}` stands for the name of the project's Python package."""
    test: tuple[str, ...]
    prepare: tuple[Step, ...] = ()
    """What makes the files that only a tool can make, in this order, before the project is committed and tested."""
    checks: tuple[Step, ...] = ()
    """What must pass besides `test`: exit code 0."""
    node_packages: str = ""
    """Folder, below `parts/`, of the `package.json` and `package-lock.json` that `node_modules` is made from."""
    capabilities: Capabilities

    @property
    def environment_lock(self) -> Path:
        return ROOT / "parts" / self.environment / "requirements-dev.lock"

    @property
    def node_lock(self) -> Path | None:
        """The `package-lock.json`, `package.json` beside it; None when the project needs no Node."""
        return ROOT / "parts" / self.node_packages / "package-lock.json" if self.node_packages else None

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the files come from: the parts, then the template's own `files/`, if any."""
        own = ROOT / self.name / "files"
        return (*(ROOT / "parts" / part for part in self.parts), *((own,) if own.is_dir() else ()))


@cache
def templates() -> tuple[Template, ...]:
    """All templates, by name. Raises OmniError when a `template.toml` is wrong."""
    return tuple(_load(path) for path in sorted(ROOT.glob("*/template.toml")))


def get(name: str) -> Template:
    """The template of that name. Raises OmniError."""
    for template in templates():
        if template.name == name:
            return template
    known = ", ".join(template.name for template in templates())
    raise OmniError(UNKNOWN_TEMPLATE, f"{name!r} is not among {known}.")


def _load(path: Path) -> Template:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        return Template.model_validate({"name": path.parent.name, **data})
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise OmniError(BROKEN_TEMPLATE, str(error), where=str(path)) from error
