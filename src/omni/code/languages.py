"""Which language a file is in, and what is to be known of it: a table (`languages.toml`)."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict


class Language(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    endings: tuple[str, ...]
    comment: str = ""
    defines: re.Pattern[str] | None = None
    imports: re.Pattern[str] | None = None


@cache
def languages() -> dict[str, Language]:
    data = tomllib.loads(files("omni.code").joinpath("languages.toml").read_text("utf-8"))
    return {name: Language.model_validate(each) for name, each in data.items()}


@cache
def _by_ending() -> dict[str, str]:
    return {ending: name for name, each in languages().items() for ending in each.endings}


def language_of(path: str) -> str:
    """The language by the file's ending; empty when it is none that is known."""
    return _by_ending().get(PurePosixPath(path).suffix.lower(), "")
