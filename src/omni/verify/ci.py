"""`omni ci init`: the file with which a forge's CI runs `omni verify`, for whatever the repository uses."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from omni import __version__
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import write_atomic

UNKNOWN_CI = declare("V060", "It is not known which CI this is for", Exit.USAGE, "Name one: omni ci init github")
IN_THE_WAY = declare("V061", "There is such a file already", Exit.USAGE, "Move it away, or add the step by hand.")

DATA = Path(__file__).with_name("data") / "ci"


@dataclass(frozen=True)
class Kind:
    path: str
    """Where its file belongs."""
    signs: tuple[str, ...]
    """Files and folders of a repository that uses it."""
    excludes: tuple[str, ...] = ()
    """Files that it would make to be ignored, or that would make it to be ignored."""


KINDS: Mapping[str, Kind] = {
    "woodpecker": Kind(
        ".woodpecker/omni.yaml",
        (".woodpecker", ".woodpecker.yaml", ".woodpecker.yml"),
        (".woodpecker.yaml", ".woodpecker.yml"),
    ),
    "gitea": Kind(".gitea/workflows/omni.yaml", (".gitea", ".forgejo")),
    "github": Kind(".github/workflows/omni.yaml", (".github",)),
    "gitlab": Kind(".gitlab-ci.yml", (".gitlab-ci.yml", ".gitlab")),
    "pre-commit": Kind(".pre-commit-config.yaml", (".pre-commit-config.yaml",)),
}
HOSTS = {"github.com": "github", "gitlab.com": "gitlab", "codeberg.org": "woodpecker"}


def detect(root: Path) -> tuple[str, ...]:
    """What the repository uses, by its files, else by where its remote is. Nothing is executed."""
    found = tuple(name for name, kind in KINDS.items() if any((root / sign).exists() for sign in kind.signs))
    return found or tuple(name for host, name in HOSTS.items() if f"{host}/" in _remote(root).replace(":", "/"))


def _remote(root: Path) -> str:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        parser.read_string((root / ".git" / "config").read_text("utf-8"))
        return parser.get('remote "origin"', "url", fallback="")
    except (OSError, UnicodeDecodeError, configparser.Error):
        return ""


def render(kind: str) -> str:
    """The file's text."""
    template = (DATA / f"{kind}.yaml.jinja").read_text("utf-8")
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701 - YAML
    return environment.from_string(template).render(version=__version__)


def init(root: Path, names: tuple[str, ...]) -> tuple[Path, ...]:
    """Write the file of each kind, or of those that the repository uses; returns the files that are new.

    One that stands there unchanged is left. Raises `V060` when nothing tells which kind, `V061` before anything is
    written when another file is in the way.
    """
    kinds = names or detect(root)
    if not kinds:
        raise OmniError(UNKNOWN_CI, "the repository has no CI yet", fix=f"Name one of: {', '.join(KINDS)}.")
    wanted = {root / KINDS[name].path: render(name) for name in kinds}
    for name in kinds:
        for path in (KINDS[name].path, *KINDS[name].excludes):
            place = root / path
            if place.exists() and wanted.get(place) != place.read_text("utf-8", "replace"):
                text = f"\n{wanted[root / KINDS[name].path]}"
                raise OmniError(IN_THE_WAY, "it is not written over", where=path, fix=f"Add this to it:\n{text}")
    fresh = tuple(place for place in wanted if not place.exists())
    for place in fresh:
        write_atomic(place, wanted[place])
    return fresh
