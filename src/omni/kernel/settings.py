"""Settings: each value, where it came from, and what it is for.

Later sources win: default, `omni.toml` in the Omni home, `[settings]` of the project's `omni.toml`, `OMNI_*` in the
environment, flags. A project may be anybody's: it sets only what can do no harm (`OF_A_PROJECT`).
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.home import default_home

BAD_SETTING = declare("K001", "A setting can't be used", Exit.USAGE, "Type: omni config")

FILE_NAME = "omni.toml"

_PASSWORD = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)

OF_A_PROJECT = ("tier_deadlines", "retries", "color")
"""What a project may set: nothing that says whose tools run, how they are isolated, or who approves."""


class Settings(BaseModel):
    """What Omni was told. Field descriptions are the help that `omni config` prints."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path = Field(description="Folder that holds everything Omni keeps; one backup of it is a backup of Omni.")
    database_url: str = Field(description="SQLAlchemy URL; SQLite in the home by default, or postgresql+psycopg://….")
    offline: bool = Field(default=False, description="Never ask the network; what would need it says incomplete.")
    sandbox: Literal["auto", "bubblewrap", "docker", "reduced"] = Field(
        default="auto", description="How foreign code is isolated; auto takes the strongest that works here."
    )
    gate_profile: Literal["autonomous", "supervised"] = Field(
        default="autonomous", description="autonomous: gates decide by rules; supervised: people approve."
    )
    tier_deadlines: dict[int, float] = Field(
        default={1: 30.0, 2: 300.0, 3: 600.0, 4: 14400.0},
        description="Seconds each verification tier may take, as `1=30,2=300`; what misses it is incomplete.",
    )
    retries: int = Field(default=2, ge=0, le=10, description="How often implementation is tried again on findings.")
    model_idle: float = Field(
        default=60.0, gt=0, description="Seconds that a model may fall silent in the middle of an answer."
    )
    color: Literal["auto", "always", "never"] = Field(default="auto", description="Colour on the terminal.")

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("tier_deadlines", mode="before")
    @classmethod
    def _parse_deadlines(cls, value: object) -> object:
        given = dict(_pair(part) for part in value.split(",")) if isinstance(value, str) else value
        if isinstance(given, Mapping):
            if not all(str(tier) in {"1", "2", "3", "4"} for tier in given):
                raise ValueError("tiers are 1 to 4")
            return cls.model_fields["tier_deadlines"].default | {int(tier): given[tier] for tier in given}
        return given

    @field_validator("tier_deadlines")
    @classmethod
    def _check_deadlines(cls, value: dict[int, float]) -> dict[int, float]:
        if any(not 0 < seconds < math.inf for seconds in value.values()):
            raise ValueError("deadlines are more than 0 seconds")
        return value


def _pair(text: str) -> tuple[str, str]:
    tier, separator, seconds = text.partition("=")
    if not separator:
        raise ValueError("write it as `1=30,2=300`: tier and seconds")
    return tier.strip(), seconds


class SettingValue(BaseModel):
    """One setting for a person: `value` is redacted where it holds a password."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: str
    origin: str
    help: str


Raw: TypeAlias = dict[str, tuple[object, str]]
"""name → value as given, and its origin"""


def load_settings(
    flags: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Settings:
    """The settings in force. Raises OmniError for an unknown name, a bad value, or a file that can't be read."""
    return _load(flags or {}, os.environ if environ is None else environ, cwd or Path.cwd())[0]


def explain(
    flags: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> list[SettingValue]:
    """Every setting with its value, its origin and its help. Raises like `load_settings`."""
    settings, raw = _load(flags or {}, os.environ if environ is None else environ, cwd or Path.cwd())
    return [
        SettingValue(
            name=name, value=_shown(settings, name), origin=raw[name][1] if name in raw else "default", help=about
        )
        for name, about in ((name, field.description or "") for name, field in Settings.model_fields.items())
    ]


def redact_url(url: str) -> str:
    """A database URL without its password, which may stand before the host or, as `?password=`, behind it."""
    head, separator, tail = _PASSWORD.sub(r"\1***", url).partition("://")
    user, at, place = tail.rpartition("@")
    shown = f"{user.partition(':')[0]}:***@{place}" if at and ":" in user else tail
    return f"{head}{separator}{shown}"


def _load(flags: Mapping[str, str], environ: Mapping[str, str], cwd: Path) -> tuple[Settings, Raw]:
    project = _of_project(cwd / FILE_NAME)
    outside = {
        name: (environ[f"OMNI_{name.upper()}"], f"environment OMNI_{name.upper()}")
        for name in Settings.model_fields
        if environ.get(f"OMNI_{name.upper()}")
    }
    given: Raw = {name: (value, f"flag --{name.replace('_', '-')}") for name, value in flags.items()}
    home = (outside | given).get("home", (default_home(environ), "default"))
    raw: Raw = {"home": home} | _read(_folder(*home) / FILE_NAME) | project | outside | given
    values = {name: value for name, (value, _) in raw.items()}
    values.setdefault("database_url", f"sqlite:///{_folder(*raw['home']) / 'omni.db'}")
    try:
        return Settings.model_validate(values), raw
    except ValidationError as error:
        raise _explained(error, raw) from error


def _folder(home: object, origin: str) -> Path:
    try:
        return Path(str(home)).expanduser().absolute()
    except RuntimeError as error:
        raise OmniError(BAD_SETTING, f"home: there is no user {str(home).partition('/')[0]}", where=origin) from error


def _of_project(path: Path) -> Raw:
    """What the project in the current folder sets. Raises OmniError when it reaches for more than it may."""
    found = _read(path, table="settings")
    for name in found.keys() & Settings.model_fields.keys() - set(OF_A_PROJECT):
        why = f"{name}: a project may not set this, since it could then run tools of its own as yours"
        fix = f"Take it out; set it in omni.toml of your Omni home, as OMNI_{name.upper()}, or by a flag."
        raise OmniError(BAD_SETTING, why, where=str(path), fix=fix)
    return found


def _read(path: Path, table: str = "") -> Raw:
    """The settings in a file; none where there is no file."""
    try:
        content: dict[str, object] = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OmniError(BAD_SETTING, str(error), where=str(path), fix="Correct the file.") from error
    chosen = content.get(table, {}) if table else content
    if not isinstance(chosen, dict):
        raise OmniError(BAD_SETTING, f"[{table}] is not a table", where=str(path), fix="Correct the file.")
    return {name: (value, str(path)) for name, value in chosen.items()}


def _explained(error: ValidationError, raw: Raw) -> OmniError:
    """The first problem, in the words of a person. The value itself is left out: it may hold a password."""
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = str(problem["loc"][0]) if problem["loc"] else ""
    where = raw[name][1] if name in raw else ""
    if name in Settings.model_fields:
        fix = f"What it is: {Settings.model_fields[name].description}"
        return OmniError(BAD_SETTING, f"{name}: {problem['msg'].removeprefix('Value error, ')}", where=where, fix=fix)
    fix = f"Known: {', '.join(Settings.model_fields)}."
    return OmniError(BAD_SETTING, f"{name}: there is no such setting", where=where, fix=fix)


def _shown(settings: Settings, name: str) -> str:
    match getattr(settings, name):
        case bool() as flag:
            return str(flag).lower()
        case dict() as deadlines:
            return ",".join(f"{tier}={seconds:g}" for tier, seconds in sorted(deadlines.items()))
        case value:
            return redact_url(str(value))
